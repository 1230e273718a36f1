import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { refText } from '../store/store.ts';
import type { RecordKind, RecordRef, Store } from '../store/store.ts';
import { IssuerDirectory } from './issuer-directory.ts';
import type { Keyring } from './keyring.ts';
import { deepFreeze } from './members.ts';
import { isAgentName, isSlug } from './names.ts';
import { openRecord } from './open-record.ts';
import { RecordCache } from './record-cache.ts';
import type { FreshnessGuard } from './record-cache.ts';
import { RecordUnreadableError } from './record-unreadable.ts';
import { RECORD_VERSION } from './records.ts';
import type { AgentRecord, HolderRecord, IdpRecord, RecordTypes } from './records.ts';

/** What {@link AccessRecords} are made from. */
export interface AccessRecordsOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly guard: FreshnessGuard;
  readonly cache: { readonly maxEntries: number; readonly maxStaleMs: number };
  readonly apps: readonly string[];
  /** Hears of records that do not open; to everybody else they are absent. */
  readonly unreadable: (error: RecordUnreadableError) => void;
}

/** Who holds nothing. Compared by identity. */
const NOTHING_HELD: HolderRecord = deepFreeze({ v: RECORD_VERSION, id: '', app: '', grants: [], createdAt: 0, updatedAt: 0 });

/**
 * The records that say who is calling and who holds what, cached like grants. Each look-up answers undefined for what is not there, does not
 * open or belongs to an app that is not served; without a promise when it is cached. Throws or rejects with AlterError `store_unavailable`.
 */
export class AccessRecords {
  readonly #options: AccessRecordsOptions;
  readonly #agents: RecordCache<AgentRecord>;
  readonly #idps: RecordCache<IdpRecord>;
  readonly #holders: RecordCache<HolderRecord>;
  readonly #issuers: IssuerDirectory;

  constructor(options: AccessRecordsOptions) {
    this.#options = options;
    this.#agents = this.#cache('agent');
    this.#idps = this.#cache('idp');
    this.#holders = this.#cache('holder', NOTHING_HELD);
    this.#issuers = new IssuerDirectory(options.store, options.guard, async (app, id) => this.findIdp(app, id));
  }

  findAgent(app: string, name: string): MaybePromise<AgentRecord | undefined> {
    return isAgentName(name) ? this.#find(this.#agents, { kind: 'agent', app, id: name }) : undefined;
  }

  /** The same frozen object for as long as the record is the same. */
  findIdp(app: string, slug: string): MaybePromise<IdpRecord | undefined> {
    return isSlug(slug) ? this.#find(this.#idps, { kind: 'idp', app, id: slug }) : undefined;
  }

  /** The identity providers of the app whose tokens name this issuer. */
  idpsOfIssuer(app: string, issuer: string): MaybePromise<readonly IdpRecord[]> {
    if (!this.#options.apps.includes(app)) return [];
    return chain(this.#issuers.of(app), (idps) => idps.filter((idp) => idp.issuer === issuer));
  }

  /** `id` is the holderId of a principal. */
  findHolder(app: string, id: string): MaybePromise<HolderRecord | undefined> {
    const found = this.#find(this.#holders, { kind: 'holder', app, id });
    return chain(found, (holder) => (holder === NOTHING_HELD ? undefined : holder));
  }

  /** Empties the caches. */
  clear(): void {
    for (const cache of [this.#agents, this.#idps, this.#holders, this.#issuers]) cache.clear();
  }

  #cache<K extends RecordKind>(kind: K, absent?: RecordTypes[K]): RecordCache<RecordTypes[K]> {
    const { store, keyring, guard, cache } = this.#options;
    const open = async (ref: RecordRef, text: string): Promise<RecordTypes[K]> => deepFreeze(await openRecord(keyring, kind, ref, text));
    return new RecordCache({ store, guard, ...cache, open, ...(absent === undefined ? {} : { absent }) });
  }

  #find<V>(cache: RecordCache<V>, ref: Extract<RecordRef, { readonly app: string }>): MaybePromise<V | undefined> {
    const key = refText(ref);
    const warm = this.#options.guard.alive() ? cache.warm(key) : undefined;
    if (warm !== undefined) return warm;
    return this.#options.apps.includes(ref.app) ? this.#load(cache, key, ref) : undefined;
  }

  async #load<V>(cache: RecordCache<V>, key: string, ref: RecordRef): Promise<V | undefined> {
    try {
      return await cache.load(key, ref);
    } catch (error) {
      if (!(error instanceof RecordUnreadableError)) throw error;
      this.#options.unreadable(error);
      return undefined;
    }
  }
}
