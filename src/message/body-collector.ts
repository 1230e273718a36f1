import { AlterError } from '../errors.ts';
import type { BodySink, BodySource } from './body.ts';

const FIRST_BYTES = 16 * 1024;
const RETRY_AFTER_S = 1;
const NOTHING: Buffer = Buffer.alloc(0);

/** What a {@link BodyCollector} is given. Exactly one of `done` and `failed` is called, once. */
export interface BodyCollectorOptions {
  readonly maxBytes: number;
  /** Whether so many bytes more of memory may be used. */
  readonly take: (bytes: number) => boolean;
  readonly done: (content: Buffer) => void;
  readonly failed: (error: AlterError) => void;
  /** The error for a body above `maxBytes`. */
  readonly tooLarge: () => AlterError;
  /**
   * Takes over a body that turns out to be above `maxBytes`, with what was collected and the chunk that did not fit, and answers as
   * {@link BodySink.write}. Then neither `done` nor `failed` is called, and the bytes that were taken are its to give back.
   */
  readonly spill?: (collected: Buffer, chunk: Buffer) => boolean;
}

/**
 * Reads a body into memory, up to a cap. Bytes are copied: chunks of a few bytes would each keep the whole of what the socket read alive.
 */
export class BodyCollector implements BodySink {
  readonly #source: BodySource;
  readonly #maxBytes: number;
  readonly #take: (bytes: number) => boolean;
  readonly #done: (content: Buffer) => void;
  readonly #failed: (error: AlterError) => void;
  readonly #tooLarge: () => AlterError;
  readonly #spill: BodyCollectorOptions['spill'];
  #bytes = NOTHING;
  #length = 0;
  #over = false;

  constructor(source: BodySource, options: BodyCollectorOptions) {
    this.#source = source;
    this.#maxBytes = options.maxBytes;
    this.#take = options.take;
    this.#done = options.done;
    this.#failed = options.failed;
    this.#tooLarge = options.tooLarge;
    this.#spill = options.spill;
  }

  start(): void {
    this.#source.start(this);
  }

  /** Nobody waits any more. */
  close(error: AlterError): void {
    if (this.#over) return;
    this.#fail(error);
    this.#source.cancel(error);
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    const length = this.#length + chunk.length;
    if (length > this.#maxBytes) {
      if (this.#spill !== undefined) return this.#handOver(this.#spill, chunk);
      this.close(this.#tooLarge());
      return true;
    }
    if (length > this.#bytes.length && !this.#grow(length)) return true;
    chunk.copy(this.#bytes, this.#length);
    this.#length = length;
    return true;
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#done(this.#bytes.subarray(0, this.#length));
  }

  abort(cause: Error): void {
    if (this.#over) return;
    this.#fail(cause instanceof AlterError ? cause : new AlterError('malformed_request', { detail: 'the body is incomplete', cause }));
  }

  #handOver(spill: (collected: Buffer, chunk: Buffer) => boolean, chunk: Buffer): boolean {
    const collected = this.#bytes.subarray(0, this.#length);
    this.#over = true;
    this.#bytes = NOTHING;
    return spill(collected, chunk);
  }

  #fail(error: AlterError): void {
    this.#over = true;
    this.#bytes = NOTHING;
    this.#failed(error);
  }

  /** Doubles what there is, at least; false, and all is over, when there is no memory for it. */
  #grow(needed: number): boolean {
    const size = Math.min(this.#maxBytes, Math.max(needed, FIRST_BYTES, this.#bytes.length * 2));
    if (!this.#take(size - this.#bytes.length)) {
      this.close(new AlterError('body_memory_full', { retryAfterS: RETRY_AFTER_S }));
      return false;
    }
    const larger = Buffer.allocUnsafeSlow(size);
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
    return true;
  }
}
