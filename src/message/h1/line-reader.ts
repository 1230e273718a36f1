import { H1Error, type H1Reason } from './error.ts';
import { LF } from './octets.ts';

const FIRST_CAPACITY = 256;

/** Collects a line that may arrive in any number of pieces. Each byte is looked at once and held once. */
export class LineReader {
  #held: Buffer | undefined;
  #length = 0;
  /** Where the last call to {@link read} stopped in its chunk. */
  next = 0;

  /** Whether a part of a line is held. */
  get pending(): boolean {
    return this.#length > 0;
  }

  /**
   * The line with its LF in latin1, or undefined when the chunk ends before it does.
   * @throws H1Error `tooLong` as soon as the line is known to be longer than `limit` bytes.
   */
  read(chunk: Buffer, from: number, limit: number, tooLong: H1Reason): string | undefined {
    const lf = chunk.indexOf(LF, from);
    const end = lf === -1 ? chunk.length : lf + 1;
    // A line without its LF will have one byte more at least.
    const known = this.#length + end - from + (lf === -1 ? 1 : 0);
    if (known > limit) throw new H1Error(tooLong);
    this.next = end;
    if (lf !== -1 && this.#length === 0) return chunk.toString('latin1', from, end);
    this.#hold(chunk, from, end, limit);
    return lf === -1 ? undefined : this.#release();
  }

  #hold(chunk: Buffer, from: number, to: number, limit: number): void {
    const needed = this.#length + to - from;
    let held = this.#held;
    if (held === undefined || held.length < needed) {
      held = Buffer.allocUnsafe(Math.min(limit, Math.max(FIRST_CAPACITY, needed, 2 * (held?.length ?? 0))));
      this.#held?.copy(held, 0, 0, this.#length);
      this.#held = held;
    }
    chunk.copy(held, this.#length, from, to);
    this.#length = needed;
  }

  #release(): string | undefined {
    const line = this.#held?.toString('latin1', 0, this.#length);
    this.#held = undefined;
    this.#length = 0;
    return line;
  }
}
