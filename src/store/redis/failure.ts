import { ForeignValueError, StoreUnavailableError } from '../store.ts';
import { TimedOutError } from './deadline.ts';
import type { RedisTarget } from './target.ts';

const MAX_REASON = 200;
/** What ioredis says when a command could not be sent or its connection went away. */
const NOT_CONNECTED = /isn't writeable|Connection is closed|max retries per request|aborted due to connection close/i;
/** What a server says that takes no writes now, also of a write within a script (as Redis 6 does): it is a replica, or reads its data in. */
const NOT_PRIMARY = /^(READONLY|MASTERDOWN|LOADING) |: -READONLY /;

/**
 * What went wrong, in one line. Errors of ioredis carry the command with its arguments, which for AUTH is the password:
 * only this text goes on, never the error itself.
 */
export function reasonOf(error: unknown): string {
  const { message, code } = error as { message?: string; code?: string };
  const text = message === undefined || message === '' ? (code ?? 'unknown error') : message;
  const withoutArguments = text.replace(/,? with args beginning with.*$/is, '');
  return withoutArguments.replace(/\s+/g, ' ').slice(0, MAX_REASON);
}

/** Whether `reason` says that there is no connection, and not why. */
export function saysOnlyNotConnected(reason: string): boolean {
  return NOT_CONNECTED.test(reason);
}

/** Whether `reason` says that this server is not, or not yet, the one that takes writes. Another may stand behind its address by now. */
export function saysNotPrimary(reason: string): boolean {
  return NOT_PRIMARY.test(reason);
}

/** The memory of Redis is full, and it may give nothing of it away. */
export class StoreFullError extends StoreUnavailableError {}

/** What Redis says then, also of a write within a script (as Redis 6 does). */
const FULL = /^OOM |: -OOM /;

/** What to do about an answer that tells more than that something failed. */
function hintFor(reason: string): string | undefined {
  if (reason.startsWith('NOPERM ')) return 'Give the ACL user of store.username the right that is named.';
  return undefined;
}

const FOREIGN_VALUE = 'Something else has written a key of this namespace: remove that key, or choose another store.namespace.';

/** The error for a failed call. `lastTrouble`: why there is no connection, when there is none. */
export function unavailable(target: RedisTarget, error: unknown, lastTrouble: string | undefined): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  if (error instanceof TimedOutError)
    return new StoreUnavailableError(`Redis at ${target.address} did not answer within ${String(error.timeoutMs)} ms`);
  const reason = reasonOf(error);
  if (saysOnlyNotConnected(reason))
    return new StoreUnavailableError(`Redis at ${target.address} is not connected: ${lastTrouble ?? 'the connection was lost'}`);
  const message = `Redis at ${target.address} failed: ${reason}`;
  if (FULL.test(reason)) return new StoreFullError(message, undefined, 'Raise maxmemory of Redis, or remove what is not needed there.');
  if (reason.startsWith('WRONGTYPE ')) return new ForeignValueError(message, undefined, FOREIGN_VALUE);
  return new StoreUnavailableError(message, undefined, hintFor(reason));
}
