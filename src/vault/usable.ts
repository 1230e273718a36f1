import { AlterError } from '../errors.ts';
import type { GrantRecord } from './records.ts';

/** How far the clocks of two machines may be apart. */
const CLOCK_SKEW_MS = 60_000;

/**
 * Throws AlterError unless the grant may be used at `now`: `grant_deleted`, `grant_revoked` or `grant_expired`, with `rule` when there is one,
 * and `policy_unavailable` where the clock stands before the grant was made.
 */
export function checkUsable({ status, createdAt, expiresAt }: GrantRecord, now: number, rule?: string): void {
  const why = rule === undefined ? {} : { rule };
  if (status === 'deleted') throw new AlterError('grant_deleted', why);
  if (status === 'revoked') throw new AlterError('grant_revoked', why);
  if (expiresAt !== undefined && now >= expiresAt) throw new AlterError('grant_expired', why);
  // By a clock that stands before the grant was made, no expiry and no rule about time can be judged.
  if (createdAt > now + CLOCK_SKEW_MS) throw new AlterError('policy_unavailable', { rule: 'clock' });
}
