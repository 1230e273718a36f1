import type { AgentRecord } from '../vault/records.ts';

/** The field that stands in every answer to a deprecated key, with the value `true`. */
export const KEY_DEPRECATED = 'X-Alter-Key-Deprecated';

/** Who sent a request, as the API key says. */
export interface Caller {
  readonly app: string;
  readonly type: 'app' | 'agent';
  /** Name of the agent; with type `agent` only. */
  readonly agent?: string;
  /** What is known of it, its rules among it. */
  readonly agentRecord?: AgentRecord;
  /** Display prefix of the key, or `config` for the proxy's own key. Never the key. */
  readonly keyId: string;
  /** The key should be replaced; every answer says so. */
  readonly deprecated?: true;
  /** Milliseconds since the epoch after which the key is not valid. */
  readonly expiresAt?: number;
}
