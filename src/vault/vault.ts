import { randomUUID } from 'node:crypto';
import { AlterError, type WireCode } from '../errors.ts';
import type { PreparedInjection } from '../inject/injector.ts';
import type { CredentialOwner, Prepare } from '../inject/prepare.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { parseUuid } from '../message/uuid.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import { Secret } from '../secret/reveal.ts';
import { refText } from '../store/store.ts';
import type { RecordKind, RecordRef, Store } from '../store/store.ts';
import { AccessRecords } from './access-records.ts';
import { checkSource } from './delegation.ts';
import { AttachedPolicies, policyKeys, policyOfGrant } from './attached-policies.ts';
import type { OuterRules } from './attached-policies.ts';
import type { Keyring } from './keyring.ts';
import { LastKey } from './last-key.ts';
import { lineageOf } from './lineage.ts';
import { deepFreeze } from './members.ts';
import { isKeyId, isSlug } from './names.ts';
import { openRecord } from './open-record.ts';
import { FreshnessGuard, RecordCache } from './record-cache.ts';
import { RecordUnreadableError } from './record-unreadable.ts';
import { RECORD_VERSION } from './records.ts';
import type { GrantRecord, KeyRecord, ProviderRecord, RecordTypes, SecretRecord } from './records.ts';
import type { ResolvedGrant, SecretFacts } from './resolved.ts';
import { checkUsable } from './usable.ts';

/** Compiles the injection of one secret. Throws when the fields do not fit the template. `owner`: of a secret that is stored. */
export type PrepareInjection = Prepare;

/** Where the vault says what it cannot read. Fields never hold content of a record. */
export interface VaultLog {
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** What a {@link Vault} is made from. */
export interface VaultOptions {
  readonly store: Store;
  readonly keyring: Keyring;
  readonly catalogue: { get(slug: string): ProviderTemplate | undefined };
  readonly prepare: PrepareInjection;
  readonly cache: { readonly maxEntries: number; readonly maxStaleMs: number };
  /** The apps whose grants are served; the grants of every other one do not exist. */
  readonly apps: readonly string[];
  readonly log: VaultLog;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

interface CachedGrant {
  readonly record: GrantRecord;
  readonly secretKey: string;
  /** Of a delegation: its source. */
  readonly sourceKey: string | undefined;
  /** The answer for the last version of secret, source and rules, so that a warm grant allocates nothing. */
  resolved: ResolvedFrom | undefined;
}

interface ResolvedFrom {
  readonly secret: CachedSecret;
  readonly injection: PreparedInjection;
  readonly source: GrantRecord | undefined;
  readonly outer: OuterRules;
  readonly value: ResolvedGrant;
}

/** What makes a {@link ResolvedGrant}. */
interface Found {
  readonly grant: CachedGrant;
  readonly source: GrantRecord | undefined;
  readonly secret: CachedSecret;
  readonly template: ProviderTemplate;
  readonly outer: OuterRules;
}

interface CachedSecret {
  readonly facts: SecretFacts;
  readonly providerKey: string;
  readonly policyKeys: ReturnType<typeof policyKeys>;
  readonly fields: Readonly<Record<string, Secret>>;
  readonly owner: CredentialOwner;
  prepared: { readonly template: ProviderTemplate; readonly injection: PreparedInjection } | undefined;
}

/** Resolves grants and finds API keys for the proxy. Opened records are cached for as long as the store can tell what changed. */
export class Vault {
  readonly #options: VaultOptions;
  readonly #guard: FreshnessGuard;
  readonly #grants: RecordCache<CachedGrant>;
  readonly #secrets: RecordCache<CachedSecret>;
  readonly #providers: RecordCache<ProviderRecord>;
  readonly #keys: RecordCache<KeyRecord>;
  /** Agents, identity providers, and what principals hold. */
  readonly access: AccessRecords;
  readonly #policies: AttachedPolicies;
  readonly #grantKey = new LastKey((app, id) => refText({ kind: 'grant', app, id }));
  readonly #keyKey = new LastKey((_, id) => refText({ kind: 'key', id }));

