import { RuleFault, wordAt } from './fault.ts';
import type { RuleMembers } from './fault.ts';
import { ruleKind, ruleKindNames } from './registry.ts';
import type { CompiledCheck } from './rule-kind.ts';
import type { Attachment, Rule, RuleName } from './rules.ts';

/** A rule as it is evaluated. */
export interface CompiledRule {
  readonly kind: string;
  /** Its name, or its kind. */
  readonly name: RuleName;
  readonly warn: boolean;
  /** Undefined: malformed or of a kind that this version does not know. Such a rule denies, whatever its mode. */
  readonly check: CompiledCheck | undefined;
}

/** A compiled rule with where it is attached. */
export interface AttachedRule extends CompiledRule {
  readonly at: Attachment;
  /** `secret:methods`: how audit events call it. */
  readonly label: string;
  /** Tells the counters of rules at one place apart: its name, with a number where it is not the first of that name. */
  readonly counterName: string;
}

/** Names that are fit to be shown in headers, tables and audit events. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
const KIND = /^[a-z][a-z0-9_-]{0,31}$/;

const compiled = new WeakMap<readonly unknown[], readonly CompiledRule[]>();

/** The rules of one record, compiled once for as long as the record is kept. */
export function compileRules(rules: readonly unknown[]): readonly CompiledRule[] {
  const known = compiled.get(rules);
  if (known !== undefined) return known;
  const fresh = Object.freeze(rules.map(compileLeniently));
  compiled.set(rules, fresh);
  return fresh;
}

/** What is wrong with a rule, or undefined: what the operator is told before it is stored. */
export function faultOfRule(rule: unknown): RuleFault | undefined {
  try {
    compileStrictly(rule);
    return undefined;
  } catch (error) {
    if (error instanceof RuleFault) return error;
    throw error;
  }
}

/** What a request must be to pass `rule`, for people. */
export function describeRule(rule: Rule): string {
  const [own] = compileRules([rule]);
  return own?.check?.requires ?? 'nothing passes: this version cannot evaluate the rule';
}

function compileLeniently(rule: unknown): CompiledRule {
  try {
    return compileStrictly(rule);
  } catch {
    return Object.freeze({ kind: kindOf(rule), name: kindOf(rule), warn: false, check: undefined });
  }
}

function compileStrictly(rule: unknown): CompiledRule {
  if (!isMembers(rule)) throw new RuleFault([], 'must be a mapping with a kind');
  const { kind, name } = rule;
  const found = typeof kind === 'string' ? ruleKind(kind) : undefined;
  if (found === undefined) throw new RuleFault(['kind'], `must be one of ${ruleKindNames().join(', ')}`);
  if (name !== undefined && (typeof name !== 'string' || !NAME.test(name)))
    throw new RuleFault(['name'], 'must be 1 to 64 letters, digits, dots, dashes or underscores');
  const mode = wordAt(rule, 'mode', ['enforce', 'warn'], true);
  return Object.freeze({ kind: found.kind, name: name ?? found.kind, warn: mode === 'warn', check: found.compile(rule) });
}

/** The kind that a stored rule claims, when it is fit to be shown. */
function kindOf(stored: unknown): string {
  const kind = isMembers(stored) ? stored['kind'] : undefined;
  return typeof kind === 'string' && KIND.test(kind) ? kind : 'unknown';
}

function isMembers(value: unknown): value is RuleMembers {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
