/**
 * exchange ── pool of (isolation, origin) ── dialer ──▶ destination
 *
 * Connections are kept per origin and per isolation key, so that one principal's connection never carries another's
 * request (invariant 12).
 */
import { Pool } from 'undici';
import { originKey } from '../message/authority.ts';
import type { Origin } from '../message/authority.ts';
import type { Dialer } from './dial.ts';

/** Limits of the pools. Times are milliseconds. */
export interface PoolOptions {
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly keepAliveMs: number;
  /** Connections of one pool. */
  readonly maxConnections: number;
}

interface Entry {
  readonly pool: Pool;
  lastUsed: number;
  /** Requests under way. */
  active: number;
}

/** Size to which an upstream response head may grow. */
const MAX_RESPONSE_HEAD = 64 * 1024;

/** Hands out pools and closes those that nobody has used for a while. */
export class Pools {
  readonly #dialer: Dialer;
  readonly #options: PoolOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #sweeper: NodeJS.Timeout;

  constructor(dialer: Dialer, options: PoolOptions) {
    this.#dialer = dialer;
    this.#options = options;
    this.#sweeper = setInterval(() => {
      this.#sweep(Date.now());
    }, options.keepAliveMs).unref();
  }

  /** The pool for `origin` and `isolation`. Each call is paired with one of {@link release}. */
  acquire(origin: Origin, isolation: string): { readonly key: string; readonly pool: Pool } {
    const key = `${isolation} ${originKey(origin)}`;
    let entry = this.#entries.get(key);
    if (entry === undefined) {
      entry = { pool: this.#open(origin), lastUsed: 0, active: 0 };
      this.#entries.set(key, entry);
    }
    entry.active += 1;
    return { key, pool: entry.pool };
  }

  /** The request for which the pool was acquired has ended. */
  release(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    entry.active -= 1;
    entry.lastUsed = Date.now();
  }

  /** Takes no more requests and closes each connection when its last request has ended. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    await Promise.all([...this.#entries.values()].map(({ pool }) => pool.close()));
  }

  /** Ends every connection, those in use too. */
  async destroy(): Promise<void> {
    clearInterval(this.#sweeper);
    const pools = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(pools.map(({ pool }) => pool.destroy()));
  }

  #open(origin: Origin): Pool {
    let session: Buffer | undefined;
    return new Pool(originKey(origin), {
      connections: this.#options.maxConnections,
      pipelining: 1,
      allowH2: false,
      headersTimeout: this.#options.headersTimeoutMs,
      bodyTimeout: this.#options.bodyTimeoutMs,
      keepAliveTimeout: this.#options.keepAliveMs,
      keepAliveMaxTimeout: this.#options.keepAliveMs,
      maxHeaderSize: MAX_RESPONSE_HEAD,
      connect: (_options, callback) => {
        this.#dialer.dial(origin, session, (error, socket) => {
          if (socket === null) {
            callback(error ?? new Error('no socket'), null);
            return;
          }
          socket.on('session', (fresh: Buffer) => {
            session = fresh;
          });
          callback(null, socket);
        });
      },
    });
  }

  #sweep(now: number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.active > 0 || now - entry.lastUsed < this.#options.keepAliveMs) continue;
      this.#entries.delete(key);
      // Nothing is under way in it, so there is no request that could fail.
      void entry.pool.destroy();
    }
  }
}
