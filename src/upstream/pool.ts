import { AlterError } from '../errors.ts';
import type { Origin } from '../message/authority.ts';
import { DEFAULT_H1_LIMITS } from '../message/h1/limits.ts';
import type { Dialer } from './dial.ts';
import { H1Connection, type H1ConnectionOptions } from './h1-connection.ts';

/** Limits of a pool. Times are milliseconds. */
export interface PoolOptions {
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  /** 0: none. */
  readonly bodyTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxLifetimeMs: number;
  readonly maxConnections: number;
  /** Requests that may wait for a connection. */
  readonly maxQueue: number;
}

/** Waits for a connection. */
export interface Waiter {
  /** Exactly one of these is called, once. */
  connected(connection: H1Connection): void;
  refused(error: AlterError): void;
}

/** Since when somebody waits, and whether only a connection that has carried no request will do. */
interface Waiting {
  readonly since: number;
  readonly fresh: boolean;
}

/**
 * The connections to one origin for one principal. The connection that was used last is used first, so that as few as the load needs stay
 * warm and the others grow old; who finds none waits for the first that is opened or becomes free, in order.
 */
export class Pool {
  readonly #origin: Origin;
  readonly #dialer: Dialer;
  readonly #options: PoolOptions;
  readonly #connectionOptions: H1ConnectionOptions;
  readonly #idle: H1Connection[] = [];
  readonly #all = new Set<H1Connection>();
  readonly #waiting = new Map<Waiter, Waiting>();
  #dialling = 0;
  #session: Buffer | undefined;
  #used: number;
  #closed = false;

  constructor(origin: Origin, dialer: Dialer, options: PoolOptions) {
    this.#origin = origin;
    this.#dialer = dialer;
    this.#options = options;
    this.#used = performance.now();
    this.#connectionOptions = {
      limits: DEFAULT_H1_LIMITS,
      host: origin.host,
      headersTimeoutMs: options.headersTimeoutMs,
      bodyTimeoutMs: options.bodyTimeoutMs,
      keepAliveMs: options.keepAliveMs,
      maxLifetimeMs: options.maxLifetimeMs,
      free: (connection) => {
        this.#free(connection);
      },
      lost: (connection) => {
        this.#lost(connection);
      },
    };
  }

  /** Whether the pool may be forgotten: nothing is open, nobody waits, and its TLS session is too old to be worth keeping. */
  get isOver(): boolean {
    if (this.#all.size > 0 || this.#dialling > 0 || this.#waiting.size > 0) return false;
    return this.#closed || performance.now() - this.#used > this.#options.maxLifetimeMs;
  }

  /** Gives `waiter` a connection, at once when one is idle. `fresh`: one that has carried no request yet. */
  acquire(waiter: Waiter, fresh = false): void {
    this.#used = performance.now();
    const idle = fresh ? undefined : this.#takeIdle();
    if (idle !== undefined) {
      waiter.connected(idle);
      return;
    }
    const mayDial = this.#mayDial();
    if (!mayDial && this.#waiting.size - this.#dialling >= this.#options.maxQueue) {
      waiter.refused(new AlterError('too_many_connections', { detail: `too many requests wait for ${this.#origin.host}`, retryAfterS: 1 }));
      return;
    }
    this.#waiting.set(waiter, { since: performance.now(), fresh });
    if (mayDial) this.#dial();
    // An idle connection is of no use to who needs a fresh one: its place is.
    else if (fresh) this.#idle[0]?.destroy();
  }

  /** `waiter` waits no longer. */
  forget(waiter: Waiter): void {
    this.#waiting.delete(waiter);
  }

  /** Closes the idle connections now, and those in use when their exchange has ended. */
  retire(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
    for (const connection of this.#all) connection.retire();
  }

  /** Keeps no connection any longer. */
  close(): void {
    this.#closed = true;
    this.retire();
  }

  /** Ends everything with `error`. */
  interrupt(error: AlterError): void {
    this.close();
    for (const waiter of [...this.#waiting.keys()]) {
      this.#waiting.delete(waiter);
      waiter.refused(error);
    }
    for (const connection of [...this.#all]) connection.interrupt(error);
  }

  /** Looks for connections and waiters whose time is over. */
  sweep(): void {
    for (const connection of this.#all) connection.sweep();
    for (const [waiter, { since }] of this.#waiting) {
      if (performance.now() - since <= this.#options.connectTimeoutMs) return;
      this.#waiting.delete(waiter);
      waiter.refused(new AlterError('upstream_timeout', { detail: `no connection to ${this.#origin.host} became free in time` }));
    }
  }

  #takeIdle(): H1Connection | undefined {
    for (let connection = this.#idle.pop(); connection !== undefined; connection = this.#idle.pop()) {
      if (connection.usable) return connection;
      connection.destroy();
    }
    return undefined;
  }

  #dial(): void {
    this.#dialling += 1;
    this.#dialer.dial(this.#origin, this.#session, (error, socket) => {
      this.#dialling -= 1;
      if (socket === null) {
        this.#nextWaiter()?.refused(error ?? new AlterError('internal_error'));
        this.#dialForWaiting();
        return;
      }
      socket.on('session', (session: Buffer) => {
        this.#session = session;
      });
      const connection = new H1Connection(socket, this.#connectionOptions);
      this.#all.add(connection);
      this.#give(connection, this.#nextWaiter());
    });
  }

  /** A connection that was used goes to the first who takes one, unless somebody before them needs its place for a fresh one. */
  #free(connection: H1Connection): void {
    let dials = this.#dialling;
    for (const [waiter, { fresh }] of this.#waiting) {
      if (!fresh) {
        this.#waiting.delete(waiter);
        this.#give(connection, waiter);
        return;
      }
      dials -= 1;
      if (dials < 0) {
        connection.destroy();
        return;
      }
    }
    this.#give(connection, undefined);
  }

  #give(connection: H1Connection, waiter: Waiter | undefined): void {
    if (waiter !== undefined) waiter.connected(connection);
    else if (this.#closed) connection.destroy();
    else this.#idle.push(connection);
  }

  #nextWaiter(): Waiter | undefined {
    for (const waiter of this.#waiting.keys()) {
      this.#waiting.delete(waiter);
      return waiter;
    }
    return undefined;
  }

  #lost(connection: H1Connection): void {
    this.#all.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#dialForWaiting();
  }

  /** A place is free: for one who waits and for whom nobody dials. */
  #dialForWaiting(): void {
    if (this.#dialling < this.#waiting.size && this.#mayDial()) this.#dial();
  }

  #mayDial(): boolean {
    return this.#all.size + this.#dialling < this.#options.maxConnections;
  }
}
