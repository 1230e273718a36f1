import { CommandError } from '../errors.ts';
import type { Rule } from '../policy/rules.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import type { Secret } from '../secret/secret.ts';
import { RECORD_KINDS } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import { CustomProviders } from './custom-providers.ts';
import type { ShippedProviders } from './custom-providers.ts';
import { Grants } from './grants.ts';
import type { Keyring } from './keyring.ts';
import { Keys } from './keys.ts';
import { Policies, checkRules } from './policies.ts';
import type { AttachedPolicy, PolicyTarget } from './policies.ts';
import type { GrantRecord, KeyRecord } from './records.ts';
import type { SecretFacts } from './resolved.ts';
import { countSealedUnder, rewrapAll } from './rewrap.ts';
import { SealedRecords } from './sealed-records.ts';
import { Secrets } from './secrets.ts';
import type { PrepareInjection } from './vault.ts';

/** What an operator can do with the records of one app. Rejects with CommandError. A value that went in never comes out. */
export interface Administration {
  addSecret(input: {
    readonly name: string;
    readonly provider: string;
    readonly fields: Readonly<Record<string, Secret>>;
    /** `host`, `host:port`, `https://host:port` or `http://host:port`; empty: the provider's exact hosts. */
    readonly hosts: readonly string[];
  }): Promise<SecretFacts>;
  listSecrets(): Promise<readonly SecretFacts[]>;
  /** By id or by name. */
  showSecret(idOrName: string): Promise<SecretFacts>;
  /** Replaces the values of all fields; grants keep working. */
  rotateSecret(idOrName: string, fields: Readonly<Record<string, Secret>>): Promise<SecretFacts>;
  /** Leaves a tombstone without values: its grants answer `credential_revoked`. */
  deleteSecret(idOrName: string): Promise<SecretFacts>;

  issueGrant(input: {
    readonly secret: string;
    readonly label: string;
    readonly ttlMs?: number;
    readonly policy?: readonly Rule[];
  }): Promise<GrantRecord>;
  listGrants(): Promise<readonly GrantRecord[]>;
  showGrant(id: string): Promise<GrantRecord>;
  revokeGrant(id: string): Promise<GrantRecord>;

  /** The key is shown once, by the caller of this function. */
  createKey(input: { readonly name: string; readonly ttlMs?: number }): Promise<{ readonly key: Secret; readonly record: KeyRecord }>;
  listKeys(): Promise<readonly KeyRecord[]>;
  /** By prefix, name or id. */
  revokeKey(idOrName: string): Promise<KeyRecord>;

  addProvider(template: ProviderTemplate): Promise<ProviderTemplate>;
  listProviders(): Promise<readonly { readonly template: ProviderTemplate; readonly custom: boolean }[]>;
  showProvider(slug: string): Promise<{ readonly template: ProviderTemplate; readonly custom: boolean }>;

  /** Attaches rules in place of what was there; an empty list takes all away. */
  setPolicy(target: PolicyTarget, rules: readonly Rule[]): Promise<AttachedPolicy>;
  showPolicy(target: PolicyTarget): Promise<AttachedPolicy>;
  /** Every place that has rules. */
  listPolicies(): Promise<readonly AttachedPolicy[]>;

  /** Seals every record of the app again under its active key. Safe while proxies run; may be repeated. */
  rewrap(): Promise<{ readonly scanned: number; readonly rewrapped: number; readonly unreadable: number }>;

  /** Removes a master key that seals nothing any more. Rejects with `keyring_key_in_use` while a record needs it, or while it is active. */
  dropKey(kid: string): Promise<void>;

  /** Records of the app that do not open, and why: `default:grant:<uuid>: bad_seal`. Listings leave them out. */
  unreadable(): Promise<readonly string[]>;
}

/** What an {@link Administration} is made from. */
export interface AdministrationOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly catalogue: ShippedProviders;
  readonly app: string;
  readonly prepare: PrepareInjection;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** The administration of one app on a store. */
export function createAdministration(options: AdministrationOptions): Administration {
  const { keyring, prepare, now = Date.now } = options;
  const records = new SealedRecords(options.app, options.store, keyring);
  const providers = new CustomProviders({ records, shipped: options.catalogue, prepare, now });
  const findProvider = async (slug: string): Promise<ProviderTemplate> => (await providers.show(slug)).template;
  const secrets = new Secrets({ records, findProvider, prepare, now });
  const grants = new Grants({ records, findSecret: (idOrName) => secrets.usable(idOrName), now });
  const keys = new Keys(records, now);
  const policies = new Policies({ records, findSecret: (idOrName) => secrets.usable(idOrName), findProvider, now });
  return {
    addSecret: (input) => secrets.add(input),
    listSecrets: () => secrets.list(),
    showSecret: (idOrName) => secrets.show(idOrName),
    rotateSecret: (idOrName, fields) => secrets.rotate(idOrName, fields),
    deleteSecret: (idOrName) => secrets.delete(idOrName),
    issueGrant: async (input) => {
      checkRules(input.policy ?? []);
      return grants.issue(input);
    },
    listGrants: () => grants.list(),
    showGrant: (id) => grants.show(id),
    revokeGrant: (id) => grants.revoke(id),
    createKey: (input) => keys.create(input),
    listKeys: () => keys.list(),
    revokeKey: (idOrName) => keys.revoke(idOrName),
    addProvider: (template) => providers.add(template),
    listProviders: () => providers.list(),
    showProvider: (slug) => providers.show(slug),
    setPolicy: (target, rules) => policies.set(target, rules),
    showPolicy: (target) => policies.show(target),
    listPolicies: () => policies.list(),
    rewrap: () => rewrapAll(records),
    dropKey: (kid) => dropKey(records, kid),
    unreadable: () => listUnreadable(records),
  };
}

async function dropKey(records: SealedRecords, kid: string): Promise<void> {
  const count = await countSealedUnder(records, kid);
  if (count > 0) throw new CommandError('keyring_key_in_use', `${String(count)} records are still sealed under ${kid}`);
  records.keyring.drop(kid);
}

async function listUnreadable(records: SealedRecords): Promise<readonly string[]> {
  const listings = await Promise.all(RECORD_KINDS.map((kind) => records.list(kind)));
  return listings.flatMap(({ unreadable }) => unreadable.map(({ record, reason }) => `${record}: ${reason}`));
}
