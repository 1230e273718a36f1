import { firstAtTurnEnd, readAtOnce } from './turn-end.ts';

/** TLS gives no more at a time; a piece of this length is seldom the last one. */
const FULL_RECORD_BYTES = 16 * 1024;

/** Has the bytes of a connection read at the end of the turn in which they came, together with those of other connections. */
export class TurnReader {
  readonly #read: (chunk: Buffer) => void;
  readonly #atTurnEnd: () => void;
  #chunk: Buffer | undefined;
  #paused = false;

  /** `read` must not throw. */
  constructor(read: (chunk: Buffer) => void) {
    this.#read = read;
    this.#atTurnEnd = () => {
      if (!this.#paused) this.now();
    };
  }

  /** Has what waits wait until {@link resume}: whoever takes it is full. The socket has to be paused as well: what it gives all the same is read. */
  pause(): void {
    this.#paused = true;
  }

  /** Has what waits read at the end of this turn. */
  resume(): void {
    this.#paused = false;
    if (this.#chunk !== undefined) firstAtTurnEnd(this.#atTurnEnd);
  }

  /** Has `chunk` read at the end of this turn, or at once when there is nothing to do it together with; and what waits already at once. */
  later(chunk: Buffer): void {
    this.now();
    this.#chunk = chunk;
    if (chunk.length >= FULL_RECORD_BYTES || !readAtOnce(this.#atTurnEnd)) firstAtTurnEnd(this.#atTurnEnd);
  }

  /** Has what waits read now: something comes that must find it read. */
  now(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#chunk = undefined;
    this.#read(chunk);
  }

  /** Forgets what waits. */
  drop(): void {
    this.#chunk = undefined;
  }
}
