import { StoreUnavailableError } from '../store.ts';
import { TimedOutError } from './deadline.ts';
import type { RedisTarget } from './target.ts';

const MAX_REASON = 200;
/** What ioredis says when a command could not be sent or its connection went away. */
const NOT_CONNECTED = /isn't writeable|Connection is closed|max retries per request|aborted due to connection close/i;

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

/** The error for a failed call. `lastTrouble`: why there is no connection, when there is none. */
export function unavailable(target: RedisTarget, error: unknown, lastTrouble: string | undefined): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  if (error instanceof TimedOutError)
    return new StoreUnavailableError(`Redis at ${target.address} did not answer within ${String(error.timeoutMs)} ms`);
  const reason = reasonOf(error);
  if (saysOnlyNotConnected(reason))
    return new StoreUnavailableError(`Redis at ${target.address} is not connected: ${lastTrouble ?? 'the connection was lost'}`);
  return new StoreUnavailableError(`Redis at ${target.address} failed: ${reason}`);
}
