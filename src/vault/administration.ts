import { CommandError } from '../errors.ts';
import type { Rule } from '../policy/rules.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import type { Secret } from '../secret/secret.ts';
import { RECORD_KINDS, StoreForbiddenError } from '../store/store.ts';
import type { RecordKind, Store } from '../store/store.ts';
import { AgentPermissions } from './agent-permissions.ts';
import { Agents } from './agents.ts';
import type { AgentAdministration } from './agents.ts';
import { ChangeTrail } from './change-trail.ts';
import { CustomProviders } from './custom-providers.ts';
import type { ShippedProviders } from './custom-providers.ts';
import { deleteProvider } from './delete-provider.ts';
import type { DeletedProvider } from './delete-provider.ts';
import { grantAdministration } from './grants/administration.ts';
import type { GrantAdministration } from './grants/administration.ts';
import { Idps } from './idps.ts';
import type { IdpAdministration } from './idps.ts';
import type { Keyring } from './keyring.ts';
import { Keys } from './keys.ts';
import type { CreatedKey, HandOver, NewKey, RotatedKey } from './keys.ts';
import { Policies } from './policies.ts';
import type { AttachedPolicy, PolicyTarget } from './policies.ts';
import type { AgentRecord, KeyRecord } from './records.ts';
import type { RecordUnreadableError } from './record-unreadable.ts';
import { recordedAgents, recordedIdps, recordedKeys } from './recorded-access.ts';
import type { SecretFacts } from './resolved.ts';
import { countSealedUnder, rewrapAll } from './rewrap.ts';
import { SealedRecords } from './sealed-records.ts';
import type { Listing } from './sealed-records.ts';
import { Secrets } from './secrets.ts';
import type { NewSecret, Rotation, SecretEdit } from './secrets.ts';
import type { PrepareInjection } from './vault.ts';

/** What an operator can do with the records of one app. Rejects with CommandError. A value that went in never comes out. */
export interface Administration extends GrantAdministration {
  /** Rejects as {@link addSecret} for what is wrong whatever the values are. Answers the provider. */
  checkNewSecret(input: Omit<NewSecret, 'fields'>): Promise<ProviderTemplate>;
  /** `hosts`: `host`, `host:port`, `https://host:port` or `http://host:port`; none: the provider's exact hosts. */
  addSecret(input: NewSecret): Promise<SecretFacts>;
  listSecrets(): Promise<readonly SecretFacts[]>;
  /** By id or by name. */
  showSecret(idOrName: string): Promise<SecretFacts>;
  /** Replaces the values of all fields, or with `others: 'kept'` of those that are given; grants keep working. */
  rotateSecret(idOrName: string, fields: Readonly<Record<string, Secret>>, rotation?: Rotation): Promise<SecretFacts>;
  editSecret(idOrName: string, edit: SecretEdit): Promise<SecretFacts>;
  /** Its grants answer `credential_revoked` until it is reactivated; the values stay. */
  revokeSecret(idOrName: string): Promise<SecretFacts>;
  reactivateSecret(idOrName: string): Promise<SecretFacts>;
  /** Leaves a tombstone without values: its grants answer `credential_revoked`. */
  deleteSecret(idOrName: string): Promise<SecretFacts>;

  /** Lets the agent issue grants for itself on the secret. */
  allowAgent(agent: string, secret: string): Promise<AgentRecord>;
  disallowAgent(agent: string, secret: string): Promise<AgentRecord>;

  /** The key is shown once, by the caller of this function. */
  createKey(input: NewKey): Promise<CreatedKey>;
  listKeys(): Promise<readonly KeyRecord[]>;
  /** The key of this id, if there is one. */
  findKey(id: string): Promise<KeyRecord | undefined>;
  /** By prefix, name or id. */
  deprecateKey(idOrName: string): Promise<KeyRecord>;
  /**
   * A new key with the same settings; the old one is deprecated and ends after `graceMs`, once the new one was handed over. When it cannot be,
   * it is revoked, and the old one stays as it was.
   */
  rotateKey(idOrName: string, graceMs: number, handOver?: HandOver<RotatedKey>): Promise<RotatedKey>;
  /** Lets the key live for `ttlMs` from now on, also when it has expired. */
  prolongKey(idOrName: string, ttlMs: number): Promise<KeyRecord>;
  revokeKey(idOrName: string): Promise<KeyRecord>;

  readonly agents: AgentAdministration;
  readonly idps: IdpAdministration;

  addProvider(template: ProviderTemplate): Promise<ProviderTemplate>;
  listProviders(): Promise<readonly { readonly template: ProviderTemplate; readonly custom: boolean }[]>;
  showProvider(slug: string): Promise<{ readonly template: ProviderTemplate; readonly custom: boolean }>;

  /** Deletes all secrets of a provider, and the provider itself when it is a custom one. */
  deleteProvider(slug: string): Promise<DeletedProvider>;

  /** Attaches rules in place of what was there; an empty list takes all away. */
  setPolicy(target: PolicyTarget, rules: readonly Rule[]): Promise<AttachedPolicy>;
  showPolicy(target: PolicyTarget): Promise<AttachedPolicy>;
  /** Every place that has rules. */
  listPolicies(): Promise<readonly AttachedPolicy[]>;

  /** Seals every record of the app again under its active key. Safe while proxies run; may be repeated. */
  rewrap(): Promise<{ readonly scanned: number; readonly rewrapped: number; readonly unreadable: number }>;

