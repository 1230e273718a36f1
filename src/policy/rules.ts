import type { HeaderList } from '../message/header-list.ts';

/**
 * A rule of a policy, as it is stored. A rule can only restrict; all must pass. What else stands in it depends on its kind; a record may hold
 * a kind that this version does not know, and such a rule denies.
 */
export interface Rule {
  readonly kind: string;
  /** How answers and audit events call it; its kind, when it has none. */
  readonly name?: string;
  /** `warn`: what it would have denied is recorded, and passes. Default: `enforce`. */
  readonly mode?: 'enforce' | 'warn';
  readonly [member: string]: unknown;
}

/** Name of a rule in answers and audit events. */
export type RuleName = string;

/**
 * What a policy is attached to, in the order in which policies are evaluated. `source`: the grant that a delegation passes on; its rules are
 * asked about that grant, and count together with its own requests.
 */
export const ATTACHMENTS = ['app', 'provider', 'secret', 'agent', 'source', 'grant'] as const;

/** One of {@link ATTACHMENTS}. */
export type Attachment = (typeof ATTACHMENTS)[number];

/** A place of the operator's: of `source` the place is the grant that it is. */
export type Place = Exclude<Attachment, 'source'>;

/** What `decide` may look at. Plain values: no I/O, no clock. */
export interface PolicyFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  /** Canonical path, without the query, and without a segment that injection writes. */
  readonly path: string;
  /** Without the `?`, and without parameters that injection writes; undefined when there is none. */
  readonly query: string | undefined;
  /** Those that leave, before injection: a field that Connection names is not among them. */
  readonly headers: Pick<HeaderList, 'names' | 'has' | 'get' | 'getAll'>;
  /** Undefined: there is no body. `form` is its text, where it is a form and a rule asks for it. */
  readonly body: { readonly form: string | undefined } | undefined;
  /** Address of the client, or the one that a trusted proxy gives. */
  readonly clientAddress: string;
  readonly reason: string | undefined;
  readonly context: Readonly<Record<string, string>> | undefined;
  readonly app: string;
  readonly grant: GrantFacts;
  readonly principal: PrincipalFacts;
  /** Name of the agent whose key was presented. */
  readonly agent: string | undefined;
  /** Of a delegation: the grant that it passes on, and whose that is. */
  readonly source?: { readonly grant: GrantFacts; readonly principal: PrincipalFacts } | undefined;
}

/** The facts as the rules of one place are asked about them. */
export function factsAt(at: Attachment, facts: PolicyFacts): PolicyFacts {
  return at === 'source' && facts.source !== undefined ? { ...facts, ...facts.source } : facts;
}

/**
 * What counts as one grant: those that an agent issued for itself on one secret are one, because it can have as many as it thinks of labels.
 */
export function countedGrant({ grant, principal }: PolicyFacts): string {
  return grant.selfIssued === true ? `${principal.type}:${principal.id}:${grant.secretId}` : grant.id;
}

/** What a rule may know of the grant. */
export interface GrantFacts {
  readonly id: string;
  readonly label: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly secretId: string;
  readonly provider: string;
  /** Its agent issued it for itself. */
  readonly selfIssued?: true;
}

/** Whose grant it is. */
export interface PrincipalFacts {
  readonly type: string;
  /** `<idp>:<subject>`, `<idp>:<group>`, the name of the agent, or empty for `system`. */
  readonly id: string;
}
