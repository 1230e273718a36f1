import { StoreUnavailableError, refText } from '../../src/store/store.ts';
import type {
  CounterState,
  CounterTake,
  Freshness,
  InvalidationListener,
  Page,
  RecordKind,
  RecordRef,
  Store,
  StoredEvent,
  StoreFault,
  Uses,
} from '../../src/store/store.ts';

/** The `Store` contract in memory, with switches for what a store far away does: losing its channel, failing, answering late. */
export class MemoryStore implements Store {
  readonly kind = 'embedded';
  /** False: the invalidation channel is lost. Whoever turns it on again says so with {@link announce}. */
  alive = true;
  /** True: every call fails as a store that is down. */
  failing = false;
  /** Refs read so far, in order. */
  readonly reads: string[] = [];
  readonly #records = new Map<string, string>();
  readonly #events = new Map<string, StoredEvent[]>();
  readonly #uses = new Map<string, Uses>();
  /** Windows here never end. */
  readonly #counters = new Map<string, number>();
  readonly #listeners = new Set<InvalidationListener>();
  #held: Promise<void> | undefined;

  /** From now on a read sees the record at once, as it is then, but its answer stays on the way until the returned function is called. */
  holdAnswers(): () => void {
    let release: () => void = () => undefined;
    this.#held = new Promise((resolve) => {
      release = resolve;
    });
    return () => {
      this.#held = undefined;
      release();
    };
  }

  /** Tells the listeners that `changed` (undefined: anything) may have changed. */
  announce(changed: string | undefined): void {
    for (const listener of this.#listeners) listener(changed);
  }

  /** The sealed text at `ref`, past all switches. */
  peek(ref: RecordRef): string | undefined {
    return this.#records.get(refText(ref));
  }

  /** Puts `text` at `ref` as another process would, past all switches but the channel. */
  plant(ref: RecordRef, text: string | undefined): void {
    if (text === undefined) this.#records.delete(refText(ref));
    else this.#records.set(refText(ref), text);
    if (this.alive) this.announce(refText(ref));
  }

  get(ref: RecordRef): string | undefined | Promise<string | undefined> {
    this.#check();
    this.reads.push(refText(ref));
    const text = this.peek(ref);
    return this.#held === undefined ? text : this.#held.then(() => text);
  }

  async put(ref: RecordRef, expected: string | undefined, value: string | undefined): Promise<boolean> {
    await Promise.resolve();
    this.#check();
    if (this.peek(ref) !== expected) return false;
    this.plant(ref, value);
    return true;
  }

  async list(app: string, kind: RecordKind, options: { readonly cursor?: string; readonly limit?: number } = {}): Promise<Page> {
    await Promise.resolve();
    this.#check();
    const prefix = kind === 'key' ? 'key:' : `${app}:${kind}:`;
    const ids = [...this.#records.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length));
    const after = ids.sort().filter((id) => options.cursor === undefined || id > options.cursor);
    const page = after.slice(0, options.limit ?? 100);
    return { ids: page, cursor: page.length < after.length ? page.at(-1) : undefined };
  }

  watch(_apps: readonly string[], listener: InvalidationListener): Freshness {
    this.#listeners.add(listener);
    return { alive: () => this.alive && !this.failing, close: () => this.#listeners.delete(listener) };
  }

  async appendEvents(app: string, events: readonly string[]): Promise<void> {
    await Promise.resolve();
    this.#check();
    const stream = this.#events.get(app) ?? [];
    this.#events.set(app, stream);
    for (const json of events) stream.push({ position: String(stream.length + 1).padStart(12, '0'), json });
  }

  async readEvents(app: string, options: { readonly after?: string | undefined; readonly limit: number }): Promise<readonly StoredEvent[]> {
    await Promise.resolve();
    this.#check();
    const stream = this.#events.get(app) ?? [];
    const { after } = options;
    return after === undefined ? stream.slice(-options.limit) : stream.filter(({ position }) => position > after).slice(0, options.limit);
  }

  async addUses(app: string, uses: readonly Uses[]): Promise<void> {
    await Promise.resolve();
    this.#check();
    for (const { id, count, lastAt } of uses) {
      const before = this.#uses.get(`${app}:${id}`);
      this.#uses.set(`${app}:${id}`, { id, count: count + (before?.count ?? 0), lastAt: Math.max(lastAt, before?.lastAt ?? 0) });
    }
  }

  async readUses(app: string, ids: readonly string[]): Promise<readonly Uses[]> {
    await Promise.resolve();
    this.#check();
    return ids.flatMap((id) => this.#uses.get(`${app}:${id}`) ?? []);
  }

  async takeFromCounter(app: string, { name, limit, windowMs }: CounterTake): Promise<CounterState> {
    await Promise.resolve();
    this.#check();
    const used = this.#counters.get(`${app}:${name}`) ?? 0;
    if (used >= limit) return { taken: false, used, resetMs: windowMs };
    this.#counters.set(`${app}:${name}`, used + 1);
    return { taken: true, used: used + 1, resetMs: windowMs };
  }

  async ping(): Promise<void> {
    await Promise.resolve();
    this.#check();
  }

  async rehearse(): Promise<readonly StoreFault[]> {
    await this.ping();
    return [];
  }

  async close(): Promise<void> {
    await Promise.resolve();
    this.#listeners.clear();
  }

  #check(): void {
    if (this.failing) throw new StoreUnavailableError('the store is down');
  }
}
