/** Members that records of several kinds have. */
import type { Rule } from '../policy/rules.ts';
import { listAt, membersOf, optionalWholeNumberAt, ownValue, text, textAt, wholeNumberAt } from './members.ts';
import type { Members } from './members.ts';
import { isLabel } from './names.ts';

/** The rules of a record. */
export function policyAt(from: Members): readonly Rule[] {
  return listAt(from, 'policy', parseRule);
}

export function instantsAt(from: Members): { readonly createdAt: number; readonly updatedAt: number } {
  return { createdAt: wholeNumberAt(from, 'createdAt'), updatedAt: wholeNumberAt(from, 'updatedAt') };
}

export function expiryAt(from: Members): { readonly expiresAt?: number } {
  const expiresAt = optionalWholeNumberAt(from, 'expiresAt');
  return expiresAt === undefined ? {} : { expiresAt };
}

/** A member that may be absent, as `read` reads it. */
export function optionalAt<const N extends string, T>(
  from: Members,
  member: N,
  read: (from: Members, member: N) => T,
): Readonly<Partial<Record<N, T>>> {
  const found: Partial<Record<string, T>> = ownValue(from, member) === undefined ? {} : { [member]: read(from, member) };
  return found as Readonly<Partial<Record<N, T>>>;
}

/** A text for people. */
export function labelAt(from: Members, member: string): string {
  return textAt(from, member, isLabel);
}

/** A rule stays as it is, with kinds and members that this version does not know, so that `decide` sees them and denies: they might restrict. */
function parseRule(value: unknown, name: string): Rule {
  const rule = membersOf(value, name);
  const kind = textAt(rule, 'kind');
  if (kind === 'methods') listAt(rule, 'allow', (item, itemName) => text(item, itemName));
  return structuredClone(rule) as Rule;
}
