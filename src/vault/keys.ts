import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../errors.ts';
import { parseNetwork } from '../message/network.ts';
import type { Secret } from '../secret/reveal.ts';
import { expiryAfter } from './expiry.ts';
import { fingerprint, mintKey } from './fingerprint.ts';
import { isKeyId, isLabel } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { KeyRecord } from './records.ts';
import type { SealedRecords } from './sealed-records.ts';

/** A key as an operator asks for it. */
export interface NewKey {
  readonly name: string;
  readonly ttlMs?: number;
  /** Networks or addresses from which it is taken; none: any. */
  readonly cidrs?: readonly string[];
  /** Keys for development end after 30 days, keys for production name their networks. */
  readonly environment?: KeyRecord['environment'];
  /** The agent whose key it is; none: a key of the app. */
  readonly agent?: string;
}

/** A key that was just made. The text is nowhere else. */
export interface CreatedKey {
  readonly key: Secret;
  readonly record: KeyRecord;
}

/** A key that took the place of another. */
export interface RotatedKey extends CreatedKey {
  /** The other one, as it is from now on. */
  readonly previous: KeyRecord;
}

/** Gives a new key to its owner; rejects when the owner does not get it. */
export type HandOver<Key extends CreatedKey = CreatedKey> = (key: Key) => Promise<void>;

/** What the administration of keys needs. */
export interface KeysOptions {
  readonly records: SealedRecords;
  /** Rejects with CommandError unless the agent may have keys. */
  readonly checkAgent: (name: string) => Promise<void>;
  readonly now: () => number;
}

const DAY_MS = 86_400_000;
/** Longest life of a key for development. */
const DEVELOPMENT_TTL_MS = 30 * DAY_MS;

/** API keys of one app. Only their fingerprints are stored. */
export class Keys {
  readonly #options: KeysOptions;

  constructor(options: KeysOptions) {
    this.#options = options;
  }

  async create(input: NewKey): Promise<CreatedKey> {
    const { name, environment, agent } = input;
    if (!isLabel(name)) throw new CommandError('record_invalid', 'the name of a key must be 1 to 128 printable characters');
    const cidrs = (input.cidrs ?? []).map(networkText);
    if (environment === 'production' && cidrs.length === 0) {
      throw new CommandError('record_invalid', 'a key for production must say from which networks it is taken', {
        hint: 'Name them with --cidr.',
      });
    }
    if (agent !== undefined) await this.#options.checkAgent(agent);
    const ttlMs = environment === 'development' ? developmentTtl(input.ttlMs) : input.ttlMs;
    return this.#mint({
      type: agent === undefined ? 'app' : 'agent',
      ...(agent === undefined ? {} : { agent }),
      ...(environment === undefined ? {} : { environment }),
      name,
      cidrs,
      ...expiryAfter(ttlMs, this.#options.now()),
    });
  }

  async list(): Promise<readonly KeyRecord[]> {
    return (await this.#options.records.list('key')).records;
  }

  /** The key of this id, if there is one. */
  async read(id: string): Promise<KeyRecord | undefined> {
    return (await this.#options.records.read('key', id))?.record;
  }

  /** The key works on, and every answer to it says that it should be replaced. */
  async deprecate(idOrName: string): Promise<KeyRecord> {
    return this.#change(await this.#find(idOrName), (record) =>
      record.status === 'active' ? { ...record, status: 'deprecated', updatedAt: this.#options.now() } : record,
    );
  }

  /**
   * A new key with the same settings and as long a life. The old one is deprecated and ends after `graceMs`; 0: now. That comes last: when
   * `handOver` rejects, the new key is revoked, the old one is as it was, and this rejects with what {@link endLost} answers. So it does with
   * `record_conflict` when somebody else has changed the old key meanwhile, perhaps rotated it.
   */
  async rotate(idOrName: string, graceMs: number, handOver: HandOver<RotatedKey> = () => Promise.resolve()): Promise<RotatedKey> {
    const old = await this.#find(idOrName);
    const at = this.#options.now();
    if (!isUsable(old, at)) {
      throw new CommandError('not_allowed', `the key ${old.name} has ended`, { hint: 'Make a new one with `alter-proxy key create`.' });
    }
    if (!Number.isSafeInteger(graceMs) || graceMs < 0) throw new CommandError('record_invalid', 'the grace must not be negative');
    if (old.agent !== undefined) await this.#options.checkAgent(old.agent);
    const { type, agent, environment, name, cidrs } = old;
    const created = await this.#mint({
      ...{ type, name, cidrs },
      ...(agent === undefined ? {} : { agent }),
      ...(environment === undefined ? {} : { environment }),
      ...expiryAfter(old.expiresAt === undefined ? undefined : old.expiresAt - old.createdAt, at),
    });
    const rotated = { ...created, previous: ended(old, at, graceMs) };
    try {
      await handOver(rotated);
      await this.#change(old, (record) => {
        if (!isDeepStrictEqual(record, old)) throw new CommandError('record_conflict', `the key ${old.name} was changed by somebody else`);
        return rotated.previous;
      });
      return rotated;
    } catch (error) {
      throw await endLost(created.record, error, () => this.#revoke(created.record));
    }
  }

  /** Lets the key live for `ttlMs` from now on, also when it has expired: for who holds it and goes on. A revoked key does not come back. */
  async prolong(idOrName: string, ttlMs: number): Promise<KeyRecord> {
    const at = this.#options.now();
    return this.#change(await this.#find(idOrName), (record) => {
      if (record.status === 'revoked') throw new CommandError('not_allowed', `the key ${record.name} is revoked`);
      return { ...record, updatedAt: at, ...expiryAfter(ttlMs, at) };
    });
  }

  /** Ends the key for good; a revoked key stays as it is. */
  async revoke(idOrName: string): Promise<KeyRecord> {
    return this.#revoke(await this.#find(idOrName));
  }

  /** Revokes every key of an agent; resolves with how many were usable. */
  async revokeOfAgent(agent: string): Promise<number> {
    const keys = (await this.list()).filter((key) => key.agent === agent && key.status !== 'revoked');
    for (const key of keys) await this.#revoke(key);
    return keys.length;
  }

  #revoke(key: KeyRecord): Promise<KeyRecord> {
    return this.#change(key, (record) => ended(record, this.#options.now(), 0));
  }

  async #mint(settings: Omit<KeyRecord, 'v' | 'id' | 'app' | 'prefix' | 'status' | 'createdAt' | 'updatedAt'>): Promise<CreatedKey> {
    const { records, now } = this.#options;
    const { key, shown } = mintKey(settings.type);
    const id = fingerprint(key);
    if (id === undefined) throw new CommandError('internal', 'a new key does not have the form of a key');
    const at = now();
    const rest = { prefix: shown, status: 'active', createdAt: at, updatedAt: at } as const;
    const record: KeyRecord = { v: RECORD_VERSION, id, app: records.app, ...settings, ...rest };
    if (!(await records.create('key', record))) throw new CommandError('record_conflict', 'the new key is taken');
    return { key, record };
  }

  async #change({ id, name }: KeyRecord, change: (record: KeyRecord) => KeyRecord): Promise<KeyRecord> {
    const changed = await this.#options.records.update('key', id, change);
    if (changed === undefined) throw unknown(name);
    return changed;
  }

  async #find(idOrName: string): Promise<KeyRecord> {
    const named = isKeyId(idOrName)
      ? [await this.read(idOrName)].flatMap((record) => record ?? [])
      : (await this.list()).filter(({ name, prefix }) => name === idOrName || prefix === idOrName);
    // After a rotation the new key has the name, and the one that it replaced is found by its prefix.
    const byStatus = ['active', 'deprecated'].map((status) => named.filter((key) => key.status === status));
    const [found, another] = byStatus.find((keys) => keys.length > 0) ?? named.slice(-1);
    if (found === undefined) throw unknown(idOrName);
    if (another !== undefined) {
      throw new CommandError('record_invalid', `several keys are called ${JSON.stringify(idOrName)}`, {
        hint: 'Name the key by its prefix or id. While somebody rotates it there are two for a moment.',
      });
    }
    return found;
  }
}