  /** Removes a master key, of any app, that seals nothing any more. Rejects with `keyring_key_in_use` while a record needs it, or it is active. */
  dropKey(kid: string): Promise<void>;

  /** Records of the app that do not open, and why: `default:grant:<uuid>: bad_seal`. Listings leave them out, and tell `leftOut`. */
  unreadable(): Promise<readonly string[]>;
}

/** What an {@link Administration} is made from. */
export interface AdministrationOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly catalogue: ShippedProviders;
  readonly app: string;
  readonly prepare: PrepareInjection;
  /** Longest life of a new grant of any secret, in milliseconds. */
  readonly maxTtlMs?: number | undefined;
  /** Who makes the changes, for the audit; `operator` unless told. */
  readonly by?: string;
  /** Hears of the records that a listing leaves out. */
  readonly leftOut?: (error: RecordUnreadableError) => void;
  /** Takes the audit events of the changes; the store unless told. */
  readonly audit?: Pick<Store, 'appendEvents'>;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** The administration of one app on a store. */
export function createAdministration(options: AdministrationOptions): Administration {
  const { app, store, keyring, prepare, maxTtlMs, by = 'operator', audit = store, now = Date.now } = options;
  const records = new SealedRecords(app, store, keyring, options.leftOut);
  const trail = new ChangeTrail({ store: audit, app, by, now });
  const providers = new CustomProviders({ records, shipped: options.catalogue, prepare, trail, now });
  const findProvider = async (slug: string): Promise<ProviderTemplate> => (await providers.show(slug)).template;
  const secrets = new Secrets({ records, findProvider, prepare, trail, now });
  const permissions = new AgentPermissions({ records, findSecret: (idOrName) => secrets.show(idOrName), trail, now });
  const agents: Agents = new Agents({ records, revokeKeys: (agent) => keys.revokeOfAgent(agent), now });
  const keys = new Keys({ records, checkAgent: (name) => agents.checkLives(name), now });
  const keysOnRecord = recordedKeys(keys, trail);
  const policies = new Policies({ records, findSecret: (idOrName) => secrets.usable(idOrName), findProvider, trail, now });
  return {
    checkNewSecret: (input) => secrets.checkNew(input),
    addSecret: (input) => secrets.add(input),
    listSecrets: () => secrets.list(),
    showSecret: (idOrName) => secrets.show(idOrName),
    rotateSecret: (idOrName, fields, rotation) => secrets.rotate(idOrName, fields, rotation),
    editSecret: (idOrName, edit) => secrets.edit(idOrName, edit),
    revokeSecret: (idOrName) => secrets.revoke(idOrName),
    reactivateSecret: (idOrName) => secrets.reactivate(idOrName),
    deleteSecret: (idOrName) => secrets.delete(idOrName),
    ...grantAdministration({ records, secrets, trail, maxTtlMs, now }),
    allowAgent: (agent, secret) => permissions.allow(agent, secret),
    disallowAgent: (agent, secret) => permissions.disallow(agent, secret),
    createKey: (input) => keysOnRecord.create(input),
    listKeys: () => keys.list(),
    findKey: (id) => keys.read(id),
    deprecateKey: (idOrName) => keysOnRecord.deprecate(idOrName),
    rotateKey: (idOrName, graceMs, handOver) => keysOnRecord.rotate(idOrName, graceMs, handOver),
    prolongKey: (idOrName, ttlMs) => keysOnRecord.prolong(idOrName, ttlMs),
    revokeKey: (idOrName) => keysOnRecord.revoke(idOrName),
    agents: recordedAgents(agents, trail),
    idps: recordedIdps(new Idps(records, now), trail),
    addProvider: (template) => providers.add(template),
    listProviders: () => providers.list(),
    showProvider: (slug) => providers.show(slug),
    deleteProvider: (slug) => deleteProvider(providers, secrets, slug),
    setPolicy: (target, rules) => policies.set(target, rules),
    showPolicy: (target) => policies.show(target),
    listPolicies: () => policies.list(),
    rewrap: () => rewrapAll(records),
    dropKey: (kid) => dropKey(records, kid),
    unreadable: () => listUnreadable(records),
  };
}

/** A keyring may hold the keys of several apps, and a key seals records of its own app only: those are the ones to look at. */
async function dropKey({ store, keyring, app: ownApp }: SealedRecords, kid: string): Promise<void> {
  const app = keyring.list().find((key) => key.kid === kid)?.app ?? ownApp;
  const count = await countSealedUnder(new SealedRecords(app, store, keyring), kid);
  if (count > 0) {
    throw new CommandError('keyring_key_in_use', `${String(count)} records of app ${app} are still sealed under ${kid}`, {
      hint: `Seal them again with: ${app === ownApp ? '' : `ALTER_APP=${app} `}alter-proxy keyring rewrap`,
    });
  }
  keyring.drop(kid);
}

/** The index of keys is one for all apps. Whoever may read only what a proxy must is told of the rest. */
async function listUnreadable(records: SealedRecords): Promise<readonly string[]> {
  const ofKind = async (kind: RecordKind): Promise<Listing<unknown>> => {
    try {
      return await records.list(kind);
    } catch (error) {
      if (kind === 'key' && error instanceof CommandError && error.cause instanceof StoreForbiddenError)
        return { records: [], unreadable: [] };
      throw error;
    }
  };
  const listings = await Promise.all(RECORD_KINDS.map(ofKind));
  return listings.flatMap(({ unreadable }) => unreadable.map(({ record, reason }) => `${record}: ${reason}`));
}
