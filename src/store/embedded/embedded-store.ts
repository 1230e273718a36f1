import type { EmbeddedStoreConfig } from '../../config/config.ts';
import { pollUntilSome } from '../poll.ts';
import {
  refText,
  type CounterState,
  type CounterTake,
  type NumberedEvents,
  type Page,
  type RecordKind,
  type RecordRef,
  type Store,
  type StoredEvent,
  type StoreFault,
  type Uses,
} from '../store.ts';
import { appendToLog, parsePosition, readLog } from './audit-log.ts';
import { takePlace } from './counters.ts';
import { followChanges, noteChange } from './change-log.ts';
import { openEnvironment, REPLACED, type Environment } from './environment.ts';
import { addToCounts, readCounts } from './use-counts.ts';

const DEFAULT_PAGE = 500;
/** A count of uses or a counter, with its key. */
const COUNT_BYTES = 200;
/** How often a waiting reader looks for events of other processes. */
const POLL_MS = 50;

/** Opens the store in a folder; see {@link openEnvironment} for what it throws. */
export async function openEmbeddedStore(
  config: EmbeddedStoreConfig,
  options: { readonly auditMaxStream: number; readonly onTrouble?: ((message: string) => void) | undefined },
): Promise<Store> {
  const environment = await openEnvironment(config.path);
  environment.replaced.addEventListener('abort', () => options.onTrouble?.(`${REPLACED} (${config.path})`));
  return new EmbeddedStore(environment, options.auditMaxStream);
}

/** Records and audit events in LMDB. Every read sees what any process has committed before it. */
class EmbeddedStore implements Store {
  readonly kind = 'embedded';
  readonly #environment: Environment;
  readonly #auditMaxStream: number;
  readonly #closing = new AbortController();

  constructor(environment: Environment, auditMaxStream: number) {
    this.#environment = environment;
    this.#auditMaxStream = auditMaxStream;
  }

  get(ref: RecordRef): string | undefined {
    return this.#environment.read(() => this.#environment.records.get(refText(ref)));
  }

  put(ref: RecordRef, expected: string | undefined, value: string | undefined): Promise<boolean> {
    const key = refText(ref);
    const { records } = this.#environment;
    const change = (): boolean => {
      if (records.get(key) !== expected) return false;
      if (value === undefined) void records.remove(key);
      else void records.put(key, value);
      noteChange(this.#environment, key);
      return true;
    };
    return this.#environment.write({ bytes: key.length + (value?.length ?? 0), record: true }, change, (changed) => changed);
  }

  list(app: string, kind: RecordKind, options: { readonly cursor?: string; readonly limit?: number } = {}): Promise<Page> {
    const limit = options.limit ?? DEFAULT_PAGE;
    const prefix = kind === 'key' ? 'key:' : `${app}:${kind}:`;
    const range = { start: prefix + (options.cursor ?? ''), exclusiveStart: true, end: `${prefix.slice(0, -1)};`, limit: limit + 1 };
    return promised(() => {
      const ids = this.#environment.read(() => [...this.#environment.records.getKeys(range)]).map((key) => key.slice(prefix.length));
      const page = ids.slice(0, limit);
      return { ids: page, cursor: ids.length > limit ? page.at(-1) : undefined };
    });
  }

  watch(...args: Parameters<Store['watch']>): ReturnType<Store['watch']> {
    return followChanges(this.#environment, ...args);
  }

  async appendEvents(app: string, events: readonly string[], numbered?: NumberedEvents): Promise<void> {
    if (events.length === 0) return;
    const bytes = events.reduce((sum, json) => sum + json.length, 0);
    // What no proxy numbers is the event of a change of records.
    await this.#environment.write({ bytes, record: numbered === undefined }, () => {
      appendToLog(this.#environment, app, events, this.#auditMaxStream);
    });
  }

  async readEvents(
    app: string,
    options: { readonly after?: string | undefined; readonly limit: number; readonly waitMs?: number },
  ): Promise<readonly StoredEvent[]> {
    if (options.after !== undefined) parsePosition(options.after);
    const read = (): StoredEvent[] => this.#environment.read(() => readLog(this.#environment, app, options.after, options.limit));
    return pollUntilSome(read, { waitMs: options.waitMs ?? 0, everyMs: POLL_MS, signal: this.#closing.signal });
  }

  async addUses(app: string, uses: readonly Uses[]): Promise<void> {
    if (uses.length === 0) return;
    await this.#environment.write({ bytes: uses.length * COUNT_BYTES, record: false }, () => {
      addToCounts(this.#environment, app, uses);
    });
  }

  readUses(app: string, ids: readonly string[]): Promise<readonly Uses[]> {
    return promised(() => this.#environment.read(() => readCounts(this.#environment, app, ids)));
  }

  takeFromCounter(app: string, take: CounterTake): Promise<CounterState> {
    const key = `${app}:${take.name}`;
    const place = (): CounterState => takePlace(this.#environment, key, take, Date.now());
    return this.#environment.write({ bytes: COUNT_BYTES, record: false }, place, ({ taken }) => taken);
  }

  ping(): Promise<void> {
    return promised(() => {
      this.#environment.read(() => this.#environment.records.get(' '));
    });
  }

  /** There are no rights within a store that can be read, and the disk is asked at each write. */
  async rehearse(): Promise<readonly StoreFault[]> {
    await this.ping();
    return [];
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#environment.close();
  }
}

/** Turns what `action` throws into a rejection. */
function promised<T>(action: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(action());
  });
}
