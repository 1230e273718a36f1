/**
 * A rule of a policy, as it is stored. A rule can only restrict; all must pass. The union is open at the store's side:
 * a record may hold a kind that this version does not know, and such a rule denies.
 */
export type Rule = { readonly kind: 'methods'; readonly allow: readonly string[] };

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
export type Decision =
  | { readonly allow: true }
  | { readonly allow: false; readonly rule: RuleName; readonly unknown: boolean };
