import { createHash } from 'node:crypto';
import { AlterError } from '../errors.ts';
import type { BodySink, BodySource } from '../message/body.ts';
import { SpoolFile } from './spool-file.ts';

/** Bytes that are hashed, encrypted and written at once. */
const PIECE_BYTES = 256 * 1024;
/** The client is paused while more than this waits for the disk. */
const MAX_WAITING_BYTES = 2 * PIECE_BYTES;
const NOTHING: Buffer = Buffer.alloc(0);

/** Where bodies that do not fit into memory may be written, and how large ones. */
export interface BodySpoolLimits {
  readonly maxBytes: number;
  readonly folder: string;
  /** Told of bytes that were encrypted or decrypted: each time into memory of its own, which is garbage soon. */
  readonly ciphered: (bytes: number) => void;
}

/** A body that was written to a file. Who has it closes the file. */
export interface SpooledContent {
  readonly file: SpoolFile;
  /** SHA-256 in hex. */
  readonly sha256: string;
}

/** What a {@link BodySpool} is given. Exactly one of `done` and `failed` is called, once. */
export interface BodySpoolOptions extends BodySpoolLimits {
  readonly done: (content: SpooledContent) => void;
  readonly failed: (error: AlterError) => void;
  /** The error for a body above `maxBytes`. */
  readonly tooLarge: () => AlterError;
  /** What was in memory before is in the file. */
  readonly memoryFree: () => void;
}

/**
 * Hashes a body and writes it to a file, at the pace of the disk. Bytes are copied, and gathered to larger pieces: chunks of a few bytes would
 * each keep the whole of what the socket read alive.
 */
export class BodySpool implements BodySink {
  readonly #source: BodySource;
  readonly #options: BodySpoolOptions;
  readonly #hash = createHash('sha256');
  /** Pieces that wait for the disk, in order. */
  readonly #pieces: Buffer[] = [];
  #waiting = 0;
  #gathered = NOTHING;
  #gatheredLength = 0;
  /** A piece that was written: garbage of this size would pile up faster than it is collected. */
  #spare: Buffer | undefined;
  #length = 0;
  #paused = false;
  #ended = false;
  #over = false;
  #wake: (() => void) | undefined;
  /** What was in memory already. */
  #before: Buffer;

  constructor(source: BodySource, before: Buffer, options: BodySpoolOptions) {
    this.#source = source;
    this.#options = options;
    this.#before = before;
    this.#length = before.length;
    void this.#run();
  }

  /** Nobody waits any more. */
  close(error: AlterError): void {
    if (this.#over) return;
    this.#fail(error);
    this.#source.cancel(error);
  }

  write(chunk: Buffer): boolean {
    if (this.#over) return true;
    this.#length += chunk.length;
    if (this.#length > this.#options.maxBytes) {
      this.close(this.#options.tooLarge());
      return true;
    }
    this.#gather(chunk);
    // Once paused it stays so until the source is told to go on, whatever comes all the same.
    this.#paused ||= this.#before.length > 0 || this.#waiting > MAX_WAITING_BYTES;
    return !this.#paused;
  }

  end(): void {
    if (this.#over) return;
    this.#ended = true;
    this.#push();
    this.#wake?.();
  }

  abort(cause: Error): void {
    if (this.#over) return;
    this.#fail(cause instanceof AlterError ? cause : new AlterError('malformed_request', { detail: 'the body is incomplete', cause }));
  }

  /** The way of the bytes from memory to the file; never rejects. */
  async #run(): Promise<void> {
    let file: SpoolFile | undefined;
    try {
      file = await SpoolFile.create(this.#options.folder, this.#options.ciphered);
      await this.#writeBefore(file);
      for (let piece = await this.#next(); piece !== undefined; piece = await this.#next()) {
        await this.#add(file, piece);
        this.#spare = piece;
        this.#goOn();
      }
    } catch (cause) {
      this.close(new AlterError('body_spool_failed', { detail: 'the temporary file cannot be written', cause }));
    }
    if (this.#over || file === undefined) {
      await file?.close();
      return;
    }
    this.#over = true;
    this.#options.done({ file, sha256: this.#hash.digest('hex') });
  }

  async #writeBefore(file: SpoolFile): Promise<void> {
    for (let at = 0; at < this.#before.length; at += PIECE_BYTES) await this.#add(file, this.#before.subarray(at, at + PIECE_BYTES));
    this.#before = NOTHING;
    if (this.#over) return;
    this.#options.memoryFree();
    this.#goOn();
  }

  async #add(file: SpoolFile, piece: Buffer): Promise<void> {
    if (this.#over) return;
    this.#hash.update(piece);
    await file.append(piece);
  }

  /** The next piece, when it is there; undefined: there is none to come. */
  async #next(): Promise<Buffer | undefined> {
    while (!this.#over) {
      const piece = this.#pieces.shift();
      this.#waiting -= piece?.length ?? 0;
      if (piece !== undefined || this.#ended) return piece;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return undefined;
  }

  #goOn(): void {
    if (this.#over || !this.#paused || this.#waiting > MAX_WAITING_BYTES) return;
    this.#paused = false;
    this.#source.resume();
  }

  #gather(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#gathered.length === 0) this.#gathered = this.#room();
      const copied = chunk.copy(this.#gathered, this.#gatheredLength, at);
      at += copied;
      this.#gatheredLength += copied;
      if (this.#gatheredLength === PIECE_BYTES) this.#push();
    }
  }

  #room(): Buffer {
    const room = this.#spare ?? Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#spare = undefined;
    return room;
  }

  #push(): void {
    if (this.#gatheredLength === 0) return;
    this.#pieces.push(this.#gathered.subarray(0, this.#gatheredLength));
    this.#waiting += this.#gatheredLength;
    this.#gathered = NOTHING;
    this.#gatheredLength = 0;
    this.#wake?.();
  }

  #fail(error: AlterError): void {
    this.#over = true;
    this.#pieces.length = 0;
    this.#gathered = this.#before = NOTHING;
    this.#spare = undefined;
    this.#options.failed(error);
    this.#wake?.();
  }
}
