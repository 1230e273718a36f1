import { DERIVATION_MEMBERS } from '../providers/derivation.ts';
import type { Derivation, DerivationKind, MemberForm } from '../providers/derivation.ts';
import { mapAt, membersOf, ownValue, text, textAt, wholeNumberAt, wordAt } from './members.ts';
import type { Members } from './members.ts';
import { optionalAt } from './shared-shapes.ts';

const KINDS = Object.keys(DERIVATION_MEMBERS) as readonly DerivationKind[];

const READERS: Readonly<Record<MemberForm, (from: Members, member: string) => unknown>> = {
  format: (from, member) => textAt(from, member),
  url: (from, member) => textAt(from, member, (url) => url.startsWith('https://')),
  auth: (from, member) => wordAt(from, member, ['basic', 'body']),
  seconds: (from, member) => wholeNumberAt(from, member, 1),
  map: (from, member) =>
    mapAt(
      from,
      member,
      () => true,
      (value, name) => text(value, name),
    ),
};

/** How a provider makes a short-lived credential. One of a kind that this version does not know makes the provider unusable. */
export function derivationAt(from: Members, member: string): Derivation {
  const own = membersOf(ownValue(from, member), member);
  const kind = wordAt(own, 'kind', KINDS);
  const members = Object.entries<MemberForm>(DERIVATION_MEMBERS[kind]).map(([key, form]) =>
    key.endsWith('?') ? optionalAt(own, key.slice(0, -1), READERS[form]) : { [key]: READERS[form](own, key) },
  );
  return { kind, ...Object.fromEntries(members.flatMap((part) => Object.entries(part))) } as Derivation;
}
