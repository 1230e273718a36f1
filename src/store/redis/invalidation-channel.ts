/**
 * redis ── CLIENT TRACKING ON REDIRECT <id of subscriber> BCAST PREFIX … ── owner        (asks for the messages, keeps them on)
 *   └───── message on __redis__:invalidate, an array of keys ──────────▶ subscriber   (receives them; RESP2)
 *
 * What the cache can rely on. Redis sends the invalidation of a write before it answers the writer, but on another socket than
 * the one on which our reads are answered, so there is no order between a reply and an invalidation. Therefore a cache
 * remembers, before it sends a GET, how many invalidations it has seen for the key (and how many for everything), and keeps the
 * reply only if there was none since:
 * - a write before the GET was executed: the GET has seen it. Its invalidation may come later and drops a fresh entry, which is harmless;
 * - a write after the GET was executed: its invalidation comes either before the reply is handled (the reply is not kept) or
 *   after it (the entry is dropped);
 * - a write while there was no channel is never told. But the listener is told "anything" after tracking is on again and before
 *   `alive` turns true, so a GET that began before that is not kept, and one that began after it was executed under tracking.
 *
 * `alive` is proven by PINGs on both connections. Messages and PONGs of the subscriber arrive in the order in which Redis produced
 * them: once a PONG is here, so is every invalidation from before its PING. An entry is thus at most as stale as the network
 * delays a message, and never staler than {@link PROOF_VALID_MS} while that network hangs. After a failover an old primary may keep its
 * connections and answer PINGs, and be told of changes late or never: where the ACL allows, the owner's PING is ROLE, and a replica is left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Freshness, InvalidationListener } from '../store.ts';
import { retryDelayMs, type TroubleListener } from './connection.ts';
import { inTime } from './deadline.ts';
import { reasonOf } from './failure.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisTarget } from './target.ts';

const CHANNEL = '__redis__:invalidate';
/** The ACL, or the operator who renamed the command, does not let us ask. */
const FORBIDDEN = /^NOPERM |^ERR unknown command /i;
const PROVE_EVERY_MS = 250;
const PROOF_VALID_MS = 1000;

/** What a channel is made of. */
export interface ChannelOptions {
  readonly target: RedisTarget;
  readonly keys: RedisKeys;
  readonly apps: readonly string[];
  readonly listener: InvalidationListener;
  readonly onTrouble?: TroubleListener | undefined;
  /** How long after one proof the next is asked for. 250 unless told. */
  readonly proveEveryMs?: number;
}

/** Starts a channel, which makes itself again whenever it is lost, until it is closed. */
export function openInvalidationChannel(options: ChannelOptions): InvalidationChannel {
  return new Channel(options);
}

export interface InvalidationChannel extends Freshness {
  /** Another connection has found that its server is no longer the primary: a session that may not ask for the role ends. */
  primaryLeft(): void;
}

class Channel implements InvalidationChannel {
  readonly #options: ChannelOptions;
  readonly #closing = new AbortController();
  /** Monotonic instant at which the last answered PINGs were sent. */
  #provenAt = -Infinity;
  #trouble: string | undefined;
  #session: Session | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
    void this.#keepOpen();
  }

  alive(): boolean {
    return performance.now() - this.#provenAt < PROOF_VALID_MS;
  }

  primaryLeft(): void {
    if (this.#session?.mayAskRole !== false) return;
    this.#provenAt = -Infinity;
    this.#session.close();
  }

  close(): void {
    this.#provenAt = -Infinity;
    this.#closing.abort();
  }

  /** Never rejects: what ends a session is noted, and the next one follows. */
  async #keepOpen(): Promise<void> {
    const { signal } = this.#closing;
    let failures = 0;
    while (!signal.aborted) {
      const session = (this.#session = new Session(this.#options, signal));
      try {
        await session.run(
          () => {
            this.#options.listener(undefined);
            this.#trouble = undefined;
            failures = 0;
          },
          (provenAt) => {
            this.#provenAt = provenAt;
          },
        );
      } catch (error) {
        this.#note(error);
      } finally {
        this.#provenAt = -Infinity;
        session.close();
      }
      failures += 1;
      await sleep(retryDelayMs(failures), undefined, { signal }).catch(() => undefined); // Rejects only when closing.
    }
  }

  #note(error: unknown): void {
    const reason = reasonOf(error);
    if (this.#closing.signal.aborted || reason === this.#trouble) return;
    this.#trouble = reason;
    this.#options.onTrouble?.(`Redis at ${this.#options.target.address}, invalidation channel: ${reason}`);
  }
}

