import type { ChainableCommander, Redis } from 'ioredis';
import { CommandError } from '../../errors.ts';
import { StoreUnavailableError, type StoredEvent } from '../store.ts';
import type { RedisConnection, TroubleListener } from './connection.ts';
import { ServerScript } from './server-script.ts';

/** The one field of a stream entry: the event as JSON. */
const FIELD = 'e';
/** So many that the price of a command is shared by many events, and so few that Redis is back with its other clients within milliseconds. */
const EVENTS_PER_COMMAND = 500;

/** ARGV: the bound of the stream (0: none), then the events; each becomes an entry of its own. */
const SCRIPT = `for n = 2, #ARGV do
  if ARGV[1] == '0' then redis.call('XADD', KEYS[1], '*', '${FIELD}', ARGV[n])
  else redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '*', '${FIELD}', ARGV[n]) end
end
return #ARGV - 1`;

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

/** Appends events to streams: many with one command by a script, or one command each where scripts are forbidden, which it tells once. */
export class AuditAppender {
  readonly #options: AuditAppenderOptions;
  readonly #script: ServerScript;
  #told = false;

  constructor(options: AuditAppenderOptions) {
    this.#options = options;
    this.#script = new ServerScript(options.connection, SCRIPT, NO_SCRIPT);
  }

  /**
   * Appends `events` in order. Rejects with StoreUnavailableError when one was not acknowledged: those before it may have been
   * written, so a second attempt can double them; they carry an id for that.
   */
  async append(stream: string, events: readonly string[]): Promise<void> {
    const { connection, maxStream } = this.#options;
    for (let start = 0; start < events.length; start += EVENTS_PER_COMMAND) {
      const some = events.slice(start, start + EVENTS_PER_COMMAND);
      const reply = await this.#script.run(stream, [String(maxStream), ...some]);
      if (reply !== undefined) continue;
      await connection.call((client) => appendOneByOne(client, stream, some, maxStream));
      this.#tell();
    }
  }

  #tell(): void {
    if (this.#told) return;
    this.#told = true;
    const { address, onTrouble } = this.#options;
    onTrouble?.(
      `Redis at ${address} allows no EVALSHA and EVAL on the audit stream: each event is a command of its own, which costs more CPU`,
    );
  }
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
