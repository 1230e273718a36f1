import { writeSync } from 'node:fs';
import { Writable } from 'node:stream';

/** Writes to a file descriptor all that it is given, or fails: Node's own stream to a file takes a part for the whole when the disk is full. */
export class FileStream extends Writable {
  readonly #descriptor: number;

  constructor(descriptor: number) {
    super();
    this.#descriptor = descriptor;
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    try {
      for (let written = 0; written < chunk.length;) written += writeSync(this.#descriptor, chunk.subarray(written));
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}
