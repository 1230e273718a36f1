import { CommandError } from '../../errors.ts';
import { expiryAfter } from '../expiry.ts';
import type { SecretFacts } from '../resolved.ts';

/** How long a grant was asked to live: for a time from now on, or until an instant, in milliseconds. Neither: as long as it may. */
export interface AskedLife {
  readonly ttlMs?: number;
  readonly expiresAt?: number;
}

/** How long a grant may live. */
export interface LifeBounds {
  /** Counted from when the grant was issued. */
  readonly maxTtlMs: number | undefined;
  /** End of the grant from which it stems. */
  readonly notAfter: number | undefined;
}

/** The longest life of a grant of `secret`: the shorter of what the secret and the configuration allow. */
export function longestLife(secret: Pick<SecretFacts, 'maxTtlS'>, configuredMs: number | undefined): number | undefined {
  return least(secret.maxTtlS === undefined ? undefined : secret.maxTtlS * 1000, configuredMs);
}

/**
 * The member `expiresAt` of a grant that was issued at `issuedAt`. A life that was not asked for is the longest allowed one. Throws
 * CommandError: `not_allowed` for a life beyond the bounds, `record_invalid` for one that is none.
 */
export function expiryWithin(
  asked: AskedLife,
  bounds: LifeBounds,
  at: { readonly issuedAt: number; readonly now: number },
): { readonly expiresAt?: number } {
  const limit = lastInstant(bounds, at.issuedAt);
  const expiresAt = askedInstant(asked, at.now) ?? limit;
  if (expiresAt === undefined) return {};
  if (limit !== undefined && expiresAt > limit) throw tooLong(limit, bounds, at.issuedAt);
  return { expiresAt };
}

/** Throws CommandError `not_allowed` when a grant within `bounds` must have an end. */
export function checkMayBeEndless(bounds: LifeBounds, issuedAt: number): void {
  const limit = lastInstant(bounds, issuedAt);
  if (limit !== undefined) throw tooLong(limit, bounds, issuedAt);
}

function lastInstant({ maxTtlMs, notAfter }: LifeBounds, issuedAt: number): number | undefined {
  return least(maxTtlMs === undefined ? undefined : issuedAt + maxTtlMs, notAfter);
}

function askedInstant({ ttlMs, expiresAt }: AskedLife, now: number): number | undefined {
  if (expiresAt === undefined) return expiryAfter(ttlMs, now).expiresAt;
  if (ttlMs !== undefined) throw new CommandError('record_invalid', 'a grant has a time to live or an expiry, not both');
  if (!Number.isSafeInteger(expiresAt) || expiresAt <= now) throw new CommandError('record_invalid', 'the expiry must lie in the future');
  return expiresAt;
}

function tooLong(limit: number, { notAfter }: LifeBounds, issuedAt: number): CommandError {
  const whose =
    limit === notAfter
      ? 'the grant it comes from ends then'
      : `a life of ${String(Math.floor((limit - issuedAt) / 1000))} seconds is the longest allowed`;
  return new CommandError('not_allowed', `the grant may not live beyond ${new Date(limit).toISOString()}: ${whose}`);
}

function least(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
