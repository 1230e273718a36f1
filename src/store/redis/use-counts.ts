import type { Redis } from 'ioredis';
import { StoreUnavailableError, type Uses } from '../store.ts';
import type { RedisConnection } from './connection.ts';
import { ServerScript } from './server-script.ts';

/** ARGV: id, count and instant of the last use, for each grant. */
const SCRIPT = `for n = 1, #ARGV, 3 do
  redis.call('HINCRBY', KEYS[1], ARGV[n] .. ':n', ARGV[n + 1])
  local last = redis.call('HGET', KEYS[1], ARGV[n] .. ':t')
  if not last or tonumber(last) < tonumber(ARGV[n + 2]) then redis.call('HSET', KEYS[1], ARGV[n] .. ':t', ARGV[n + 2]) end
end
return 1`;
/** So few that Redis is back with its other clients within milliseconds. */
const GRANTS_PER_COMMAND = 500;

/** Counts of uses in one hash an app. */
export class UseCounts {
  readonly #connection: RedisConnection;
  readonly #script: ServerScript;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#script = new ServerScript(connection, SCRIPT);
  }

  /** Adds `uses`. Rejects with StoreUnavailableError; some may have been added then. */
  async add(key: string, uses: readonly Uses[]): Promise<void> {
    for (const some of inParts(uses)) {
      const args = some.flatMap(({ id, count, lastAt }) => [id, String(count), String(lastAt)]);
      if ((await this.#script.run([key], args)) === undefined) await this.#addOneByOne(key, some);
    }
  }

  /** Without scripts two writers at the same time may leave the earlier of their two last uses. */
  async #addOneByOne(key: string, uses: readonly Uses[]): Promise<void> {
    const ids = uses.map(({ id }) => id);
    const last = new Map((await this.read(key, ids)).map(({ id, lastAt }) => [id, lastAt]));
    const later = uses.map((use) => ({ ...use, lastAt: Math.max(use.lastAt, last.get(use.id) ?? 0) }));
    await this.#connection.call((client) => writeOneByOne(client, key, later));
  }

  async read(key: string, ids: readonly string[]): Promise<readonly Uses[]> {
    const found: Uses[] = [];
    for (const some of inParts(ids)) {
      const fields = some.flatMap((id) => [`${id}:n`, `${id}:t`]);
      const values = await this.#connection.call((client) => client.hmget(key, ...fields));
      some.forEach((id, at) => {
        const count = values[2 * at];
        if (typeof count === 'string') found.push({ id, count: Number(count), lastAt: Number(values[2 * at + 1] ?? 0) });
      });
    }
    return found;
  }
}

async function writeOneByOne(client: Redis, key: string, uses: readonly Uses[]): Promise<void> {
  const pipeline = client.pipeline();
  for (const { id, count, lastAt } of uses) pipeline.hincrby(key, `${id}:n`, count).hset(key, `${id}:t`, String(lastAt));
  const replies = await pipeline.exec();
  if (replies === null) throw new StoreUnavailableError('Redis did not acknowledge the counts of uses');
  for (const [error] of replies) if (error !== null) throw error;
}

function* inParts<T>(all: readonly T[]): Generator<readonly T[], void, undefined> {
  for (let start = 0; start < all.length; start += GRANTS_PER_COMMAND) yield all.slice(start, start + GRANTS_PER_COMMAND);
}
