import { Redis } from 'ioredis';
import { inTime, TimedOutError } from './deadline.ts';
import { reasonOf, saysNotPrimary, saysOnlyNotConnected, unavailable } from './failure.ts';
import type { RedisTarget } from './target.ts';

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 1000;
/** A server that says so again within this time has been told about. */
const SAME_TROUBLE_MS = 10_000;

/** Receives, in one line, what is wrong with the connection to the store: once per trouble, not once per attempt. */
export type TroubleListener = (message: string) => void;

/** Delay before the `attempt`-th reconnect (1, 2, …). */
export function retryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LAST_RETRY_MS);
}

/** One connection that is made again, for ever, whenever it is lost. While there is none, calls fail at once. */
export class RedisConnection {
  readonly #target: RedisTarget;
  readonly #client: Redis;
  readonly #onTrouble: TroubleListener | undefined;
  #trouble: string | undefined;
  /** SELECT was refused: ioredis would go on in database 0, among the records of somebody else. */
  #inOtherDatabase = false;
  #started: Promise<void> | undefined;
  /** Number of the present connection: of many calls that time out together, one gives it up. */
  #life = 0;
  /** Monotonic instants at which a server last said that it is not the primary, and was last given up for it. */
  #notPrimaryAt = -Infinity;
  #leftAt = -Infinity;
  #onLeft: (() => void) | undefined;

  constructor(target: RedisTarget, onTrouble?: TroubleListener) {
    this.#target = target;
    this.#onTrouble = onTrouble;
    this.#client = new Redis({ ...target.options, retryStrategy: retryDelayMs });
    this.#client.on('connect', () => {
      this.#life += 1;
      this.#inOtherDatabase = false;
    });
    this.#client.on('ready', () => {
      if (!this.#inOtherDatabase) this.#trouble = undefined;
    });
    this.#client.on('error', (error: Error) => {
      this.#note(error);
    });
  }

  /** Number of the present connection; changes whenever a new one is made, so that what was learnt from the old one is not held against it. */
  get life(): number {
    return this.#life;
  }

  /** `listener` hears of each connection that is given up because its server is no longer the primary. */
  onLeft(listener: () => void): void {
    this.#onLeft = listener;
  }

  /** Starts to connect; resolves when the first attempt has succeeded or failed. Later calls wait for the same. */
  start(): Promise<void> {
    this.#started ??= this.#client.connect().catch((error: unknown) => {
      this.#note(error);
    });
    return this.#started;
  }

  /**
   * Runs `action`, which is one round trip; whatever it rejects with becomes a StoreUnavailableError. A connection that does not
   * answer in time is given up, so that nothing piles up on it; so is one to a server that is no longer the primary. `commands` are those
   * within a script, for whom the ACL forbids them.
   */
  async call<T>(action: (client: Redis) => Promise<T>, commands?: readonly string[]): Promise<T> {
    const life = this.#life;
    try {
      return await inTime(action(this.#client), this.#target.commandTimeoutMs);
    } catch (error) {
      if (error instanceof TimedOutError && life === this.#life) this.reset();
      else if (saysNotPrimary(reasonOf(error))) this.#leaveReplica(error);
      throw unavailable(this.#target, error, { lastTrouble: this.#trouble, commands });
    }
  }

  /** Drops the connection with all state that the server keeps for it, and makes a new one. */
  reset(): void {
    this.#life += 1;
    this.#client.disconnect(true);
  }

  close(): void {
    this.#client.disconnect();
  }

  /** A failover may leave the old connections open. While the address still leads to the replica, it is tried once a second. */
  #leaveReplica(error: unknown): void {
    const now = performance.now();
    if (now - this.#notPrimaryAt > SAME_TROUBLE_MS) this.#note(error);
    this.#notPrimaryAt = now;
    if (now - this.#leftAt < LAST_RETRY_MS) return;
    this.#leftAt = now;
    this.reset();
    this.#onLeft?.();
  }

  #note(error: unknown): void {
    const reason = reasonOf(error);
    if ((error as { command?: { name?: string } }).command?.name === 'select') {
      this.#inOtherDatabase = true;
      this.reset();
    }
    // The cause comes first; that there is now no connection says less.
    if (reason === this.#trouble || (this.#trouble !== undefined && saysOnlyNotConnected(reason))) return;
    this.#trouble = reason;
    this.#onTrouble?.(`Redis at ${this.#target.address}: ${reason}`);
  }
}
