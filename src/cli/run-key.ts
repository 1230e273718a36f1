import type { Secret } from '../secret/secret.ts';
import type { Administration } from '../vault/administration.ts';

/** The stored key of one run. */
export interface RunKey {
  readonly key: Secret;
  /** Ends the key. Rejects with CommandError when it cannot; the key then expires by itself. */
  end(): Promise<void>;
}

/** What a {@link RunKey} needs. */
export interface RunKeyOptions {
  readonly administration: Pick<Administration, 'createKey' | 'prolongKey' | 'revokeKey'>;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  /** How often the clock is looked at. A minute unless told. */
  readonly checkMs?: number;
}

const HOUR_MS = 3_600_000;
const TTL_MS = 24 * HOUR_MS;
/** So early that a store which is away for most of a day ends no run. */
const PROLONG_AFTER_MS = 6 * HOUR_MS;
const CHECK_MS = 60_000;

/**
 * Makes a key that lives as long as the run does: a run that is killed leaves a key that ends within a day, and one that goes on for days
 * prolongs its own. The clock is looked at often, because timers stand still while a machine sleeps.
 */
export async function createRunKey({ administration, name, now = Date.now, checkMs = CHECK_MS }: RunKeyOptions): Promise<RunKey> {
  let prolongAt = now() + PROLONG_AFTER_MS;
  const { key, record } = await administration.createKey({ name, ttlMs: TTL_MS });
  let prolonging: Promise<void> | undefined;
  const prolong = async (): Promise<void> => {
    const at = now();
    try {
      await administration.prolongKey(record.id, TTL_MS);
      prolongAt = at + PROLONG_AFTER_MS;
    } catch {
      // The next look tries again. Stderr is the command's, and a client whose key has ended hears that from the proxy.
    }
    prolonging = undefined;
  };
  const timer = setInterval(() => {
    if (now() >= prolongAt) prolonging ??= prolong();
  }, checkMs).unref();
  return {
    key,
    end: async () => {
      clearInterval(timer);
      await prolonging;
      await administration.revokeKey(record.id);
    },
  };
}
