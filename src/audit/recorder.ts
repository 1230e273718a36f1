import { randomBytes } from 'node:crypto';
import { AlterError } from '../errors.ts';
import type { AuditDraft, AuditEvent, EventSource } from './event.ts';
import { EventWriter } from './event-json.ts';
import { EventQueue } from './event-queue.ts';

/** Where audit events go. */
export interface AuditSink {
  /** All events are kept, or it rejects and none is known to be. By the numbers a sink can tell what it is sent again. */
  appendEvents(app: string, events: readonly string[], numbered: { readonly writer: string; readonly first: number }): Promise<void>;
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
  /** How long events wait for others to leave with, in milliseconds. 5 unless told. */
  readonly gatherMs?: number;
  /** Hears of each use of a grant that was admitted. */
  readonly uses?: { note(grantId: string): void };
  readonly log: { error(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** So many digits of a writer name its process in events. */
const PROCESS_DIGITS = 8;
const GATHER_MS = 5;
/** A batch that has this many events waits for no others. */
const ENOUGH = 500;
const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 2000;
/** Denials and changes may still be recorded when uses may not: up to this many times `maxQueue`. */
const DENIAL_HEADROOM = 2;

/**
 * Takes audit events and writes them to the sink in batches, in order, off the request path. The first event of a batch waits some
 * milliseconds for others, because a command costs the proxy as much as many events. A place is reserved before a credential leaves
 * ({@link admit}), so an admitted exchange always has room for its event. A batch that fails is sent again, under the same number, until it is
 * taken; a store that cannot keep numbers may double it when an acknowledgement is lost, and the event id lets a reader drop that.
 */
export class Recorder implements AuditSink {
  readonly #options: RecorderOptions;
  readonly #source: EventSource;
  readonly #text: EventWriter;
  readonly #queue = new EventQueue();
  #reserved = 0;
  #seq = 0;
  /** Each recorder is a writer of its own: 128 bits, because two that were taken for one would lose events. */
  readonly #writer = randomBytes(16).toString('hex');
  /** Events that the sink has taken. */
  #taken = 0;
  #lost = 0;
  #gathering = false;
  /** Nothing waits for others any more. */
  #closing = false;
  /** Nothing is sent any more. */
  #closed = false;
  #pump: Promise<void> | undefined;
  #wake: (() => void) | undefined;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#source = { proxy: options.proxy, process: this.#writer.slice(0, PROCESS_DIGITS) };
    this.#text = new EventWriter(this.#source);
  }

  /** Events waiting for the sink. */
  get waiting(): number {
    return this.#queue.length;
  }

  /** Events that found no room; each was written to the log instead. */
  get lost(): number {
    return this.#lost;
  }

  /** @throws AlterError `audit_unavailable` when there is no room for the event of one more use, or of a change that {@link appendEvents} takes. */
  requireRoom(): void {
    if (this.#queue.length + this.#reserved >= this.#options.maxQueue) throw new AlterError('audit_unavailable');
  }

  /**
   * Reserves room for one event.
   * @throws AlterError `audit_unavailable` when the bound is reached.
   */
  admit(): void {
    this.requireRoom();
    this.#reserved += 1;
    this.#sendWhenEnough();
  }

  /** Records an event; `admitted` says whether {@link admit} was called for it. */
  record(draft: AuditDraft, admitted: boolean): void {
    if (admitted) {
      this.#reserved -= 1;
      if (draft.grantId !== null) this.#options.uses?.note(draft.grantId);
    }
    this.#seq += 1;
    if (this.#closed || (!admitted && this.#isOverfull())) {
      const event: AuditEvent = { v: 1, ...draft, ...this.#source, seq: this.#seq };
      this.#keepInLog(event);
      return;
    }
    this.#push(this.#text.write(draft, this.#seq));
  }

  /** Takes whole events, of changes that the proxy makes itself; they wait and are sent again like all others. It does not reject. */
  appendEvents(_app: string, events: readonly string[]): Promise<void> {
    for (const json of events) {
      if (this.#closed || this.#isOverfull()) this.#keepInLog(JSON.parse(json));
      else this.#push(json);
    }
    return Promise.resolve();
  }

  /** Writes what is waiting, at once and for at most `deadlineMs`; what is left then goes to the log. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true;
    this.#wake?.();
    const timer = setTimeout(() => {
      this.#closed = true;
      this.#wake?.();
    }, deadlineMs);
    while (this.#pump !== undefined) await this.#pump;
    clearTimeout(timer);
    this.#closed = true;
    while (this.#queue.length > 0) {
      for (const event of this.#queue.first())
        this.#options.log.error({ event: JSON.parse(event) as unknown }, 'audit event could not be stored before the stop');
      this.#queue.drop();
    }
  }

  #push(json: string): void {
    this.#queue.push(json);
    this.#sendWhenEnough();
    this.#pump ??= this.#run();
  }

  #isOverfull(): boolean {
    return this.#queue.length >= this.#options.maxQueue * DENIAL_HEADROOM;
  }

  #keepInLog(event: unknown): void {
    this.#lost += 1;
    this.#options.log.error({ event }, 'audit event found no room in the queue and is kept in this log line only');
  }

  async #run(): Promise<void> {
    let delay = RETRY_MIN_MS;
    while (this.#queue.length > 0 && !this.#closed) {
      await this.#gather();
      try {
        const batch = this.#queue.first();
        await this.#options.sink.appendEvents(this.#options.app, batch, { writer: this.#writer, first: this.#taken });
        this.#taken += batch.length;
        this.#queue.drop();
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

  /** Waits for more events: until there are enough, the time is over, or the recorder closes; in any case until those of this turn are in. */
  async #gather(): Promise<void> {
    if (this.#closing || this.#hasEnough()) {
      await new Promise((resolve) => setImmediate(resolve));
      return;
    }
    this.#gathering = true;
    await this.#pause(this.#options.gatherMs ?? GATHER_MS);
    this.#gathering = false;
  }

  /** A full batch, or a queue so short that requests might be denied while events wait for company. */
  #hasEnough(): boolean {
    const { length } = this.#queue;
    return length >= ENOUGH || length + this.#reserved >= this.#options.maxQueue / 2;
  }

  #sendWhenEnough(): void {
    if (this.#gathering && this.#hasEnough()) this.#wake?.();
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