/**
 * Ends a new key that nobody has got because of `failure`. Answers the error to throw: the same failure, with what has become of the key.
 * `revoke` ends it, and rejects with CommandError when it cannot.
 */
export async function endLost({ prefix }: KeyRecord, failure: unknown, revoke: () => Promise<unknown>): Promise<unknown> {
  const { code, message, hint } = failure instanceof CommandError ? failure : new CommandError('internal', String(failure));
  try {
    await revoke();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return new CommandError(code, `${message}; the new key ${prefix} still works: it could not be revoked: ${why}`, {
      hint: `Revoke it with: alter-proxy key revoke ${prefix}`,
      cause: failure,
    });
  }
  return new CommandError(code, `${message}; the new key ${prefix} was revoked`, { hint, cause: failure });
}

/** Whether a key is taken at `now`, as far as its record says. */
function isUsable({ status, expiresAt }: KeyRecord, now: number): boolean {
  return status !== 'revoked' && (expiresAt === undefined || now < expiresAt);
}

function ended(record: KeyRecord, at: number, graceMs: number): KeyRecord {
  if (record.status === 'revoked') return record;
  if (graceMs === 0) return { ...record, status: 'revoked', updatedAt: at };
  return { ...record, status: 'deprecated', updatedAt: at, expiresAt: Math.min(record.expiresAt ?? Infinity, at + graceMs) };
}

function developmentTtl(ttlMs = DEVELOPMENT_TTL_MS): number {
  if (ttlMs <= DEVELOPMENT_TTL_MS) return ttlMs;
  throw new CommandError('record_invalid', 'a key for development ends after 30 days at most');
}

/** The network in CIDR notation; one address is a network of its own. Throws CommandError `record_invalid`. */
function networkText(text: string): string {
  const network = parseNetwork(text);
  if (network === undefined) throw new CommandError('record_invalid', `${JSON.stringify(text)} is no network such as 10.0.0.0/8`);
  if (network.bits === 0) throw new CommandError('record_invalid', `${text} is the whole Internet: leave the networks out instead`);
  return text.includes('/') ? text : `${text}/${String(network.bits)}`;
}

/** What was asked for may be the text of a key, given by mistake: it is not repeated. */
function unknown(idOrName: string): CommandError {
  const shown = idOrName.startsWith('alter_key_') ? 'with this prefix' : JSON.stringify(idOrName);
  return new CommandError('not_found', `there is no key ${shown}`, { hint: 'See `alter-proxy key list`.' });
}
