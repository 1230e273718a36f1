import { createHash, randomBytes } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import { LRUCache } from 'lru-cache';
import type { Ca } from './ca.ts';

/** How long a client may resume a session without a full handshake. */
const SESSION_TIMEOUT_S = 3600;

/** What {@link LeafContexts} is made of. */
export interface LeafContextsOptions {
  readonly ca: Ca;
  /** Contexts kept; the ones not used for longest go first. */
  readonly maxLeaves: number;
  readonly leafTtlMs: number;
  /** The clock, in milliseconds since the epoch. */
  readonly now?: () => number;
}

interface Entry {
  readonly context: SecureContext;
  readonly renewAt: number;
}

/**
 * TLS contexts for the hosts that clients ask for, each with a leaf of its own. Minting a leaf and above all making a
 * context cost CPU, so each host pays once; being synchronous, two clients can never make the same one at a time.
 */
export class LeafContexts {
  readonly #ca: Ca;
  readonly #leafTtlMs: number;
  readonly #now: () => number;
  readonly #entries: LRUCache<string, Entry>;
  /** Seals session tickets. One for all contexts, so that sessions outlive renewed and evicted leafs; of this process only. */
  readonly #ticketKeys = randomBytes(48);
  #minted = 0;

  constructor(options: LeafContextsOptions) {
    this.#ca = options.ca;
    this.#leafTtlMs = options.leafTtlMs;
    this.#now = options.now ?? Date.now;
    this.#entries = new LRUCache({ max: options.maxLeaves });
  }

  /** Leafs made since the start. */
  get minted(): number {
    return this.#minted;
  }

  /** Contexts kept now. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The context for `host` (lower-case DNS name or IP address, no brackets), renewed in the last quarter of its leaf's life.
   * Throws what {@link Ca.mintLeaf} throws.
   */
  contextFor(host: string): SecureContext {
    const known = this.#entries.get(host);
    if (known !== undefined && this.#now() < known.renewAt) return known.context;
    const made = this.#make(host);
    this.#entries.set(host, made);
    return made.context;
  }

  #make(host: string): Entry {
    const now = this.#now();
    const leaf = this.#ca.mintLeaf(host, this.#leafTtlMs);
    this.#minted += 1;
    const context = createSecureContext({
      cert: leaf.certificatePem,
      key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      ticketKeys: this.#ticketKeys,
      sessionTimeout: SESSION_TIMEOUT_S,
      // A session is resumed only under the host that it was made for (32 octets is the most that OpenSSL takes).
      sessionIdContext: createHash('sha256').update(host).digest('hex').slice(0, 32),
    });
    return { context, renewAt: leaf.notAfter - (leaf.notAfter - now) / 4 };
  }
}