/**
 * One life of the two connections. When either is lost, both are given up: tracking cannot be moved to another subscriber. That ends whatever
 * is awaited on them; nothing here waits for a promise of the whole session, which would keep each of these waits until the session ends.
 */
class Session {
  readonly #owner: Redis;
  readonly #subscriber: Redis;
  readonly #options: ChannelOptions;
  readonly #signal: AbortSignal;
  readonly #lost = new AbortController();
  #reason: unknown = new Error('a connection was closed');
  #mayAskRole = true;

  constructor(options: ChannelOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#owner = this.#connection();
    this.#subscriber = this.#connection();
    signal.addEventListener('abort', this.#lose);
  }

  /** Whether the session sees by itself that its server is no longer the primary. */
  get mayAskRole(): boolean {
    return this.#mayAskRole;
  }

  /** Opens the session and proves it again and again; rejects when it is lost, with the reason. `opened` is told before the first proof. */
  async run(opened: () => void, proven: (at: number) => void): Promise<never> {
    try {
      await this.#open();
      opened();
      return await this.#prove(proven);
    } catch (error) {
      throw this.#lost.signal.aborted ? this.#reason : error;
    }
  }

  async #open(): Promise<void> {
    const { keys, apps, listener } = this.#options;
    this.#subscriber.on('messageBuffer', (_channel: Buffer, changed: unknown) => {
      if (Array.isArray(changed)) for (const key of changed) listener(keys.refTextOf(String(key)));
      else listener(undefined); // Null after FLUSHALL and FLUSHDB.
    });
    // Each attempt to connect ends by the connect time-out of the client.
    await Promise.all([this.#owner.connect(), this.#subscriber.connect()]);
    await this.#inTime(this.#provePrimary());
    const id = await this.#inTime(this.#subscriber.client('ID'));
    await this.#inTime(this.#subscriber.subscribe(CHANNEL));
    const prefixes = keys.cachedPrefixes(apps).flatMap((prefix) => ['PREFIX', prefix]);
    await this.#inTime(this.#owner.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', ...prefixes));
  }

  async #prove(proven: (at: number) => void): Promise<never> {
    const { proveEveryMs = PROVE_EVERY_MS } = this.#options;
    for (;;) {
      const sentAt = performance.now();
      await this.#inTime(Promise.all([this.#provePrimary(), this.#subscriber.ping()]));
      proven(sentAt);
      await sleep(proveEveryMs, undefined, { signal: this.#lost.signal });
    }
  }

  /** Resolves when the owner has answered; rejects when the answer is that it is connected to a replica. */
  async #provePrimary(): Promise<void> {
    if (this.#mayAskRole) {
      const role = await this.#owner.role().catch(forbidden);
      if (Array.isArray(role) && role[0] === 'slave') throw new Error('the server is a replica');
      if (role !== 'forbidden') return;
      this.#mayAskRole = false;
    }
    await this.#owner.ping();
  }

  /** Nothing of this session is told after this: the next one must not be taken for lost when these sockets close. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#lose);
    this.#subscriber.removeAllListeners('messageBuffer');
    this.#lose();
  }

  readonly #lose = (): void => {
    if (this.#lost.signal.aborted) return;
    this.#lost.abort();
    this.#owner.disconnect();
    this.#subscriber.disconnect();
  };

  #connection(): Redis {
    const client = new Redis({ ...this.#options.target.options, retryStrategy: null });
    client.on('error', (error: Error) => {
      this.#reason = error;
    });
    client.on('close', this.#lose);
    return client;
  }

  #inTime<T>(step: Promise<T>): Promise<T> {
    return inTime(step, this.#options.target.commandTimeoutMs);
  }
}

function forbidden(error: unknown): 'forbidden' {
  if (FORBIDDEN.test(reasonOf(error))) return 'forbidden';
  throw error;
}
