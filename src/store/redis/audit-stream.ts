import type { ChainableCommander, Redis } from 'ioredis';
import { CommandError } from '../../errors.ts';
import { StoreUnavailableError, type StoredEvent } from '../store.ts';
import type { RedisConnection } from './connection.ts';

/** The one field of a stream entry: the event as JSON. */
const FIELD = 'e';
const EVENTS_PER_PIPELINE = 500;

/**
 * Appends `events` in order, trimming to about `maxStream` (0: never). Rejects when one was not acknowledged: those before it
 * may have been written, so a second attempt can double them; they carry an id for that.
 */
export async function appendToStream(
  connection: RedisConnection,
  stream: string,
  events: readonly string[],
  maxStream: number,
): Promise<void> {
  for (let start = 0; start < events.length; start += EVENTS_PER_PIPELINE) {
    const some = events.slice(start, start + EVENTS_PER_PIPELINE);
    await connection.call((client) => appendSome(client, stream, some, maxStream));
  }
}

async function appendSome(client: Redis, stream: string, events: readonly string[], maxStream: number): Promise<void> {
  const pipeline = client.pipeline();
  for (const json of events) add(pipeline, stream, json, maxStream);
  const replies = await pipeline.exec();
  if (replies === null) throw new StoreUnavailableError('Redis did not acknowledge the audit events');
  for (const [error] of replies) if (error !== null) throw error;
}

function add(pipeline: ChainableCommander, stream: string, json: string, maxStream: number): void {
  if (maxStream > 0) pipeline.xadd(stream, 'MAXLEN', '~', maxStream, '*', FIELD, json);
  else pipeline.xadd(stream, '*', FIELD, json);
}

/** Up to `limit` events after `position`, or the last ones when it is undefined; oldest first. */
export async function readStream(client: Redis, stream: string, after: string | undefined, limit: number): Promise<StoredEvent[]> {
  if (after !== undefined) return (await client.xrange(stream, `(${after}`, '+', 'COUNT', limit)).map(storedEvent);
  return (await client.xrevrange(stream, '+', '-', 'COUNT', limit)).map(storedEvent).reverse();
}

function storedEvent([position, fields]: [string, string[]]): StoredEvent {
  const json = fields[fields.findIndex((name, at) => at % 2 === 0 && name === FIELD) + 1];
  if (fields.length < 2 || json === undefined) throw new StoreUnavailableError(`Entry ${position} of the audit stream is not an event`);
  return { position, json };
}

/** Throws CommandError `usage` when `text` is not the id of a stream entry. */
export function requireStreamPosition(text: string): void {
  if (!/^\d{1,20}-\d{1,20}$/.test(text)) throw new CommandError('usage', 'This is not a position of the audit stream.');
}
