import { firstAtTurnEnd } from './turn-end.ts';

/** Has the bytes of a connection read at the end of the turn in which they came, together with those of other connections. */
export class TurnReader {
  readonly #read: (chunk: Buffer) => void;
  readonly #atTurnEnd: () => void;
  #chunk: Buffer | undefined;

  /** `read` must not throw. */
  constructor(read: (chunk: Buffer) => void) {
    this.#read = read;
    this.#atTurnEnd = () => {
      this.now();
    };
  }

  /** Has `chunk` read at the end of this turn, and what waits already at once. */
  later(chunk: Buffer): void {
    this.now();
    this.#chunk = chunk;
    firstAtTurnEnd(this.#atTurnEnd);
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
