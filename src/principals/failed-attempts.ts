import { isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

/** How refusals are slowed. Times are milliseconds. */
export interface FailedAttemptsOptions {
  /** Refusals of one address that are answered at once. */
  readonly free?: number;
  /** The first delay; each further one is twice as long. */
  readonly firstDelayMs?: number;
  readonly longestDelayMs?: number;
  /** So long after its last failure an address begins anew. */
  readonly forgetAfterMs?: number;
  /** Addresses that are remembered; of more, those that failed longest ago are forgotten. */
  readonly maxAddresses?: number;
  readonly wait?: (ms: number) => Promise<void>;
  /** A clock that only goes forward. */
  readonly now?: () => number;
}

/**
 * Slows the refusals of keys that do not exist, for each client address on its own. Only a refusal waits: a valid key is never delayed, so
 * that nobody can slow the neighbours behind the same address.
 */
export class FailedAttempts {
  readonly #failures: LRUCache<string, { count: number; last: number }>;
  readonly #options: Required<FailedAttemptsOptions>;

  constructor(options: FailedAttemptsOptions = {}) {
    const defaults = { free: 5, firstDelayMs: 50, longestDelayMs: 2000, forgetAfterMs: 60_000, maxAddresses: 10_000 };
    this.#options = { ...defaults, wait: timer, now: () => performance.now(), ...options };
    this.#failures = new LRUCache({ max: this.#options.maxAddresses });
  }

  /** Counts one failure of `address`. Resolves when it may be answered; undefined: at once. */
  failed(address: string): Promise<void> | undefined {
    const { free, firstDelayMs, longestDelayMs, forgetAfterMs, wait, now } = this.#options;
    const at = now();
    const network = networkOf(address);
    const known = this.#failures.get(network);
    const count = known === undefined || at - known.last > forgetAfterMs ? 1 : known.count + 1;
    this.#failures.set(network, { count, last: at });
    if (count <= free) return undefined;
    return wait(Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(count - free - 1, 30)));
  }
}

/** One client has all addresses of a /64 at its disposal (RFC 6177). */
function networkOf(address: string): string {
  if (!isIPv6(address)) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const behind = tail === '' ? [] : tail.split(':');
    while (groups.length + behind.length < 8) groups.push('0');
    groups.push(...behind);
  }
  return groups.slice(0, 4).join(':');
}

function timer(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
