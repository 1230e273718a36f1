type Callbacks = (() => void)[];

/** Callbacks of the turn under way, and an empty list to go on with while they are called. */
class Phase {
  #waiting: Callbacks = [];
  #spare: Callbacks = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(callback: () => void): void {
    this.#waiting.push(callback);
  }

  run(): void {
    const callbacks = this.#waiting;
    this.#waiting = this.#spare;
    // A callback may have all that waits called, too: that must not be the list it adds to.
    this.#spare = [];
    for (const callback of callbacks) callback();
    callbacks.length = 0;
    this.#spare = callbacks;
  }
}

/**
 * Work of many connections is done together at the end of a turn of the event loop: first all that came is read, then all that is to leave is
 * written. Code that runs again and again in a row stays in the caches of the processor, out of which the kernel and TLS push it between two events:
 * a small request costs a tenth less.
 */
const reading = new Phase();
const writing = new Phase();
let scheduled = false;
let isReading = false;
/** Exchanges under way in this process. */
let underWay = 0;

/** An exchange has begun. Each that begins must end. */
export function exchangeBegins(): void {
  underWay += 1;
}

/** An exchange has ended, one way or another. */
export function exchangeEnds(): void {
  underWay -= 1;
}

/**
 * Has `read` called at once, and what it writes leave at once, when there is at most one exchange under way: there is no work to be done together
 * then, and to wait for the end of a turn costs a client some microseconds. False when there is more, and nothing happens.
 */
export function readAtOnce(read: () => void): boolean {
  if (underWay > 1 || isReading || !reading.isEmpty) return false;
  readThenWrite(read);
  return true;
}

/**
 * Calls `callback` once the events of this turn have been seen, before those of {@link atTurnEnd}. All callbacks of a turn share one immediate:
 * hundreds of connections ask in a busy turn. They must not throw: those behind would not be called.
 */
export function firstAtTurnEnd(callback: () => void): void {
  reading.add(callback);
  schedule();
}

/** Calls `callback` at the end of this turn, after what has come was read; what is asked for meanwhile comes at the end of the next one. */
export function atTurnEnd(callback: () => void): void {
  writing.add(callback);
  // What is asked for while all is read comes right behind it.
  if (!isReading) schedule();
}

function schedule(): void {
  if (scheduled) return;
  scheduled = true;
  setImmediate(run);
}

function run(): void {
  scheduled = false;
  readThenWrite(readAll);
}

function readAll(): void {
  reading.run();
}

function readThenWrite(read: () => void): void {
  isReading = true;
  try {
    read();
  } finally {
    isReading = false;
  }
  writing.run();
}
