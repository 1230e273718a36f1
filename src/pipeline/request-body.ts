import { hash } from 'node:crypto';
import { AlterError } from '../errors.ts';
import { BodyCollector, type BodyCollectorOptions } from '../message/body-collector.ts';
import type { BodyLength, BodySink, BodySource } from '../message/body.ts';
import type { HeaderList } from '../message/header-list.ts';
import { MemoryBody } from '../message/memory-body.ts';
import type { MemoryBudget } from '../message/memory-budget.ts';
import { BegunBody } from './begun-body.ts';
import { BodySpool, type BodySpoolLimits, type SpooledContent } from './body-spool.ts';
import { SpooledBody } from './spooled-body.ts';

/** Hears of the body of an exchange. */
export interface BodyObserver {
  /** Bytes have come from the client. */
  received(bytes: number): void;
  /** Memory for what is read whole. */
  readonly bodyMemory: MemoryBudget;
  /** Where a body goes that is to be hashed and does not fit there; undefined: nowhere. */
  readonly bodySpool: BodySpoolLimits | undefined;
}

/** What a rule that signs the whole needs of it. */
export interface BodyDigest {
  /** SHA-256 in hex. */
  readonly sha256: string;
  readonly bytes: number;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** The body that the client sends: flows through and is counted, or is read whole, once, by whoever asks first. */
export class RequestBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #length: BodyLength;
  readonly #observer: BodyObserver;
  #sink: BodySink | undefined;
  /** Takes the whole body as it comes. */
  #taker: BodyCollector | BodySpool | undefined;
  #reading: Promise<Buffer | SpooledContent> | undefined;
  #content: Buffer | undefined;
  #spooled: SpooledContent | undefined;
  /** What was too long to be looked at, from its beginning on. */
  #begun: BegunBody | undefined;
  /** Why it could not be read: some of it is lost. */
  #failure: AlterError | undefined;
  /** Bytes of memory that were taken. */
  #taken = 0;
  #closed = false;

  constructor(source: BodySource, length: BodyLength, observer: BodyObserver) {
    this.#source = source;
    this.#length = length;
    this.#observer = observer;
  }

  /** The whole content, once it has been read. */
  get content(): Buffer | undefined {
    return this.#content;
  }

  /** Length of the whole, once it is here, in memory or in a file: then it can leave any number of times. */
  get wholeBytes(): number | undefined {
    return this.#content?.length ?? this.#spooled?.file.length;
  }

