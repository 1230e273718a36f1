import { CommandError } from '../errors.ts';

/** The member `expiresAt` for a record that lives `ttlMs` from now on; nothing without one. Throws CommandError `record_invalid`. */
export function expiryAfter(ttlMs: number | undefined, now: number): { readonly expiresAt?: number } {
  if (ttlMs === undefined) return {};
  const expiresAt = now + ttlMs;
  if (!(ttlMs > 0) || !Number.isSafeInteger(expiresAt))
    throw new CommandError('record_invalid', 'the time to live must be a whole number of milliseconds above 0');
  return { expiresAt };
}
