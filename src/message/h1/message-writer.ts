import type { HeaderList } from '../header-list.ts';
import type { ResponseBodyLength } from './body-reader.ts';
import { CHUNK_END, chunkHeader, gather, lastChunk } from './serialise.ts';

/** Where a {@link MessageWriter} writes: a socket. */
export interface ByteOutput {
  write(bytes: Buffer): unknown;
  /** Bytes that were written and have not left yet. */
  readonly writableLength: number;
  cork(): void;
  uncork(): void;
}

/** Waiting parts up to this many bytes are copied into one buffer; larger ones are handed over as they are, in one vectored write. */
const MAX_COPIED = 16 * 1024;
/** Parts of this many bytes wait no longer. */
const MAX_WAITING = 64 * 1024;
/** Bytes that may wait in the output before the source of the body is paused. */
const MAX_QUEUED = 128 * 1024;

/**
 * Writes one message after another to a connection, each part in as few writes as its arrival allows: what comes within one turn of the event
 * loop leaves together at its end. A TLS write costs more than the copy of its bytes; and where many connections are busy, a peer that is
 * written to once a turn is woken once, not for each message. Nothing is held without {@link flush} having been asked for through `schedule`.
 */
export class MessageWriter {
  readonly #output: ByteOutput;
  readonly #schedule: () => void;
  #parts: (string | Buffer)[] = [];
  #size = 0;
  #scheduled = false;
  #framing: ResponseBodyLength['kind'] = 'none';
  /** Bytes of the body that are still to come, with framing `length`. */
  #left = 0;
  /** Parts of the message that was begun last have been written. */
  #begun = true;

  /** `schedule` has {@link flush} called once the events of this turn of the event loop have been seen. */
  constructor(output: ByteOutput, schedule: () => void) {
    this.#output = output;
    this.#schedule = schedule;
  }

  /** Whether the output holds so much that the source of the body should pause until it drains. */
  get isFull(): boolean {
    return this.#output.writableLength > MAX_QUEUED;
  }

  /** Whether some of the message that was begun last may have been written. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Whether something waits for the end of the turn. */
  get pending(): boolean {
    return this.#parts.length > 0;
  }

  /** Writes an informational head, which is no message of its own. */
  informational(text: string): void {
    this.#add(text);
    this.#later();
  }

  /** Writes a message without body. `text` is its head, one character an octet. */
  headOnly(text: string): void {
    this.#framing = 'none';
    this.#left = 0;
    this.#begun = this.#parts.length > 0;
    this.#add(text);
    this.#later();
  }

  /** Begins a message. `text` is its head, one character an octet, whose framing fields say `framing`. */
  head(text: string, framing: ResponseBodyLength): void {
    this.#framing = framing.kind;
    this.#left = framing.kind === 'length' ? framing.bytes : 0;
    this.#begun = this.#parts.length > 0;
    this.#add(text);
    this.#later();
  }

  /** Takes back the message that was begun by {@link head}; false, and nothing happens, when some of it has been written. */
  retract(): boolean {
    if (this.#begun) return false;
    this.#begun = true;
    this.#parts = [];
    this.#size = 0;
    return true;
  }

  /** A part of the body; false means: pause the source until the output drains. @throws Error when it is longer than announced. */
  data(chunk: Buffer): boolean {
    if (chunk.length > 0) {
      this.#addData(chunk);
      if (this.#size >= MAX_WAITING) this.flush();
      else this.#later();
    }
    return !this.isFull;
  }

  /** Ends the message. @throws Error when the body is shorter than announced. */
  end(trailers: HeaderList | undefined): void {
    if (this.#framing === 'chunked') this.#add(lastChunk(trailers));
    else if (this.#left > 0) throw new Error('the body is shorter than its Content-Length');
    this.#later();
  }

  /** Writes what waits. */
  flush(): void {
    this.#scheduled = false;
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    this.#begun = true;
    const size = this.#size;
    this.#size = 0;
    const [only] = parts;
    if (parts.length === 1 && typeof only === 'object') this.#output.write(only);
    else if (size <= MAX_COPIED) this.#output.write(gather(parts));
    else this.#writeParts(parts);
  }

  #addData(chunk: Buffer): void {
    if (this.#framing === 'chunked') {
      this.#add(chunkHeader(chunk.length));
      this.#add(chunk);
      this.#add(CHUNK_END);
      return;
    }
    if (this.#framing !== 'close') {
      this.#left -= chunk.length;
      if (this.#left < 0) throw new Error('the body is longer than its Content-Length');
    }
    this.#add(chunk);
  }

  #add(part: string | Buffer): void {
    this.#parts.push(part);
    this.#size += part.length;
  }

  #later(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule();
  }

  #writeParts(parts: readonly (string | Buffer)[]): void {
    this.#output.cork();
    for (const part of parts) this.#output.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    this.#output.uncork();
  }
}
