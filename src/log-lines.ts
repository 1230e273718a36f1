import { writeSync } from 'node:fs';

/** How long a full pipe is left to its reader before the next try. */
const READER_MS = 100;
const NEWLINE = 10;

/**
 * Writes whole lines to a file descriptor, before {@link LogLines.write} returns. One that cannot be written, on a full disk for example, is
 * lost and counted: a log must not end what it tells about. The next line that can be written comes after one that says how many were lost.
 */
export class LogLines {
  readonly #descriptor: number;
  #lost = 0;
  /** Why the last one was lost. */
  #code: string | undefined;
  /** Whether what was written last ends within a line. */
  #cut = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Writes `line`, which ends with a line feed. Never throws. */
  write(line: string): void {
    if (this.#lost > 0 && this.#put(this.#lossLine())) this.#lost = 0;
    if (this.#lost > 0 || !this.#put(line)) this.#lost += 1;
  }

  #lossLine(): string {
    const fields = { level: 'error', time: new Date().toISOString(), pid: process.pid, lost: this.#lost, code: this.#code };
    return `${JSON.stringify({ ...fields, msg: 'lines of the log could not be written and are lost' })}\n`;
  }

  /** Answers whether all of `line` is written. */
  #put(line: string): boolean {
    const bytes = Buffer.from(this.#cut ? `\n${line}` : line);
    let written = 0;
    try {
      while (written < bytes.length) {
        written += writeWhenRead(this.#descriptor, bytes.subarray(written));
        this.#cut = bytes[written - 1] !== NEWLINE;
      }
      return true;
    } catch (error) {
      this.#code = (error as NodeJS.ErrnoException).code;
      return false;
    }
  }
}

/** Answers how many bytes were written. Waits while a pipe that does not block is full: the reader is only slow. */
function writeWhenRead(descriptor: number, bytes: Buffer): number {
  for (;;) {
    try {
      return writeSync(descriptor, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, READER_MS);
    }
  }
}
