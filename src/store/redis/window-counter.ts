import type { Redis } from 'ioredis';
import { StoreUnavailableError, type CounterState, type CounterTake } from '../store.ts';
import type { RedisConnection } from './connection.ts';
import { ServerScript } from './server-script.ts';

/**
 * ARGV: the limit, and the length of the window in milliseconds. The window begins with the first request in it and ends with the key, so
 * the clock is the server's, the same for all proxies. Replies whether there was a place, how many are taken, and for how long.
 */
const SCRIPT = `local left = redis.call('PTTL', KEYS[1])
if left < 1 then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[2])
  return {1, 1, tonumber(ARGV[2])}
end
local used = tonumber(redis.call('GET', KEYS[1]))
if used >= tonumber(ARGV[1]) then return {0, used, left} end
return {1, redis.call('INCR', KEYS[1]), left}`;

/** Counts requests in windows, exactly, over all clients of one server: by a script, or by a transaction where scripts are forbidden. */
export class WindowCounter {
  readonly #connection: RedisConnection;
  readonly #script: ServerScript;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#script = new ServerScript(connection, SCRIPT);
  }

  /** Takes a place, if there is one. One key and one command. */
  async take(key: string, { limit, windowMs }: CounterTake): Promise<CounterState> {
    const reply = await this.#script.run([key], [String(limit), String(windowMs)]);
    return reply === undefined ? this.#connection.call((client) => byTransaction(client, key, limit, windowMs)) : stateOf(reply);
  }
}

function stateOf(reply: unknown): CounterState {
  const [taken, used, resetMs] = Array.isArray(reply) ? (reply as unknown[]) : [];
  if (typeof taken !== 'number' || typeof used !== 'number' || typeof resetMs !== 'number')
    throw new StoreUnavailableError('Redis did not say how often the counter was used');
  return { taken: taken === 1, used, resetMs };
}

/** The same, but refused requests are counted, too; that changes nothing, because they do not lengthen the window. */
async function byTransaction(client: Redis, key: string, limit: number, windowMs: number): Promise<CounterState> {
  const replies = await client.multi().set(key, 0, 'PX', windowMs, 'NX').incr(key).pttl(key).exec();
  for (const [error] of replies ?? []) if (error !== null) throw error;
  const [, used] = replies?.[1] ?? [];
  const [, left] = replies?.[2] ?? [];
  return stateOf([Number(used) <= limit ? 1 : 0, typeof used === 'number' ? Math.min(used, limit) : used, left]);
}
