import { CommandError } from '../errors.ts';
import type { Secret } from '../secret/reveal.ts';
import { expiryAfter } from './expiry.ts';
import { fingerprint, mintAppKey } from './fingerprint.ts';
import { isKeyId, isLabel } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { KeyRecord } from './records.ts';
import type { SealedRecords } from './sealed-records.ts';

/** A key as an operator asks for it. */
export interface NewKey {
  readonly name: string;
  readonly ttlMs?: number;
}

/** A key that was just made. The text is nowhere else. */
export interface CreatedKey {
  readonly key: Secret;
  readonly record: KeyRecord;
}

/** API keys of one app. Only their fingerprints are stored. */
export class Keys {
  readonly #records: SealedRecords;
  readonly #now: () => number;

  constructor(records: SealedRecords, now: () => number) {
    this.#records = records;
    this.#now = now;
  }

  async create(input: NewKey): Promise<CreatedKey> {
    if (!isLabel(input.name)) throw new CommandError('record_invalid', 'the name of a key must be 1 to 128 printable characters');
    const { key, shown } = mintAppKey();
    const id = fingerprint(key);
    if (id === undefined) throw new CommandError('internal', 'a new key does not have the form of a key');
    const at = this.#now();
    const record: KeyRecord = {
      v: RECORD_VERSION,
      id,
      app: this.#records.app,
      type: 'app',
      name: input.name,
      prefix: shown,
      cidrs: [],
      status: 'active',
      createdAt: at,
      updatedAt: at,
      ...expiryAfter(input.ttlMs, at),
    };
    if (!(await this.#records.create('key', record))) throw new CommandError('record_conflict', 'the new key is taken');
    return { key, record };
  }

  async list(): Promise<readonly KeyRecord[]> {
    return (await this.#records.list('key')).records;
  }

  /** Ends the key for good; a revoked key stays as it is. */
  async revoke(idOrName: string): Promise<KeyRecord> {
    const { id } = await this.#find(idOrName);
    const revoke = (record: KeyRecord): KeyRecord =>
      record.status === 'revoked' ? record : { ...record, status: 'revoked', updatedAt: this.#now() };
    const changed = await this.#records.update('key', id, revoke);
    if (changed === undefined) throw unknown(idOrName);
    return changed;
  }

  async #find(idOrName: string): Promise<KeyRecord> {
    const named = isKeyId(idOrName)
      ? [(await this.#records.read('key', idOrName))?.record].flatMap((record) => record ?? [])
      : (await this.list()).filter(({ name, prefix }) => name === idOrName || prefix === idOrName);
    const active = named.filter(({ status }) => status === 'active');
    const [found, another] = active.length > 0 ? active : named.slice(-1);
    if (found === undefined) throw unknown(idOrName);
    if (another !== undefined) {
      throw new CommandError('record_invalid', `several keys are called ${JSON.stringify(idOrName)}`, {
        hint: 'Name the key by its prefix or id.',
      });
    }
    return found;
  }
}

/** What was asked for may be the text of a key, given by mistake: it is not repeated. */
function unknown(idOrName: string): CommandError {
  const shown = idOrName.startsWith('alter_key_') ? 'with this prefix' : JSON.stringify(idOrName);
  return new CommandError('not_found', `there is no key ${shown}`);
}
