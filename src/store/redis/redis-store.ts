import type { RedisStoreConfig } from '../../config/config.ts';
import { pollUntilSome } from '../poll.ts';
import type {
  CounterState,
  CounterTake,
  Freshness,
  InvalidationListener,
  NumberedEvents,
  Page,
  RecordKind,
  RecordRef,
  Store,
  StoredEvent,
  StoreFault,
  Uses,
} from '../store.ts';
import { AuditAppender, readStream, requireStreamPosition } from './audit-stream.ts';
import { CompareAndSet } from './compare-and-set.ts';
import { RedisConnection, type TroubleListener } from './connection.ts';
import { openInvalidationChannel, type InvalidationChannel } from './invalidation-channel.ts';
import { RedisKeys } from './keys.ts';
import { rehearse } from './rehearsal.ts';
import { redisTarget, type RedisTarget } from './target.ts';
import { UseCounts } from './use-counts.ts';
import { WindowCounter } from './window-counter.ts';

const DEFAULT_PAGE = 500;
/** How often a waiting reader looks for new events. */
const POLL_MS = 100;

/** What opening needs besides the configuration. */
export interface RedisStoreOptions {
  readonly auditMaxStream: number;
  readonly password: string | undefined;
  readonly onTrouble?: TroubleListener | undefined;
}

/**
 * Opens the store; resolves after the first attempt to connect, also when it failed. Throws CommandError `config_invalid` or
 * `file_unreadable` only: a server that is down is not a reason not to start.
 */
export async function openRedisStore(config: RedisStoreConfig, options: RedisStoreOptions): Promise<Store> {
  const target = redisTarget(config, options.password);
  const connection = new RedisConnection(target, options.onTrouble);
  await connection.start();
  return new RedisStore(target, connection, options);
}

/** Records and audit events in one Redis server. */
class RedisStore implements Store {
  readonly kind = 'redis';
  readonly #target: RedisTarget;
  readonly #connection: RedisConnection;
  readonly #keys: RedisKeys;
  readonly #compareAndSet: CompareAndSet;
  readonly #auditAppender: AuditAppender;
  readonly #useCounts: UseCounts;
  readonly #counter: WindowCounter;
  readonly #options: RedisStoreOptions;
  readonly #channels = new Set<InvalidationChannel>();
  readonly #closing = new AbortController();

  constructor(target: RedisTarget, connection: RedisConnection, options: RedisStoreOptions) {
    this.#target = target;
    this.#connection = connection;
    this.#options = options;
    this.#keys = new RedisKeys(target.namespace);
    this.#compareAndSet = new CompareAndSet(connection, target);
    this.#useCounts = new UseCounts(connection);
    this.#counter = new WindowCounter(connection);
    const { auditMaxStream: maxStream, onTrouble } = options;
    this.#auditAppender = new AuditAppender({ connection, address: target.address, maxStream, onTrouble });
    connection.onLeft(() => {
      for (const channel of this.#channels) channel.primaryLeft();
    });
  }

  async get(ref: RecordRef): Promise<string | undefined> {
    return (await this.#connection.call((client) => client.get(this.#keys.record(ref)))) ?? undefined;
  }

  /**
   * The index is another key than the record, on Cluster perhaps on another node, so the two are not changed in one step. The
   * order sees to it that a listing never misses a record that exists: its id is there before and after the record is created,
   * and is taken away after a deletion unless somebody has created it anew. A listing may hold an id whose record is gone.
   */
  async put(ref: RecordRef, expected: string | undefined, value: string | undefined): Promise<boolean> {
    const creates = expected === undefined && value !== undefined;
    if (creates) await this.#index(ref);
    if (!(await this.#compareAndSet.run(this.#keys.record(ref), expected, value))) return false;
    if (creates) await this.#index(ref);
    else if (value === undefined) await this.#unindex(ref);
    return true;
  }

  async list(app: string, kind: RecordKind, options: { readonly cursor?: string; readonly limit?: number } = {}): Promise<Page> {
    const limit = options.limit ?? DEFAULT_PAGE;
    const start = options.cursor === undefined ? '-' : `(${options.cursor}`;
    const ids = await this.#connection.call((client) => client.zrangebylex(this.#keys.index(app, kind), start, '+', 'LIMIT', 0, limit + 1));
    const page = ids.slice(0, limit);
    return { ids: page, cursor: ids.length > limit ? page.at(-1) : undefined };
  }

  watch(apps: readonly string[], listener: InvalidationListener): Freshness {
    const { onTrouble } = this.#options;
    const channel = openInvalidationChannel({ target: this.#target, keys: this.#keys, apps, listener, onTrouble });
    this.#channels.add(channel);
    return channel;
  }

  async appendEvents(app: string, events: readonly string[], numbered?: NumberedEvents): Promise<void> {
    await this.#auditAppender.append({ stream: this.#keys.audit(app), taken: this.#keys.auditTaken(app) }, events, numbered);
  }

  async readEvents(
    app: string,
    options: { readonly after?: string | undefined; readonly limit: number; readonly waitMs?: number },
  ): Promise<readonly StoredEvent[]> {
    if (options.after !== undefined) requireStreamPosition(options.after);
    const read = (): Promise<StoredEvent[]> =>
      this.#connection.call((client) => readStream(client, this.#keys.audit(app), options.after, options.limit));
    return pollUntilSome(read, { waitMs: options.waitMs ?? 0, everyMs: POLL_MS, signal: this.#closing.signal });
  }

  addUses(app: string, uses: readonly Uses[]): Promise<void> {
    return this.#useCounts.add(this.#keys.uses(app), uses);
  }

  readUses(app: string, ids: readonly string[]): Promise<readonly Uses[]> {
    return this.#useCounts.read(this.#keys.uses(app), ids);
  }

  takeFromCounter(app: string, take: CounterTake): Promise<CounterState> {
    return this.#counter.take(this.#keys.counter(app, take.name), take);
  }

  async ping(): Promise<void> {
    await this.#connection.call((client) => client.ping());
  }

  rehearse(app: string): Promise<readonly StoreFault[]> {
    return rehearse(this.#connection, this.#keys, app);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const channel of this.#channels) channel.close();
    this.#compareAndSet.close();
    this.#connection.close();
  }

  async #index(ref: RecordRef): Promise<void> {
    await this.#connection.call((client) => client.zadd(this.#indexOf(ref), 0, ref.id));
  }

  async #unindex(ref: RecordRef): Promise<void> {
    await this.#connection.call((client) => client.zrem(this.#indexOf(ref), ref.id));
    if ((await this.get(ref)) !== undefined) await this.#index(ref);
  }

  #indexOf(ref: RecordRef): string {
    return this.#keys.index(ref.kind === 'key' ? '' : ref.app, ref.kind);
  }
}
