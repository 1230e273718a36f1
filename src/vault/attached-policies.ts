import { AlterError } from '../errors.ts';
import { combinePolicies } from '../policy/policy.ts';
import type { CombinedPolicy } from '../policy/policy.ts';
import type { Rule } from '../policy/rules.ts';
import { refText } from '../store/store.ts';
import type { RecordRef, Store } from '../store/store.ts';
import type { Keyring } from './keyring.ts';
import { openRecord } from './open-record.ts';
import { RecordCache } from './record-cache.ts';
import type { FreshnessGuard } from './record-cache.ts';
import { RecordUnreadableError } from './record-unreadable.ts';
import type { GrantRecord } from './records.ts';
import type { SecretFacts } from './resolved.ts';

/** What {@link AttachedPolicies} is made from. */
export interface AttachedPoliciesOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly guard: FreshnessGuard;
  readonly cache: { readonly maxEntries: number; readonly maxStaleMs: number };
  /** Hears of a record that does not open. */
  readonly unreadable: (error: RecordUnreadableError) => void;
}

/** The rules of the app and of the provider of a grant: lists that are the same objects for as long as their records are. */
export interface OuterRules {
  readonly app: readonly Rule[];
  readonly provider: readonly Rule[];
}

const NONE: readonly Rule[] = Object.freeze([]);

/** What is attached to apps and providers. That there is nothing is cached like a record: what is created later is a change. */
export class AttachedPolicies {
  readonly #rules: RecordCache<readonly Rule[]>;
  readonly #unreadable: AttachedPoliciesOptions['unreadable'];

  constructor({ store, keyring, guard, cache, unreadable }: AttachedPoliciesOptions) {
    this.#unreadable = unreadable;
    const open = async (ref: RecordRef, text: string) => (await openRecord(keyring, 'policy', ref, text)).policy;
    this.#rules = new RecordCache({ store, guard, ...cache, open, absent: NONE });
  }

  /** The rules, when they may be served without asking the store. The caller has just been told that the guard is alive. */
  warm(appKey: string, providerKey: string): OuterRules | undefined {
    const app = this.#rules.warm(appKey);
    const provider = app === undefined ? undefined : this.#rules.warm(providerKey);
    return app === undefined || provider === undefined ? undefined : { app, provider };
  }

  /** The rules as they are now. Rejects with AlterError `policy_unavailable` when one of the records does not open, and `store_unavailable`. */
  async load(app: string, provider: string): Promise<OuterRules> {
    const [ofApp, ofProvider] = await Promise.all([this.#load(app, 'app'), this.#load(app, `provider.${provider}`)]);
    return { app: ofApp, provider: ofProvider };
  }

  /** Empties the cache. */
  clear(): void {
    this.#rules.clear();
  }

  async #load(app: string, id: string): Promise<readonly Rule[]> {
    const ref: RecordRef = { kind: 'policy', app, id };
    try {
      return (await this.#rules.load(refText(ref), ref)) ?? NONE;
    } catch (error) {
      if (!(error instanceof RecordUnreadableError)) throw error;
      this.#unreadable(error);
      throw new AlterError('policy_unavailable', { rule: 'record_unreadable', cause: error });
    }
  }
}

/** What holds for a grant, whoever calls. */
export function policyOfGrant(outer: OuterRules, secret: SecretFacts, grant: GrantRecord, source: GrantRecord | undefined): CombinedPolicy {
  return combinePolicies({
    app: outer.app,
    provider: outer.provider,
    secret: secret.policy,
    ...(source === undefined ? {} : { source: source.policy }),
    grant: grant.policy,
  });
}

/** Store keys of the two records. */
export function policyKeys(app: string, provider: string): { readonly app: string; readonly provider: string } {
  return { app: refText({ kind: 'policy', app, id: 'app' }), provider: refText({ kind: 'policy', app, id: `provider.${provider}` }) };
}
