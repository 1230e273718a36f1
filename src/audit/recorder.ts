import { AlterError } from '../errors.ts';
import type { AuditEvent } from './event.ts';

/** An event without what the recorder adds. */
export type AuditDraft = Omit<AuditEvent, 'v' | 'proxy' | 'seq'>;

/** Where audit events go. */
export interface AuditSink {
  /** All events are kept, or it rejects and none is known to be. */
  appendEvents(app: string, events: readonly string[]): Promise<void>;
}

/** What a {@link Recorder} needs. */
export interface RecorderOptions {
  readonly sink: AuditSink;
  /** Stream for events of callers that did not authenticate. */
  readonly app: string;
  /** Name of this proxy. */
  readonly proxy: string;
  /** Events that may wait before uses of a grant are denied. */
  readonly maxQueue: number;
  readonly log: { error(fields: object, message: string): void; warn(fields: object, message: string): void };
}

const BATCH = 200;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2000;
/** Denials may still be recorded when uses may not: up to this many times `maxQueue`. */
const DENIAL_HEADROOM = 2;

/**
 * Takes audit events and writes them to the sink in batches, in order, off the request path. A place is reserved before
 * a credential leaves ({@link admit}), so an admitted exchange always has room for its event. A batch that fails is sent again until it is
 * taken; the event id lets a reader drop the double that a lost acknowledgement can make.
 */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #queue: string[] = [];
  #reserved = 0;
  #seq = 0;
  #lost = 0;
  #closed = false;
  #pump: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Events waiting for the sink. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Events that found no room; each was written to the log instead. */
  get lost(): number {
    return this.#lost;
  }

  /**
   * Reserves room for one event.
   * @throws AlterError `audit_unavailable` when the bound is reached.
   */
  admit(): void {
    if (this.#queue.length + this.#reserved >= this.#options.maxQueue) throw new AlterError('audit_unavailable');
    this.#reserved += 1;
  }

  /** Records an event; `admitted` says whether {@link admit} was called for it. */
  record(draft: AuditDraft, admitted: boolean): void {
    if (admitted) this.#reserved -= 1;
    this.#seq += 1;
    const event: AuditEvent = { v: 1, ...draft, proxy: this.#options.proxy, seq: this.#seq };
    if (this.#closed || (!admitted && this.#queue.length >= this.#options.maxQueue * DENIAL_HEADROOM)) {
      this.#lost += 1;
      this.#options.log.error({ event }, 'audit event found no room in the queue and is kept in this log line only');
      return;
    }
    this.#queue.push(JSON.stringify(event));
    this.#pump ??= this.#run();
  }

  /** Writes what is waiting, for at most `deadlineMs`; what is left then goes to the log. */
  async close(deadlineMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#closed = true;
      this.#wake?.();
    }, deadlineMs);
    await this.#pump;
    clearTimeout(timer);
    this.#closed = true;
    for (const event of this.#queue)
      this.#options.log.error({ event: JSON.parse(event) as unknown }, 'audit event could not be stored before the stop');
    this.#queue.length = 0;
  }

  async #run(): Promise<void> {
    // One turn of the event loop gathers the events of all requests that end in it.
    await new Promise((resolve) => setImmediate(resolve));
    let delay = RETRY_MIN_MS;
    while (this.#queue.length > 0 && !this.#closed) {
      const batch = this.#queue.slice(0, BATCH);
      try {
        await this.#options.sink.appendEvents(this.#options.app, batch);
        this.#queue.splice(0, batch.length);
        delay = RETRY_MIN_MS;
      } catch (error) {
        if (delay === RETRY_MIN_MS)
          this.#options.log.warn({ error, waiting: this.#queue.length }, 'audit events wait: the store does not take them');
        await this.#pause(delay);
        delay = Math.min(delay * 2, RETRY_MAX_MS);
      }
    }
    this.#pump = undefined;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
