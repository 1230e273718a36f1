import { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { PlacedList } from '../message/placed-list.ts';
import { Round } from './standing.ts';
import type { Standing, Use, Verdict } from './standing.ts';

/** Time between two looks. With the time that a changed record takes to be read, an end takes effect within a second. */
const LOOK_MS = 250;

/**
 * Everything that goes on: requests that wait before they are sent, long answers, uploads, event streams, tunnels. Looks again and again whether it may, so
 * that a request pays for no more than its place in a set. Whoever enters must leave.
 */
export class UnderWay {
  readonly #standing: Standing;
  readonly #uses = new PlacedList<Use>();
  /** Those about whom the store is being asked. */
  readonly #asking = new Set<Use>();
  readonly #timer: NodeJS.Timeout;

  constructor(standing: Standing, lookMs = LOOK_MS) {
    this.#standing = standing;
    this.#timer = setInterval(() => {
      this.#look();
    }, lookMs).unref();
  }

  enter(use: Use): void {
    this.#uses.add(use);
  }

  /** Says whether it was there. */
  leave(use: Use): boolean {
    return this.#uses.delete(use);
  }

  /** Judges one use now, and leaves it to the caller what follows. */
  judge(use: Use): MaybePromise<Verdict> {
    return this.#standing(use, new Round());
  }

  /** Ends everything, as when each had been found to be at its end. */
  interruptAll(error: AlterError): void {
    for (const use of this.#uses.all()) this.#settle(use, error);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const use of this.#uses.all()) this.leave(use);
  }

  #look(): void {
    const round = new Round();
    for (const use of this.#uses.all()) if (!this.#asking.has(use)) this.#lookAt(use, round);
  }

  #lookAt(use: Use, round: Round): void {
    const verdict = this.#standing(use, round);
    if (!(verdict instanceof Promise)) {
      this.#settle(use, verdict);
      return;
    }
    this.#asking.add(use);
    void verdict.then((later) => {
      this.#asking.delete(use);
      this.#settle(use, later);
    });
  }

  #settle(use: Use, verdict: Verdict): void {
    if (verdict instanceof AlterError && this.leave(use)) use.interrupt(verdict);
  }
}
