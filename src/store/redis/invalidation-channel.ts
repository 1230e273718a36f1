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
 * delays a message, and never staler than {@link PROOF_VALID_MS} while that network hangs.
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
const PROVE_EVERY_MS = 250;
const PROOF_VALID_MS = 1000;

/** What a channel is made of. */
export interface ChannelOptions {
  readonly target: RedisTarget;
  readonly keys: RedisKeys;
  readonly apps: readonly string[];
  readonly listener: InvalidationListener;
  readonly onTrouble?: TroubleListener | undefined;
}

/** Starts a channel, which makes itself again whenever it is lost, until it is closed. */
export function openInvalidationChannel(options: ChannelOptions): Freshness {
  return new InvalidationChannel(options);
}

class InvalidationChannel implements Freshness {
  readonly #options: ChannelOptions;
  readonly #closing = new AbortController();
  /** Monotonic instant at which the last answered PINGs were sent. */
  #provenAt = -Infinity;
  #trouble: string | undefined;

  constructor(options: ChannelOptions) {
    this.#options = options;
    void this.#keepOpen();
  }

  alive(): boolean {
    return performance.now() - this.#provenAt < PROOF_VALID_MS;
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
      const session = new Session(this.#options, signal);
      try {
        await session.open();
        this.#options.listener(undefined);
        this.#trouble = undefined;
        failures = 0;
        await session.prove((provenAt) => {
          this.#provenAt = provenAt;
        });
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

/** One life of the two connections. When either is lost, both are given up: tracking cannot be moved to another subscriber. */
class Session {
  readonly #owner: Redis;
  readonly #subscriber: Redis;
  readonly #options: ChannelOptions;
  readonly #lost: Promise<never>;
  readonly #signal: AbortSignal;
  #lose: () => void = () => undefined;
  #lastError: unknown;

  constructor(options: ChannelOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#owner = this.#connection();
    this.#subscriber = this.#connection();
    this.#lost = new Promise<never>((_resolve, reject) => {
      this.#lose = () => {
        reject(this.#lastError instanceof Error ? this.#lastError : new Error('a connection was closed'));
      };
    });
    for (const client of [this.#owner, this.#subscriber]) client.on('close', this.#lose);
    signal.addEventListener('abort', this.#lose);
    this.#lost.catch(() => undefined); // It is raced below; a session that has ended already is not waiting for it.
  }

  async open(): Promise<void> {
    const { keys, apps, listener } = this.#options;
    this.#subscriber.on('messageBuffer', (_channel: Buffer, changed: unknown) => {
      if (Array.isArray(changed)) for (const key of changed) listener(keys.refTextOf(String(key)));
      else listener(undefined); // Null after FLUSHALL and FLUSHDB.
    });
    // Each attempt to connect ends by the connect time-out of the client.
    await Promise.race([Promise.all([this.#owner.connect(), this.#subscriber.connect()]), this.#lost]);
    const id = await this.#orLost(this.#subscriber.client('ID'));
    await this.#orLost(this.#subscriber.subscribe(CHANNEL));
    const prefixes = keys.cachedPrefixes(apps).flatMap((prefix) => ['PREFIX', prefix]);
    await this.#orLost(this.#owner.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', String(id), 'BCAST', ...prefixes));
  }

  /** Proves the session again and again; rejects when it is lost. */
  async prove(proven: (at: number) => void): Promise<never> {
    for (;;) {
      const sentAt = performance.now();
      await this.#orLost(Promise.all([this.#owner.ping(), this.#subscriber.ping()]));
      proven(sentAt);
      await Promise.race([sleep(PROVE_EVERY_MS), this.#lost]);
    }
  }

  /** Nothing of this session is told after this: the next one must not be taken for lost when these sockets close. */
  close(): void {
    this.#signal.removeEventListener('abort', this.#lose);
    for (const client of [this.#owner, this.#subscriber]) client.off('close', this.#lose);
    this.#subscriber.removeAllListeners('messageBuffer');
    this.#owner.disconnect();
    this.#subscriber.disconnect();
  }

  #connection(): Redis {
    const client = new Redis({ ...this.#options.target.options, retryStrategy: null });
    client.on('error', (error: Error) => {
      this.#lastError = error;
    });
    return client;
  }

  #orLost<T>(step: Promise<T>): Promise<T> {
    return Promise.race([inTime(step, this.#options.target.commandTimeoutMs), this.#lost]);
  }
}
