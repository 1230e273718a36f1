/**
 * A rule of a policy, as it is stored. A rule can only restrict; all must pass. The union is open at the store's side:
 * a record may hold a kind that this version does not know, and such a rule denies.
 */
export type Rule = { readonly kind: 'methods'; readonly allow: readonly string[] };

/** Methods are case-sensitive (RFC 9110 §9.1); every registered one is in upper case. */
const METHOD = /^[A-Z][A-Z0-9-]*$/;

/** Name of a rule in answers and audit events. */
export type RuleName = string;

/** What `decide` may look at. Plain values: no I/O, no clock. */
export interface PolicyFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly method: string;
  readonly host: string;
  readonly port: number;
  /** Canonical path, without the query. */
  readonly path: string;
  readonly clientAddress: string;
}

/** The outcome of a policy. */
export type Decision = { readonly allow: true } | { readonly allow: false; readonly rule: RuleName; readonly unknown: boolean };

/**
 * Reads a rule as it came from outside: the rule itself, or undefined when it is malformed or of a kind that this version does not know.
 * A member that is not known makes the rule malformed: it might restrict.
 */
export function parseRule(stored: unknown): Rule | undefined {
  if (!isMembers(stored) || stored['kind'] !== 'methods') return undefined;
  const { kind, allow, ...others } = stored;
  if (Object.keys(others).length > 0 || !Array.isArray(allow)) return undefined;
  if (!allow.every((method): method is string => typeof method === 'string' && METHOD.test(method))) return undefined;
  return { kind, allow };
}

function isMembers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