  /**
   * The whole content; the same for everybody who asks. Rejects with AlterError: `body_too_large_to_sign` above `maxBytes`, what the client's
   * framing earns, and when the exchange ends meanwhile.
   */
  async read(maxBytes: number): Promise<Buffer> {
    if (this.#announces(maxBytes)) throw tooLarge(maxBytes);
    if (this.#closed) throw ended();
    this.#reading ??= this.#collect(maxBytes);
    const content = await this.#reading;
    // What lies in a file was too large for the memory of whoever asked first.
    if (!Buffer.isBuffer(content) || content.length > maxBytes) throw tooLarge(maxBytes);
    return content;
  }

  /**
   * The whole content when that is at most `maxBytes`, else undefined; in either case it can be read or leave afterwards as if nobody had
   * looked. To be asked before anybody reads it. Rejects as {@link RequestBody.read}, but for `body_too_large_to_sign`.
   */
  async peek(maxBytes: number): Promise<Buffer | undefined> {
    if (this.#announces(maxBytes)) return undefined;
    if (this.#closed) throw ended();
    const content = await new Promise<Buffer | undefined>((resolve, reject) => {
      this.#collectInto(maxBytes, resolve, reject, (collected, chunk) => {
        this.#taker = undefined;
        this.#begun = new BegunBody(this.#source, [collected, chunk]);
        resolve(undefined);
        return false;
      });
    });
    if (content !== undefined) this.#reading = Promise.resolve(content);
    return content;
  }

  /**
   * The hash of the whole content. Up to `maxBytes` it is read as by {@link RequestBody.read}; beyond, it goes to a file, where that is allowed.
   * Rejects as there, and with `body_spool_failed`.
   */
  async digest(maxBytes: number): Promise<BodyDigest> {
    const { bodySpool } = this.#observer;
    const limit = Math.max(maxBytes, bodySpool?.maxBytes ?? 0);
    if (this.#announces(limit)) throw tooLarge(limit);
    if (this.#closed) throw ended();
    const spool = limit > maxBytes ? bodySpool : undefined;
    this.#reading ??= spool !== undefined && this.#announces(maxBytes) ? this.#spool(spool) : this.#collect(maxBytes, spool);
    const digest = digestOf(await this.#reading);
    if (digest.bytes > limit) throw tooLarge(limit);
    return digest;
  }

  /** The body on its way: from memory or the file when it is here as a whole, and then any number of times. */
  leaving(): BodySource {
    if (this.#spooled !== undefined) return new SpooledBody(this.#spooled.file);
    return this.#content === undefined ? this : new MemoryBody(this.#content);
  }

  /** The exchange is over: nobody waits for the content any more. */
  close(): void {
    this.#closed = true;
    this.#content = undefined;
    this.#begun = undefined;
    this.#taker?.close(ended());
    void this.#spooled?.file.close();
    this.#spooled = undefined;
    this.#giveBack();
  }

  start(sink: BodySink): void {
    if (this.#failure !== undefined) {
      sink.abort(this.#failure);
      return;
    }
    this.#sink = sink;
    if (this.#begun === undefined) this.#source.start(this);
    else this.#begun.start(this.#taking());
  }

  resume(): void {
    (this.#begun ?? this.#source).resume();
  }

  cancel(cause: Error): void {
    (this.#begun ?? this.#source).cancel(cause);
  }

  write(chunk: Buffer): boolean {
    this.#observer.received(chunk.length);
    return (this.#begun ?? this.#sink)?.write(chunk) ?? true;
  }

  end(trailers?: HeaderList): void {
    (this.#begun ?? this.#sink)?.end(trailers);
  }

  abort(cause: Error): void {
    (this.#begun ?? this.#sink)?.abort(cause);
  }

  /** Whoever takes the body at the time: that changes when it goes to a file. */
  #taking(): BodySink {
    return {
      write: (chunk) => this.#sink?.write(chunk) ?? true,
      end: (trailers) => this.#sink?.end(trailers),
      abort: (cause) => this.#sink?.abort(cause),
    };
  }

  #collect(maxBytes: number, spool?: BodySpoolLimits): Promise<Buffer | SpooledContent> {
    return new Promise<Buffer | SpooledContent>((resolve, reject) => {
      const spill = spool && ((collected: Buffer, chunk: Buffer) => this.#spoolInto(spool, collected, resolve, reject).write(chunk));
      this.#collectInto(maxBytes, resolve, reject, spill);
    });
  }

  #collectInto(
    maxBytes: number,
    resolve: (content: Buffer) => void,
    reject: (error: AlterError) => void,
    spill: BodyCollectorOptions['spill'],
  ): void {
    const done = (content: Buffer): void => {
      this.#taker = undefined;
      this.#content = content;
      resolve(content);
    };
    const failed = this.#failing(reject);
    const take = (bytes: number): boolean => this.#take(bytes);
    const limits = { maxBytes, take, done, failed, tooLarge: () => tooLarge(maxBytes) };
    const collector = new BodyCollector(this, spill === undefined ? limits : { ...limits, spill });
    this.#taker = collector;
    collector.start();
  }

  #spool(spool: BodySpoolLimits): Promise<SpooledContent> {
    return new Promise<SpooledContent>((resolve, reject) => {
      this.start(this.#spoolInto(spool, NOTHING, resolve, reject));
    });
  }

  /** From here on the body goes to a file, after what was collected of it. */
  #spoolInto(
    spool: BodySpoolLimits,
    collected: Buffer,
    resolve: (content: SpooledContent) => void,
    reject: (error: AlterError) => void,
  ): BodySpool {
    const done = (content: SpooledContent): void => {
      this.#taker = undefined;
      this.#spooled = content;
      resolve(content);
    };
    const memoryFree = (): void => {
      this.#giveBack();
    };
    const failed = this.#failing(reject);
    const taker = new BodySpool(this, collected, { ...spool, done, failed, memoryFree, tooLarge: () => tooLarge(spool.maxBytes) });
    this.#sink = this.#taker = taker;
    return taker;
  }

  #failing(reject: (error: AlterError) => void): (error: AlterError) => void {
    return (error) => {
      this.#taker = undefined;
      this.#failure = error;
      reject(error);
    };
  }

  #announces(moreThan: number): boolean {
    return this.#length.kind === 'length' && this.#length.bytes > moreThan;
  }

  #take(bytes: number): boolean {
    if (!this.#observer.bodyMemory.take(bytes)) return false;
    this.#taken += bytes;
    return true;
  }

  #giveBack(): void {
    this.#observer.bodyMemory.give(this.#taken);
    this.#taken = 0;
  }
}

function digestOf(whole: Buffer | SpooledContent): BodyDigest {
  if (Buffer.isBuffer(whole)) return { sha256: hash('sha256', whole, 'hex'), bytes: whole.length };
  return { sha256: whole.sha256, bytes: whole.file.length };
}

function ended(): AlterError {
  return new AlterError('internal_error', { detail: 'the exchange ended while its body was read' });
}

function tooLarge(maxBytes: number): AlterError {
  return new AlterError('body_too_large_to_sign', { detail: `the credential goes with at most ${String(maxBytes)} bytes of body` });
}
