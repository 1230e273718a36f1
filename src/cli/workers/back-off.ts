const FIRST_MS = 100;
const LONGEST_MS = 10_000;
/** A worker that lived this long was sound: what ended it is new trouble. */
const SETTLED_MS = 60_000;

/** How long a place stays empty after its worker ended: twice as long each time, from 100 ms to 10 s. */
export class BackOff {
  #nextMs = FIRST_MS;

  /** Milliseconds until the next worker, after one that lived for `livedMs`. */
  after(livedMs: number): number {
    if (livedMs >= SETTLED_MS) this.#nextMs = FIRST_MS;
    const delayMs = this.#nextMs;
    this.#nextMs = Math.min(delayMs * 2, LONGEST_MS);
    return delayMs;
  }
}
