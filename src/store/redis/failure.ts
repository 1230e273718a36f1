import { ForeignValueError, StoreForbiddenError, StoreUnavailableError } from '../store.ts';
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

/** What the ACL says, also about a command within a script, where it does not name the command. */
const FORBIDDEN = /^NOPERM |The user executing the script can't /;

/**
 * The missing rights: `commands`, or the command that failed, and of its arguments the key. Everything else that ioredis tells of a command
 * may be a secret.
 */
function missingRights(namespace: string, error: unknown, commands: readonly string[] | undefined): string {
  const { command } = error as { readonly command?: { readonly name?: string; readonly args?: readonly unknown[] } };
  const named = commands ?? (command?.name === undefined ? [] : [command.name]);
  const rights = named.length === 0 ? 'the right that is named' : named.map((name) => `+${name.toLowerCase()}`).join(' ');
  const key = command?.args?.find((arg) => typeof arg === 'string' && arg.startsWith(`${namespace}:`));
  return `Give the ACL user of store.username ${rights}${typeof key === 'string' ? ` on ${key}` : ''}: docs/security.md lists the rights.`;
}

/** What to do about an answer that tells more than that something failed. */
function hintFor(reason: string): string | undefined {
  if (reason.startsWith('READONLY ')) return 'Let store.url lead to the primary.';
  if (/^(MOVED|ASK|CROSSSLOT|CLUSTERDOWN) /.test(reason)) return 'Let store.url lead to a Redis that is not a node of a Cluster.';
  return undefined;
}

const FOREIGN_VALUE = 'Something else has written a key of this namespace: remove that key, or choose another store.namespace.';

/** More about a failed call. */
export interface FailureFacts {
  /** Why there is no connection, when there is none. */
  readonly lastTrouble: string | undefined;
  /** The commands that the call is made of, where it is more than one. */
  readonly commands?: readonly string[] | undefined;
}

/** The error for a failed call. */
export function unavailable(target: RedisTarget, error: unknown, { lastTrouble, commands }: FailureFacts): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  if (error instanceof TimedOutError)
    return new StoreUnavailableError(`Redis at ${target.address} did not answer within ${String(error.timeoutMs)} ms`);
  const reason = reasonOf(error);
  if (saysOnlyNotConnected(reason))
    return new StoreUnavailableError(`Redis at ${target.address} is not connected: ${lastTrouble ?? 'the connection was lost'}`);
  const message = `Redis at ${target.address} failed: ${reason}`;
  if (FULL.test(reason)) return new StoreFullError(message, undefined, 'Raise maxmemory of Redis, or remove what is not needed there.');
  if (reason.startsWith('WRONGTYPE ')) return new ForeignValueError(message, undefined, FOREIGN_VALUE);
  if (FORBIDDEN.test(reason)) return new StoreForbiddenError(message, undefined, missingRights(target.namespace, error, commands));
  return new StoreUnavailableError(message, undefined, hintFor(reason));
}
