/** Where counts of uses go. */
export interface UseSink {
  addUses(app: string, uses: readonly { readonly id: string; readonly count: number; readonly lastAt: number }[]): Promise<void>;
}

/** What a {@link UseCounter} needs. */
export interface UseCounterOptions {
  readonly sink: UseSink;
  readonly app: string;
  /** How long uses are gathered before they are written, in milliseconds. 5000 unless told. */
  readonly everyMs?: number;
  /** Grants whose uses may wait; those of further ones are not counted until there is room. 10 000 unless told. */
  readonly maxGrants?: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly log: { warn(fields: object, message: string): void };
}

interface Waiting {
  count: number;
  lastAt: number;
}

const EVERY_MS = 5000;
const MAX_GRANTS = 10_000;

/**
 * Counts uses of grants in memory and adds them to the store every few seconds, off the request path, many with one command. A crash loses
 * the last seconds, and a lost acknowledgement can count them twice: what was done with a grant stands in the audit events.
 */
export class UseCounter {
  readonly #options: UseCounterOptions;
  readonly #now: () => number;
  #waiting = new Map<string, Waiting>();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failing = false;
  #closed = false;

  constructor(options: UseCounterOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
  }

  /** Counts one use of a grant, now. */
  note(grantId: string): void {
    const known = this.#waiting.get(grantId);
    if (known !== undefined) {
      known.count += 1;
      known.lastAt = this.#now();
      return;
    }
    if (this.#closed || this.#waiting.size >= (this.#options.maxGrants ?? MAX_GRANTS)) return;
    this.#waiting.set(grantId, { count: 1, lastAt: this.#now() });
    this.#timer ??= this.#startTimer();
  }

  /** Writes what waits, once. Resolves also when the store does not take it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#write();
  }

  #startTimer(): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#write();
    }, this.#options.everyMs ?? EVERY_MS);
    return timer.unref();
  }

  #write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeWaiting());
    return this.#writing;
  }

  async #writeWaiting(): Promise<void> {
    const { sink, app, log } = this.#options;
    const leaving = this.#waiting;
    if (leaving.size === 0) return;
    this.#waiting = new Map();
    try {
      await sink.addUses(
        app,
        [...leaving].map(([id, use]) => ({ id, ...use })),
      );
      this.#failing = false;
    } catch (error) {
      if (!this.#failing) log.warn({ error }, 'the uses of grants cannot be counted: the store does not take them');
      this.#failing = true;
      this.#takeBack(leaving);
    }
  }

  #takeBack(leaving: ReadonlyMap<string, Waiting>): void {
    for (const [id, { count, lastAt }] of leaving) {
      const known = this.#waiting.get(id);
      if (known !== undefined) known.count += count;
      else if (this.#waiting.size < (this.#options.maxGrants ?? MAX_GRANTS)) this.#waiting.set(id, { count, lastAt });
    }
    if (!this.#closed) this.#timer ??= this.#startTimer();
  }
}
