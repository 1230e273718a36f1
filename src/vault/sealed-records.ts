import { CommandError } from '../errors.ts';
import { ForeignValueError, StoreUnavailableError, refText } from '../store/store.ts';
import type { RecordKind, RecordRef, Store, Uses } from '../store/store.ts';
import type { Keyring } from './keyring.ts';
import { openRecord } from './open-record.ts';
import { RecordUnreadableError } from './record-unreadable.ts';
import type { RecordTypes } from './records.ts';
import { seal } from './sealing.ts';
import { parseRecord } from './shapes.ts';

/** How often a read-modify-write starts again when others write at the same time. */
export const WRITE_ATTEMPTS = 8;
/** Records read at a time in a listing. */
const PAGE_SIZE = 100;

/** A record as it stands in the store now. */
export interface Standing<T> {
  readonly text: string;
  readonly record: T;
}

/** What a listing found. */
export interface Listing<T> {
  /** Oldest first. */
  readonly records: readonly T[];
  /** Why the others do not open. */
  readonly unreadable: readonly RecordUnreadableError[];
}

/** The records of one app, as an operator's command reads and writes them: no cache, compare-and-set. Rejects with CommandError. */
export class SealedRecords {
  readonly app: string;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly #leftOut: (error: RecordUnreadableError) => void;

  /** `leftOut` hears of what a listing cannot read. */
  constructor(app: string, store: Store, keyring: Keyring, leftOut: (error: RecordUnreadableError) => void = () => undefined) {
    this.app = app;
    this.store = store;
    this.keyring = keyring;
    this.#leftOut = leftOut;
  }

  /** Where the record of this kind and id stands. */
  ref(kind: RecordKind, id: string): RecordRef {
    return kind === 'key' ? { kind, id } : { kind, app: this.app, id };
  }

  /** The record, or undefined. Another app's key is as good as none. */
  async read<K extends RecordKind>(kind: K, id: string): Promise<Standing<RecordTypes[K]> | undefined> {
    const ref = this.ref(kind, id);
    try {
      const text = await reach(() => readable(refText(ref), () => this.store.get(ref)));
      if (text === undefined) return undefined;
      const record = await openRecord(this.keyring, kind, ref, text);
      return record.app === this.app ? { text, record } : undefined;
    } catch (cause) {
      if (cause instanceof RecordUnreadableError) throw new CommandError('record_unreadable', cause.message, { cause });
      throw cause;
    }
  }

  /** Writes a new record; false when there is one already. */
  create<K extends RecordKind>(kind: K, record: RecordTypes[K]): Promise<boolean> {
    return this.#write(kind, undefined, record);
  }

  /** Takes a record away without a trace. Rejects with `record_conflict` after some attempts. */
  async withdraw(kind: RecordKind, id: string): Promise<void> {
    const ref = this.ref(kind, id);
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const text = await reach(() => this.store.get(ref));
      if (text === undefined || (await reach(() => this.store.put(ref, text, undefined)))) return;
    }
    throw new CommandError('record_conflict', `the ${kind} ${id} is being changed by somebody else`);
  }

  /**
   * Reads, changes and writes one record, again from the start when somebody else wrote in between. `change` may answer the record itself
   * (nothing is written) and throws for what must not be. Rejects with `record_conflict` after some attempts; undefined: no such record.
   */
  async update<K extends RecordKind>(
    kind: K,
    id: string,
    change: (record: RecordTypes[K]) => RecordTypes[K],
  ): Promise<RecordTypes[K] | undefined> {
    for (let attempt = 0; attempt < WRITE_ATTEMPTS; attempt++) {
      const standing = await this.read(kind, id);
      if (standing === undefined) return undefined;
      const changed = change(standing.record);
      if (changed === standing.record || (await this.#write(kind, standing.text, changed))) return changed;
    }
    throw new CommandError('record_conflict', `the ${kind} ${id} is being changed by somebody else`);
  }

  /** Every id of this kind in the store. Keys of other apps are among them. */
  async *ids(kind: RecordKind): AsyncGenerator<readonly string[], void, undefined> {
    let cursor: string | undefined;
    do {
      const options = { limit: PAGE_SIZE, ...(cursor === undefined ? {} : { cursor }) };
      const page = await reach(() => this.store.list(kind === 'key' ? '' : this.app, kind, options));
      yield page.ids;
      ({ cursor } = page);
    } while (cursor !== undefined);
  }

  /** The uses of these grants by id; undefined when the counts cannot be read. */
  async uses(ids: readonly string[]): Promise<ReadonlyMap<string, Uses> | undefined> {
    try {
      const uses = await reach(() => readable(`${this.app}:uses`, () => this.store.readUses(this.app, ids)));
      return new Map(uses.map((use) => [use.id, use]));
    } catch (error) {
      if (!(error instanceof RecordUnreadableError)) throw error;
      this.#leftOut(error);
      return undefined;
    }
  }

  /** All records of this kind, and what does not open. Keys that this keyring cannot open belong to other apps and are left out. */
  async list<K extends RecordKind>(kind: K): Promise<Listing<RecordTypes[K]>> {
    const records: RecordTypes[K][] = [];
    const unreadable: RecordUnreadableError[] = [];
    for await (const ids of this.ids(kind)) {
      const found = await Promise.all(ids.map((id) => this.#readForListing(kind, id)));
      for (const item of found) {
        if (item instanceof RecordUnreadableError) {
          unreadable.push(item);
          this.#leftOut(item);
        } else if (item !== undefined) records.push(item);
      }
    }
    return { records: records.sort((a, b) => a.createdAt - b.createdAt || compareText(a.id, b.id)), unreadable };
  }

  async #readForListing<K extends RecordKind>(kind: K, id: string): Promise<RecordTypes[K] | RecordUnreadableError | undefined> {
    try {
      return (await this.read(kind, id))?.record;
    } catch (error) {
      const cause = error instanceof CommandError ? error.cause : undefined;
      if (!(cause instanceof RecordUnreadableError)) throw error;
      return kind === 'key' && cause.reason === 'unknown_kid' ? undefined : cause;
    }
  }

  async #write<K extends RecordKind>(kind: K, expected: string | undefined, record: RecordTypes[K]): Promise<boolean> {
    const ref = this.ref(kind, record.id);
    checkReadable(kind, ref, record);
    const text = await seal(this.keyring, ref, record);
    return reach(() => this.store.put(ref, expected, text));
  }
}

/** Asks the store for `what`; where that is something else than the store keeps there, only this one thing cannot be read. */
async function readable<T>(what: string, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    throw cause instanceof ForeignValueError ? new RecordUnreadableError(what, 'wrong_type', { cause }) : cause;
  }
}

/** What is written must open again. */
function checkReadable(kind: RecordKind, ref: RecordRef, record: unknown): void {
  try {
    parseRecord(kind, ref, record);
  } catch (cause) {
    if (!(cause instanceof RecordUnreadableError)) throw cause;
    throw new CommandError('record_invalid', `the ${kind} cannot be stored: ${cause.member ?? 'a member'} is missing or wrong`, { cause });
  }
}

/** Calls the store; what it says of its own failure becomes a CommandError `store_unreachable`. */
export async function reach<T>(call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (cause) {
    if (cause instanceof StoreUnavailableError) {
      const { message, hint } = cause;
      throw new CommandError('store_unreachable', `the store cannot be used: ${message}`, {
        cause,
        ...(hint === undefined ? {} : { hint }),
      });
    }
    throw cause;
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
