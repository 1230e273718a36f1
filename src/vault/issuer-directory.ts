import { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { FreshnessGuard } from './record-cache.ts';
import type { IdpRecord } from './records.ts';

type Era = FreshnessGuard['era'];

interface Listing {
  readonly idps: readonly IdpRecord[];
  readonly era: Era;
  /** How many changes had been told when the reading began. */
  readonly changes: number;
}

/** All identity providers of an app, read once and again after each change of one: a token names its provider only by the issuer. */
export class IssuerDirectory {
  readonly #store: Store;
  readonly #guard: FreshnessGuard;
  readonly #find: (app: string, slug: string) => Promise<IdpRecord | undefined>;
  readonly #listings = new Map<string, Listing>();
  #changes = 0;

  constructor(store: Store, guard: FreshnessGuard, find: (app: string, slug: string) => Promise<IdpRecord | undefined>) {
    this.#store = store;
    this.#guard = guard;
    this.#find = find;
    guard.onChange((key) => {
      if (key.includes(':idp:')) this.#changes += 1;
    });
  }

  /** Throws or rejects with AlterError `store_unavailable`. */
  of(app: string): MaybePromise<readonly IdpRecord[]> {
    const known = this.#guard.alive() ? this.#listings.get(app) : undefined;
    return known?.era === this.#guard.era && known.changes === this.#changes ? known.idps : this.#read(app);
  }

  clear(): void {
    this.#listings.clear();
  }

  async #read(app: string): Promise<readonly IdpRecord[]> {
    const alive = this.#guard.alive();
    const { era } = this.#guard;
    const changes = this.#changes;
    const found = await Promise.all((await this.#slugs(app)).map((slug) => this.#find(app, slug)));
    const idps = found.flatMap((idp) => idp ?? []);
    // A change that was told meanwhile shows in the numbers, so that this listing is not served.
    if (alive) this.#listings.set(app, { idps, era, changes });
    return idps;
  }

  async #slugs(app: string): Promise<readonly string[]> {
    const slugs: string[] = [];
    let cursor: string | undefined;
    try {
      do {
        const page = await this.#store.list(app, 'idp', cursor === undefined ? {} : { cursor });
        slugs.push(...page.ids);
        ({ cursor } = page);
      } while (cursor !== undefined);
    } catch (cause) {
      if (cause instanceof StoreUnavailableError) throw new AlterError('store_unavailable', { cause });
      throw cause;
    }
    return slugs;
  }
}
