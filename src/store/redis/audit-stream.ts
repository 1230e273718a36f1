import type { ChainableCommander, Redis } from 'ioredis';
import { CommandError } from '../../errors.ts';
import { StoreUnavailableError, type NumberedEvents, type StoredEvent } from '../store.ts';
import type { RedisConnection, TroubleListener } from './connection.ts';
import { ServerScript } from './server-script.ts';

/** The one field of a stream entry: the event as JSON. */
const FIELD = 'e';
/** So many that the price of a command is shared by many events, and so few that Redis is back with its other clients within milliseconds. */
const EVENTS_PER_COMMAND = 500;

/** Last batches are kept in so many fields, by the first digits of their writer: those of processes that are gone give way in time. */
const FIELD_DIGITS = 3;

/**
 * ARGV: the bound of the stream (0: none), and the events, one a line: as arguments of their own they would cost the client four times as much.
 * Then, of numbered events, the field of their writer, the writer, and the number of the first. A batch that was taken already, or one that comes
 * late on a connection that was given up, is acknowledged and not appended. Replies how many events are there, and whether that was noted.
 */
const SCRIPT = `local noted = 1
if ARGV[3] then
  local last = redis.pcall('HGET', KEYS[2], ARGV[3])
  if type(last) == 'string' then
    local writer, first = string.match(last, '^(%x+) (%d+)$')
    if writer == ARGV[4] and tonumber(first) >= tonumber(ARGV[5]) then
      local _, lines = string.gsub(ARGV[2], '\\n', '')
      return {lines + 1, 1}
    end
  end
end
local count = 0
for event in string.gmatch(ARGV[2], '[^\\n]+') do
  if ARGV[1] == '0' then redis.call('XADD', KEYS[1], '*', '${FIELD}', event)
  else redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', '${FIELD}', event) end
  count = count + 1
end
if ARGV[3] and type(redis.pcall('HSET', KEYS[2], ARGV[3], ARGV[4] .. ' ' .. ARGV[5])) == 'table' then noted = 0 end
return {count, noted}`;

/** The ACL may allow XADD and not this: a script needs the right to read the stream, too. Where XADD is forbidden as well, that is told. */
const NO_SCRIPT = /^NOPERM |^ERR unknown command .?eval/i;

/** What an {@link AuditAppender} needs. */
export interface AuditAppenderOptions {
  readonly connection: RedisConnection;
  /** `host:port`, for messages. */
  readonly address: string;
  /** Approximate length at which streams are trimmed. 0: never. */
  readonly maxStream: number;
  readonly onTrouble?: TroubleListener | undefined;
}

/** The stream, and the hash that tells which batches were taken last. */
export interface AuditKeys {
  readonly stream: string;
  readonly taken: string;
}

/** Appends events to streams: many with one command by a script, or one command each where scripts are forbidden, which it tells once. */
export class AuditAppender {
  readonly #options: AuditAppenderOptions;
  readonly #script: ServerScript;
  readonly #told = new Set<string>();

  constructor(options: AuditAppenderOptions) {
    this.#options = options;
    this.#script = new ServerScript(options.connection, SCRIPT, NO_SCRIPT);
  }

  /**
   * Appends `events` in order. Rejects with StoreUnavailableError when one was not acknowledged; they may have been written all the same. A
   * second attempt with the same numbers does not double them; without numbers, or where scripts are forbidden, it can, and their id tells.
   */
  async append({ stream, taken }: AuditKeys, events: readonly string[], numbered?: NumberedEvents): Promise<void> {
    const { connection, maxStream } = this.#options;
    for (let start = 0; start < events.length; start += EVENTS_PER_COMMAND) {
      const some = events.slice(start, start + EVENTS_PER_COMMAND);
      const args = [String(maxStream), some.join('\n')];
      const reply =
        numbered === undefined
          ? await this.#script.run([stream], args)
          : await this.#script.run([stream, taken], [...args, ...numbersOf(numbered, start)]);
      if (reply === undefined) {
        await connection.call((client) => appendOneByOne(client, stream, some, maxStream));
        this.#tell('allows no EVALSHA and EVAL on the audit stream: each event is a command of its own, which costs more CPU');
        continue;
      }
      const [count, noted] = Array.isArray(reply) ? (reply as unknown[]) : [];
      if (count !== some.length) throw new StoreUnavailableError('Redis did not acknowledge the audit events');
      if (noted !== 1)
        this.#tell('allows no HGET and HSET beside the audit stream: when it has not answered in time, events may stand there twice');
    }
  }

  /** Each thing once. */
  #tell(what: string): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    const { address, onTrouble } = this.#options;
    onTrouble?.(`Redis at ${address} ${what}`);
  }
}

function numbersOf({ writer, first }: NumberedEvents, start: number): string[] {
  return [writer.slice(0, FIELD_DIGITS), writer, String(first + start)];
}

async function appendOneByOne(client: Redis, stream: string, events: readonly string[], maxStream: number): Promise<void> {
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
