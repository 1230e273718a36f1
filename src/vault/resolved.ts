import type { PreparedInjection } from '../inject/injector.ts';
import type { CombinedPolicy } from '../policy/policy.ts';
import type { GrantRecord, SecretRecord } from './records.ts';

/** A secret record without its values. */
export type SecretFacts = Omit<SecretRecord, 'fields'>;

/** A grant with what is needed to use it; prepared once and cached. No plaintext credential is reachable from here. */
export interface ResolvedGrant {
  readonly grant: GrantRecord;
  readonly secret: SecretFacts;
  readonly injection: PreparedInjection;
  /**
   * Of a delegation: the user's or group's grant that it passes on. It is usable, too; whether its principal still stands, and its own rules,
   * are for the caller to check.
   */
  readonly source?: GrantRecord;
  /** What is attached to app, provider, secret and grant, compiled. */
  readonly policy: CombinedPolicy;
}
