/** How an exchange ended. */
export type AuditOutcome =
  'success' | 'policy_denied' | 'principal_denied' | 'provider_error' | 'network_error' | 'aborted' | 'interrupted';

/** What is recorded about one exchange. No field can hold a credential. Sizes are bytes, `start` is ISO 8601 in UTC. */
export interface AuditEvent {
  readonly v: 1;
  /** Event id; the `X-Alter-Request-Id` of the answer. */
  readonly id: string;
  readonly type: 'request' | 'tunnel' | 'connect';
  readonly start: string;
  readonly durationMs: number;
  readonly app: string | null;
  readonly keyId: string | null;
  /** Name of the agent whose key it was. */
  readonly agent: string | null;
  /** Identity provider and subject of the user behind the request, when the grant asked for one and the token was good. */
  readonly idp: string | null;
  readonly user: string | null;
  /** Group to which the grant belongs. */
  readonly group: string | null;
  readonly principal: string | null;
  readonly caller: string | null;
  readonly clientAddress: string;
  readonly protocol: string;
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  /** Canonical path; query values are never recorded, only names. */
  readonly path: string;
  readonly queryNames: readonly string[];
  readonly provider: string | null;
  readonly secretId: string | null;
  readonly secretVersion: number | null;
  readonly grantId: string | null;
  readonly grantLabel: string | null;
  readonly reason: string | null;
  readonly context: Readonly<Record<string, string>> | null;
  readonly outcome: AuditOutcome;
  /** Stable code when the proxy refused or failed. */
  readonly code: string | null;
  /** The rule of a policy that refused, with where it is attached (`secret:methods`), or a finer reason. */
  readonly rule: string | null;
  /** Rules in mode `warn` that would have refused. */
  readonly warnings: readonly string[];
  readonly status: number | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly retries: number;
  /** Where the credential was written, names only. */
  readonly injected: readonly string[];
  /** Stages passed, with the one that ended the way. */
  readonly stages: readonly string[];
  /** Name of this proxy. A worker's name is that of the proxy with a number of its own. */
  readonly proxy: string;
  /** Eight hexadecimal digits, random for each start of a process: the name stays when a proxy starts again, and several commands may share it. */
  readonly process: string;
  /** Number of the event in its process, from 1 and without gaps. */
  readonly seq: number;
}

/** Which process an event is of. */
export type EventSource = Pick<AuditEvent, 'proxy' | 'process'>;

/** An event without what the recorder adds. */
export type AuditDraft = Omit<AuditEvent, 'v' | keyof EventSource | 'seq'>;