  constructor(options: VaultOptions) {
    this.#options = options;
    this.#guard = new FreshnessGuard(options.store, options.apps, options.now ?? Date.now);
    this.#grants = this.#cache('grant', cachedGrant);
    this.#secrets = this.#cache('secret', cachedSecret);
    this.#providers = this.#cache('provider', (record) => record);
    this.#keys = this.#cache('key', (record) => record);
    const unreadable = (error: RecordUnreadableError): void => {
      this.#reportUnreadable(error);
    };
    this.access = new AccessRecords({ ...options, guard: this.#guard, unreadable });
    this.#policies = new AttachedPolicies({ ...options, guard: this.#guard, unreadable });
  }

  /**
   * The grant with everything that is needed to use it; without a promise when it is cached. Throws or rejects with AlterError:
   * `invalid_grant_id`, `grant_not_found`, `grant_expired`, `grant_revoked`, `grant_deleted`, `credential_revoked`, `policy_unavailable` (the
   * clock stands before the grant was made), `store_unavailable`.
   */
  resolveGrant(app: string, id: string): MaybePromise<ResolvedGrant> {
    const now = this.#guard.now();
    return (this.#guard.alive(now) ? this.#resolveWarm(this.#grantKey.of(app, id), now) : undefined) ?? this.#resolveCold(app, id);
  }

  /**
   * A secret as if a grant of the operator's own, which stands nowhere, pointed to it; and its provider. Rejects with AlterError:
   * `grant_not_found` (no such secret), `credential_revoked`, `store_unavailable`.
   */
  async resolveSecret(app: string, id: string): Promise<{ readonly resolved: ResolvedGrant; readonly template: ProviderTemplate }> {
    const secret = await this.#load(this.#secrets, { kind: 'secret', app, id });
    if (secret === undefined) throw new AlterError('grant_not_found');
    checkSecret(secret.facts);
    const template = await this.#template(secret.facts);
    const outer = await this.#policies.load(app, secret.facts.provider);
    const grant = cachedGrant(operatorsGrant(app, id, this.#guard.now()));
    return { resolved: this.#combine({ grant, source: undefined, secret, template, outer }), template };
  }

  /**
   * Why uses of a grant that are under way must end: it, or its secret, was revoked or deleted. Undefined while they may go on, and while
   * the store cannot tell.
   */
  endOfGrant(app: string, id: string): MaybePromise<AlterError | undefined> {
    if (!this.#guard.alive()) return undefined;
    try {
      const resolved = this.resolveGrant(app, id);
      return resolved instanceof Promise ? resolved.then(() => undefined, endOf) : undefined;
    } catch (error) {
      return endOf(error);
    }
  }

  /**
   * The record of the API key with this fingerprint, or undefined when there is none that this keyring opens. Throws or rejects with
   * AlterError `store_unavailable`.
   */
  findKey(id: string): MaybePromise<KeyRecord | undefined> {
    const warm = this.#guard.alive() ? this.#keys.warm(this.#keyKey.of('', id)) : undefined;
    return warm ?? this.#findKeyCold(id);
  }

  /** Stops listening for changes and drops what is cached. */
  close(): void {
    this.#guard.close();
    for (const cache of [this.#grants, this.#secrets, this.#providers, this.#keys, this.#policies, this.access]) cache.clear();
  }

  #cache<K extends RecordKind, V>(kind: K, make: (record: RecordTypes[K]) => V): RecordCache<V> {
    const { store, keyring, cache } = this.#options;
    const open = async (ref: RecordRef, text: string): Promise<V> => make(await openRecord(keyring, kind, ref, text));
    return new RecordCache({ store, guard: this.#guard, ...cache, open });
  }

  #resolveWarm(key: string, now: number): ResolvedGrant | undefined {
    const grant = this.#grants.warm(key);
    if (grant === undefined) return undefined;
    checkUsable(grant.record, now);
    const source = grant.sourceKey === undefined ? undefined : this.#grants.warm(grant.sourceKey)?.record;
    if (grant.sourceKey !== undefined) {
      if (source === undefined) return undefined;
      checkSource(grant.record, source, now);
    }
    const secret = this.#secrets.warm(grant.secretKey);
    if (secret === undefined) return undefined;
    checkSecret(secret.facts);
    const template = this.#options.catalogue.get(secret.facts.provider) ?? this.#providers.warm(secret.providerKey)?.template;
    const outer = this.#policies.warm(secret.policyKeys.app, secret.policyKeys.provider);
    return template === undefined || outer === undefined ? undefined : this.#combine({ grant, source, secret, template, outer });
  }

  async #resolveCold(app: string, givenId: string): Promise<ResolvedGrant> {
    const id = parseUuid(givenId);
    if (id === undefined) throw new AlterError('invalid_grant_id');
    if (!this.#options.apps.includes(app)) throw new AlterError('grant_not_found');
    const grant = await this.#load(this.#grants, { kind: 'grant', app, id });
    if (grant === undefined) throw new AlterError('grant_not_found');
    checkUsable(grant.record, this.#guard.now());
    const source = await this.#loadSource(grant.record);
    const secret = await this.#load(this.#secrets, { kind: 'secret', app, id: grant.record.secretId });
    if (secret === undefined) throw new AlterError('credential_revoked');
    checkSecret(secret.facts);
    const template = await this.#template(secret.facts);
    const outer = await this.#policies.load(app, secret.facts.provider);
    return this.#combine({ grant, source, secret, template, outer });
  }

  async #loadSource(grant: GrantRecord): Promise<GrantRecord | undefined> {
    const { app, delegatedFrom } = grant;
    if (delegatedFrom === undefined) return undefined;
    const source = (await this.#load(this.#grants, { kind: 'grant', app, id: delegatedFrom }))?.record;
    checkSource(grant, source, this.#guard.now());
    return source;
  }

  async #template({ app, id, provider }: SecretFacts): Promise<ProviderTemplate> {
    const shipped = this.#options.catalogue.get(provider);
    if (shipped !== undefined) return shipped;
    const custom = isSlug(provider) ? await this.#load(this.#providers, { kind: 'provider', app, id: provider }) : undefined;
    if (custom !== undefined) return custom.template;
    this.#options.log.warn({ app, secret: id, provider }, 'the provider of a secret is in neither the catalogue nor the store');
    throw new AlterError('grant_not_found', { rule: 'provider_unknown' });
  }

  async #findKeyCold(id: string): Promise<KeyRecord | undefined> {
    if (!isKeyId(id)) return undefined;
    try {
      return await this.#keys.load(`key:${id}`, { kind: 'key', id });
    } catch (error) {
      if (!(error instanceof RecordUnreadableError)) throw error;
      // A key of an app that this keyring does not serve is nothing unusual in a shared store.
      if (error.reason !== 'unknown_kid' || error.cause !== undefined) this.#reportUnreadable(error);
      return undefined;
    }
  }

  async #load<V>(cache: RecordCache<V>, ref: RecordRef): Promise<V | undefined> {
    try {
      return await cache.load(refText(ref), ref);
    } catch (error) {
      if (!(error instanceof RecordUnreadableError)) throw error;
      this.#reportUnreadable(error);
      throw new AlterError('grant_not_found', { rule: 'record_unreadable', cause: error });
    }
  }

  #reportUnreadable({ record, reason, message, cause }: RecordUnreadableError): void {
    const because = cause instanceof Error ? { because: cause.message } : {};
    this.#options.log.warn({ record, reason, ...because }, message);
  }

  /** The same frozen object for as long as grant, source, secret, template and rules are the same. */
  #combine({ grant, source, secret, template, outer }: Found): ResolvedGrant {
    const injection = secret.prepared?.template === template ? secret.prepared.injection : this.#prepare(secret, template);
    const known = grant.resolved;
    const same = known?.secret === secret && known.source === source && known.injection === injection;
    if (same && known.outer.app === outer.app && known.outer.provider === outer.provider) return known.value;
    const policy = policyOfGrant(outer, secret.facts, grant.record, source);
    const plain = { grant: grant.record, secret: secret.facts, injection, policy };
    const value: ResolvedGrant = Object.freeze(source === undefined ? plain : { ...plain, source });
    grant.resolved = { secret, injection, source, outer, value };
    return value;
  }

  #prepare(secret: CachedSecret, template: ProviderTemplate): PreparedInjection {
    const { id, app, provider } = secret.facts;
    try {
      const injection = this.#options.prepare(template, secret.fields, secret.owner);
      secret.prepared = { template, injection };
      return injection;
    } catch (cause) {
      this.#options.log.warn({ app, secret: id, provider }, 'the stored fields of a secret do not fit its provider');
      throw new AlterError('grant_not_found', { rule: 'provider_mismatch', cause });
    }
  }
}

const ENDS: ReadonlySet<WireCode> = new Set(['grant_revoked', 'grant_deleted', 'credential_revoked']);

/** An expired grant takes no new request, but those that began in time may end; any other error says nothing of the grant. */
function endOf(error: unknown): AlterError | undefined {
  return error instanceof AlterError && ENDS.has(error.code) ? error : undefined;
}

function cachedGrant(record: GrantRecord): CachedGrant {
  const { app, secretId, delegatedFrom } = record;
  const sourceKey = delegatedFrom === undefined ? undefined : refText({ kind: 'grant', app, id: delegatedFrom });
  return { record, secretKey: refText({ kind: 'secret', app, id: secretId }), sourceKey, resolved: undefined };
}

function operatorsGrant(app: string, secretId: string, now: number): GrantRecord {
  const times = { createdAt: now, updatedAt: now };
  const principal = { type: 'system' } as const;
  return { v: RECORD_VERSION, id: randomUUID(), app, secretId, label: 'secret test', principal, policy: [], status: 'active', ...times };
}

function cachedSecret({ fields, ...facts }: SecretRecord): CachedSecret {
  return {
    facts: deepFreeze(facts),
    providerKey: refText({ kind: 'provider', app: facts.app, id: facts.provider }),
    policyKeys: policyKeys(facts.app, facts.provider),
    fields: Object.freeze(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, new Secret(value)]))),
    owner: { app: facts.app, id: facts.id, lineage: lineageOf(facts) },
    prepared: undefined,
  };
}

function checkSecret({ status }: SecretFacts): void {
  if (status !== 'active') throw new AlterError('credential_revoked');
}
