import type { AlterError } from '../errors.ts';
import { PlacedList } from '../message/placed-list.ts';
import { Round } from './standing.ts';
import type { Standing, Use } from './standing.ts';

/** Time between two looks. With the time that a changed record takes to be read, an end takes effect within a second. */
const LOOK_MS = 250;

/**
 * Everything that has been let through and goes on: long answers, uploads, event streams, tunnels. Looks again and again whether it may, so
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
    for (const use of this.#uses.all()) if (!this.#asking.has(use)) this.#judge(use, round);
  }

  #judge(use: Use, round: Round): void {
    const end = this.#standing(use, round);
    if (!(end instanceof Promise)) {
      this.#settle(use, end);
      return;
    }
    this.#asking.add(use);
    void end.then((error) => {
      this.#asking.delete(use);
      this.#settle(use, error);
    });
  }

  #settle(use: Use, end: AlterError | undefined): void {
    if (end !== undefined && this.leave(use)) use.interrupt(end);
  }
}
