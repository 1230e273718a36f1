import type { Redis } from 'ioredis';
import { StoreUnavailableError } from '../store.ts';
import { RedisConnection } from './connection.ts';
import { StoreFullError } from './failure.ts';
import { ServerScript } from './server-script.ts';
import type { RedisTarget } from './target.ts';

/** ARGV: whether a value is expected, that value, whether a value is to be written, that value. */
const SCRIPT = `local now = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
  if now ~= ARGV[2] then return 0 end
elseif now then return 0 end
if ARGV[3] == '1' then redis.call('SET', KEYS[1], ARGV[4]) else redis.call('DEL', KEYS[1]) end
return 1`;
/** The same where memory is full: a record that changes is as large as before, and a grant must be revocable. Redis 7 and later. */
const WHEN_FULL = `#!lua flags=allow-oom\n${SCRIPT}`;
const MAX_RACES = 20;

/** Atomic compare-and-set on one key: by a script, or by WATCH where scripts are forbidden. */
export class CompareAndSet {
  readonly #script: ServerScript;
  readonly #whenFull: ServerScript;
  readonly #target: RedisTarget;
  #watching: { readonly connection: RedisConnection; last: Promise<unknown> } | undefined;

  constructor(connection: RedisConnection, target: RedisTarget) {
    this.#script = new ServerScript(connection, SCRIPT);
    this.#whenFull = new ServerScript(connection, WHEN_FULL);
    this.#target = target;
  }

  /** Writes `value` (undefined deletes) only if the key holds `expected` (undefined: is absent); says whether it did. */
  async run(key: string, expected: string | undefined, value: string | undefined): Promise<boolean> {
    const reply = await this.#runScript(key, expected, value);
    if (reply !== undefined) return reply === 1;
    return this.#inTurn((connection) => byWatch(connection, key, expected, value));
  }

  async #runScript(key: string, expected: string | undefined, value: string | undefined): Promise<unknown> {
    const args = [...optional(expected), ...optional(value)];
    try {
      return await this.#script.run([key], args);
    } catch (error) {
      if (expected === undefined || !(error instanceof StoreFullError)) throw error;
      // A server that does not know the flag says so, which is not what the operator should hear.
      return this.#whenFull.run([key], args).catch(() => Promise.reject(error));
    }
  }

  close(): void {
    this.#watching?.connection.close();
  }

  /** WATCH is state of a connection: one compare-and-set at a time, on a connection of its own. */
  async #inTurn(action: (connection: RedisConnection) => Promise<boolean>): Promise<boolean> {
    this.#watching ??= { connection: new RedisConnection(this.#target), last: Promise.resolve() };
    const watching = this.#watching;
    const result = watching.last.then(async () => {
      await watching.connection.start();
      return action(watching.connection);
    });
    watching.last = result.catch(() => undefined); // The caller of that turn has its rejection.
    return result;
  }
}

function optional(value: string | undefined): [string, string] {
  return value === undefined ? ['0', ''] : ['1', value];
}

async function byWatch(
  connection: RedisConnection,
  key: string,
  expected: string | undefined,
  value: string | undefined,
): Promise<boolean> {
  try {
    return await watchUntilDecided(connection, key, expected, value);
  } catch (error) {
    connection.reset(); // Whatever is still watched there must not decide about the next one.
    throw error;
  }
}

async function watchUntilDecided(
  connection: RedisConnection,
  key: string,
  expected: string | undefined,
  value: string | undefined,
): Promise<boolean> {
  for (let race = 0; race < MAX_RACES; race++) {
    await connection.call((client) => client.watch(key));
    const now = await connection.call((client) => client.get(key));
    if ((now ?? undefined) !== expected) {
      await connection.call((client) => client.unwatch());
      return false;
    }
    if (await connection.call((client) => writeUnlessTouched(client, key, value))) return true;
  }
  throw new StoreUnavailableError('The record is changed too often by others');
}

/** False: somebody wrote the key after it was watched, and it must be compared again. */
async function writeUnlessTouched(client: Redis, key: string, value: string | undefined): Promise<boolean> {
  const transaction = value === undefined ? client.multi().del(key) : client.multi().set(key, value);
  const replies = await transaction.exec();
  for (const [error] of replies ?? []) if (error !== null) throw error;
  return replies !== null;
}
