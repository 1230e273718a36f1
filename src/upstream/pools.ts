/**
 * exchange ── pool of (isolation, origin) ── dialer ──▶ destination
 *
 * Connections are kept per origin and per isolation key, so that one principal's connection never carries another's
 * request (invariant 12).
 */
import { AlterError } from '../errors.ts';
import { originKey } from '../message/authority.ts';
import type { Origin } from '../message/authority.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Dialer } from './dial.ts';
import { Pool, type PoolOptions } from './pool.ts';

/** Longest time between two looks for what has waited for too long. */
const SWEEP_MS = 500;

/** What pools are given. */
export interface PoolsOptions extends PoolOptions {
  /** Why no connection may be kept for this principal, if so: asked again and again while it has connections. */
  revoked(isolation: string): MaybePromise<AlterError | undefined>;
}

/** Hands out pools, forgets those that are empty, and closes those of a principal that was revoked. */
export class Pools {
  readonly #dialer: Dialer;
  readonly #options: PoolsOptions;
  /** By isolation, then by origin. */
  readonly #pools = new Map<string, Map<string, Pool>>();
  readonly #sweeper: NodeJS.Timeout;
  /** Principals about whom the store is being asked. */
  readonly #asking = new Set<string>();
  #closed = false;

  constructor(dialer: Dialer, options: PoolsOptions) {
    this.#dialer = dialer;
    this.#options = options;
    const { connectTimeoutMs, headersTimeoutMs, keepAliveMs, bodyTimeoutMs } = options;
    const shortest = Math.min(connectTimeoutMs, headersTimeoutMs, keepAliveMs, bodyTimeoutMs > 0 ? bodyTimeoutMs : SWEEP_MS);
    this.#sweeper = setInterval(
      () => {
        this.#sweep();
      },
      Math.min(SWEEP_MS, shortest),
    ).unref();
  }

  /** The pool for `origin` and `isolation`. */
  get(origin: Origin, isolation: string): Pool {
    let byOrigin = this.#pools.get(isolation);
    if (byOrigin === undefined) this.#pools.set(isolation, (byOrigin = new Map<string, Pool>()));
    const key = originKey(origin);
    let pool = byOrigin.get(key);
    if (pool === undefined) {
      byOrigin.set(key, (pool = new Pool(origin, this.#dialer, this.#options)));
      if (this.#closed) pool.close();
    }
    return pool;
  }

  /** Keeps no connection any longer: closes the idle ones now, those in use when their exchange has ended. */
  close(): void {
    this.#closed = true;
    for (const pool of this.#each()) pool.close();
  }

  /** Ends every connection, those in use too. */
  destroy(): void {
    clearInterval(this.#sweeper);
    this.#closed = true;
    for (const pool of this.#each()) pool.interrupt(new AlterError('shutting_down'));
    this.#pools.clear();
  }

  #checkRevoked(isolation: string): void {
    if (this.#asking.has(isolation)) return;
    const revoked = this.#options.revoked(isolation);
    if (!(revoked instanceof Promise)) {
      this.#revoke(isolation, revoked);
      return;
    }
    this.#asking.add(isolation);
    void revoked.then((error) => {
      this.#asking.delete(isolation);
      this.#revoke(isolation, error);
    });
  }

  /** What is under way is ended where it is known as a use; here go the connections that were kept. */
  #revoke(isolation: string, error: AlterError | undefined): void {
    if (error === undefined) return;
    for (const pool of this.#pools.get(isolation)?.values() ?? []) pool.close();
  }

  *#each(): Generator<Pool> {
    for (const byOrigin of this.#pools.values()) yield* byOrigin.values();
  }

  #sweep(): void {
    for (const [isolation, byOrigin] of this.#pools) {
      for (const [key, pool] of byOrigin) {
        pool.sweep();
        if (pool.isOver) byOrigin.delete(key);
      }
      if (byOrigin.size === 0) this.#pools.delete(isolation);
      else this.#checkRevoked(isolation);
    }
    if (this.#closed && this.#pools.size === 0) clearInterval(this.#sweeper);
  }
}
