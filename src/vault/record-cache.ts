import { LRUCache } from 'lru-cache';
import { AlterError } from '../errors.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { Freshness, RecordRef, Store } from '../store/store.ts';

/** A stretch of time in which nothing can have changed untold. `provenAt`: the last instant at which that was seen to hold. */
interface Era {
  provenAt: number;
}

/** Knows whether cached records may be served: the invalidation channel of the store, and since when it has told everything. */
export class FreshnessGuard {
  readonly #freshness: Freshness;
  readonly #now: () => number;
  readonly #forget: ((key: string) => void)[] = [];
  #era: Era = { provenAt: -Infinity };
  #closed = false;

  constructor(store: Store, apps: readonly string[], now: () => number) {
    this.#now = now;
    this.#freshness = store.watch(apps, (changed) => {
      this.#changed(changed);
    });
  }

  /** The present era. Entries of an earlier one must be proven again. */
  get era(): Era {
    return this.#era;
  }

  /** Milliseconds since the epoch. */
  now(): number {
    return this.#now();
  }

  /** Whether entries of the present era may be served, now. Ask before looking into a cache: asking may itself deliver changes. */
  alive(now = this.#now()): boolean {
    if (this.#closed || !this.#freshness.alive()) return false;
    this.#era.provenAt = now;
    return true;
  }

  /** Calls `forget` for each record that changes from now on. */
  onChange(forget: (key: string) => void): void {
    this.#forget.push(forget);
  }

  close(): void {
    this.#closed = true;
    this.#freshness.close();
  }

  #changed(key: string | undefined): void {
    if (key === undefined) this.#era = { provenAt: -Infinity };
    else for (const forget of this.#forget) forget(key);
  }
}

/** How records of one kind are cached. */
export interface RecordCacheOptions<V> {
  readonly store: Pick<Store, 'get'>;
  readonly guard: FreshnessGuard;
  readonly maxEntries: number;
  readonly maxStaleMs: number;
  /** Opens a sealed record; costs about a quarter of a millisecond. */
  readonly open: (ref: RecordRef, text: string) => Promise<V>;
  /**
   * Given: that a record is absent is kept, too, as this value; its creation is a change like any other. For ids that callers cannot choose
   * freely: they could push everything else out of the cache.
   */
  readonly absent?: V;
}

/** Stands where the sealed text of an absent record would. No sealed text is empty. */
const NO_TEXT = '';

interface Entry<V> {
  readonly text: string;
  readonly value: V;
  /** The era in which it was read. Undefined: read while changes could go untold. */
  readonly era: Era | undefined;
  readonly readAt: number;
}

/** A read under way. `overtaken` turns true when its record changes meanwhile: it may have seen the old one. */
interface Read<V> {
  readonly startedAt: number;
  readonly era: Era | undefined;
  overtaken: boolean;
  result?: Promise<V | undefined>;
}

/**
 * Opened records of one kind by store key, least recently used out first. An entry is served at once only while no change can have gone
 * untold. Otherwise the store is read, and a record whose sealed text is still the same is not opened again.
 */
export class RecordCache<V> {
  readonly #options: RecordCacheOptions<V>;
  readonly #entries: LRUCache<string, Entry<V>>;
  readonly #reads = new Map<string, Set<Read<V>>>();
  readonly #openings = new Map<string, { readonly text: string; readonly value: Promise<V> }>();

  constructor(options: RecordCacheOptions<V>) {
    this.#options = options;
    this.#entries = new LRUCache({ max: Math.max(1, options.maxEntries) });
    options.guard.onChange((key) => {
      this.#forget(key);
    });
  }

  /** The entry that may be served without asking the store. The caller has just been told that the guard is alive. */
  warm(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry?.era === this.#options.guard.era ? entry.value : undefined;
  }

  /**
   * The record as it is now: from the cache, from a read that others already wait for, or from the store. Undefined: absent. Rejects with
   * what `open` rejects with, and with AlterError `store_unavailable`.
   */
  async load(key: string, ref: RecordRef): Promise<V | undefined> {
    const { guard } = this.#options;
    if (!guard.alive()) return this.#startRead(key, ref, undefined);
    return this.warm(key) ?? this.#joinable(key)?.result ?? this.#startRead(key, ref, guard.era);
  }

  /** Empties the cache. */
  clear(): void {
    this.#entries.clear();
  }

  #forget(key: string): void {
    this.#entries.delete(key);
    for (const read of this.#reads.get(key) ?? []) read.overtaken = true;
  }

  /** A read that began while alive and that no change has overtaken answers for whoever comes now, too. */
  #joinable(key: string): Read<V> | undefined {
    const { era } = this.#options.guard;
    for (const read of this.#reads.get(key) ?? []) if (!read.overtaken && read.era === era) return read;
    return undefined;
  }

  #startRead(key: string, ref: RecordRef, era: Era | undefined): Promise<V | undefined> {
    const read: Read<V> = { startedAt: this.#options.guard.now(), era, overtaken: false };
    const reads = this.#reads.get(key) ?? new Set();
    this.#reads.set(key, reads.add(read));
    read.result = this.#read(key, ref, read).finally(() => {
      reads.delete(read);
      if (reads.size === 0 && this.#reads.get(key) === reads) this.#reads.delete(key);
    });
    return read.result;
  }

  async #read(key: string, ref: RecordRef, read: Read<V>): Promise<V | undefined> {
    let text: string | undefined;
    try {
      text = await this.#options.store.get(ref);
    } catch (cause) {
      return this.#whenUnavailable(key, cause);
    }
    if (text === undefined) return this.#keepAbsent(key, read);
    const known = this.#entries.peek(key);
    if (known?.text !== text) this.#entries.delete(key);
    const value = known?.text === text ? known.value : await this.#open(key, ref, text);
    this.#keep(key, text, value, read);
    return value;
  }

  /** Opens each sealed text once, however many wait for it. */
  #open(key: string, ref: RecordRef, text: string): Promise<V> {
    const running = this.#openings.get(key);
    if (running?.text === text) return running.value;
    const value = this.#options.open(ref, text).finally(() => {
      if (this.#openings.get(key)?.value === value) this.#openings.delete(key);
    });
    this.#openings.set(key, { text, value });
    return value;
  }

  #keepAbsent(key: string, read: Read<V>): V | undefined {
    const { absent } = this.#options;
    this.#entries.delete(key);
    if (absent !== undefined) this.#keep(key, NO_TEXT, absent, read);
    return absent;
  }

  #keep(key: string, text: string, value: V, read: Read<V>): void {
    if (read.overtaken) return;
    const newer = this.#entries.peek(key);
    if (newer !== undefined && newer.readAt > read.startedAt) return;
    this.#entries.set(key, { text, value, era: read.era, readAt: read.startedAt });
  }

  /** The store does not answer: deny, unless the operator allowed entries that were proven fresh not too long ago. */
  #whenUnavailable(key: string, cause: unknown): V {
    if (!(cause instanceof StoreUnavailableError)) throw cause;
    const { guard, maxStaleMs } = this.#options;
    const entry = this.#entries.peek(key);
    const provenAt = Math.max(entry?.readAt ?? -Infinity, entry?.era?.provenAt ?? -Infinity);
    if (entry !== undefined && maxStaleMs > 0 && guard.now() - provenAt <= maxStaleMs) return entry.value;
    throw new AlterError('store_unavailable', { cause });
  }
}
