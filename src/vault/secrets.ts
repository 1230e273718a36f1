import { randomBytes } from 'node:crypto';
import type { ChangeAction } from '../audit/change.ts';
import { CommandError, notFound } from '../errors.ts';
import { tenantFields } from '../providers/derived-fields.ts';
import { isHostTemplate } from '../providers/host-template.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import { Secret, reveal } from '../secret/reveal.ts';
import { allowedOrigins } from './allowed-origins.ts';
import type { ChangeTrail } from './change-trail.ts';
import { credentialValues } from './credential-values.ts';
import { deepFreeze } from './members.ts';
import { isSecretId, isSecretName } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { SecretRecord } from './records.ts';
import type { SecretFacts } from './resolved.ts';
import type { SealedRecords } from './sealed-records.ts';
import type { PrepareInjection } from './vault.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ID_CHARACTERS = 26;

/** A secret as an operator gives it. */
export interface NewSecret {
  readonly name: string;
  readonly provider: string;
  readonly fields: Readonly<Record<string, Secret>>;
  readonly hosts: readonly string[];
  /** Longest life of a new grant, in seconds. */
  readonly maxTtlS?: number;
}

/** What an operator can change of a secret, besides its values. */
export interface SecretEdit {
  /** Longest life of a new grant, in seconds; `none`: any. Grants that stand already keep their expiry. */
  readonly maxTtlS: number | 'none';
}

/** What becomes of the fields that a rotation does not give: left out, but for what says where the credential goes and settings; or kept. */
export interface Rotation {
  readonly others?: 'left-out' | 'kept';
}

/** What the administration of secrets needs. */
export interface SecretsOptions {
  readonly records: SealedRecords;
  /** Rejects with CommandError `not_found`. */
  readonly findProvider: (slug: string) => Promise<ProviderTemplate>;
  readonly prepare: PrepareInjection;
  readonly trail: ChangeTrail;
  readonly now: () => number;
}

/** Managed secrets of one app. A value that went in never comes out: every answer is facts. */
export class Secrets {
  readonly #options: SecretsOptions;

  constructor(options: SecretsOptions) {
    this.#options = options;
  }

  /** Rejects as {@link add} for what is wrong whatever the values are, so that nobody has to type them in vain. Answers the provider. */
  async checkNew(input: Omit<NewSecret, 'fields'>): Promise<ProviderTemplate> {
    if (!isSecretName(input.name)) {
      throw new CommandError(
        'record_invalid',
        `${JSON.stringify(input.name)} cannot name a secret: 1 to 64 letters, digits, spaces, dots, dashes`,
      );
    }
    if (input.maxTtlS !== undefined) checkMaxTtl(input.maxTtlS);
    const template = await this.#options.findProvider(input.provider);
    if (input.hosts.length > 0 || !template.hosts.some(isHostTemplate)) allowedOrigins(template, input.hosts);
    if ((await this.#living(input.name)).length > 0) throw nameTaken(input.name);
    return template;
  }

  async add(input: NewSecret): Promise<SecretFacts> {
    const { records, prepare, trail, now } = this.#options;
    const template = await this.checkNew(input);
    const fields = credentialValues(template, input.fields, prepare);
    const origins = allowedOrigins(template, input.hosts, fields);
    const at = now();
    const record: SecretRecord = {
      v: RECORD_VERSION,
      id: newSecretId(),
      app: records.app,
      name: input.name,
      provider: template.slug,
      fields,
      origins,
      policy: [],
      ...(input.maxTtlS === undefined ? {} : { maxTtlS: input.maxTtlS }),
      status: 'active',
      version: 1,
      createdAt: at,
      rotatedAt: at,
      updatedAt: at,
    };
    if (!(await records.create('secret', record))) throw new CommandError('record_conflict', 'the new id is taken');
    await this.#withdrawIfNameIsShared(record);
    await trail.record({ action: 'secret.add', target: record.id, label: record.name });
    return factsOf(record);
  }

  async list(): Promise<readonly SecretFacts[]> {
    return (await this.#options.records.list('secret')).records.map(factsOf);
  }

  async show(idOrName: string): Promise<SecretFacts> {
    return factsOf(await this.#find(idOrName));
  }

  /** The facts of a secret that grants may point to. Rejects with `not_found`, also for a deleted one. */
  async usable(idOrName: string): Promise<SecretFacts> {
    const facts = await this.show(idOrName);
    if (facts.status !== 'active') throw gone(idOrName, facts.status);
    return facts;
  }

  /**
   * Replaces the values, or with `others: 'kept'` those that are given: an empty one takes an optional field away. The others are those of the
   * moment of writing, so that a token that a proxy renews meanwhile is not lost. A revoked secret stays revoked, so that a new value can be
   * there before it comes back.
   */
  async rotate(idOrName: string, given: Readonly<Record<string, Secret>>, { others = 'left-out' }: Rotation = {}): Promise<SecretFacts> {
    const { provider, status } = await this.show(idOrName);
    if (status === 'deleted') throw gone(idOrName, status);
    const template = await this.#options.findProvider(provider);
    const names = Object.keys(given);
    if (others === 'kept' && names.length === 0) throw new CommandError('record_invalid', 'no field is given');
    const members = others === 'kept' ? names.map((name) => `fields.${name}`) : ['fields'];
    return this.#change(idOrName, 'secret.rotate', members, (record, at) => {
      if (record.status === 'deleted') throw gone(idOrName, record.status);
      const pinned = pinnedFields(template, record, given);
      const values = others === 'kept' ? withoutEmptied(template, { ...secretsOf(record), ...given }) : { ...given, ...pinned };
      const fields = credentialValues(template, values, this.#options.prepare);
      return { ...record, fields, version: record.version + 1, rotatedAt: at, updatedAt: at };
    });
  }

  edit(idOrName: string, { maxTtlS }: SecretEdit): Promise<SecretFacts> {
    if (maxTtlS !== 'none') checkMaxTtl(maxTtlS);
    return this.#change(idOrName, 'secret.edit', ['maxTtlS'], (record, at) => {
      if (record.status === 'deleted') throw gone(idOrName, record.status);
      const { maxTtlS: before = 'none', ...rest } = record;
      if (before === maxTtlS) return record;
      return { ...rest, ...(maxTtlS === 'none' ? {} : { maxTtlS }), updatedAt: at };
    });
  }

  /** Ends the use of the secret until {@link reactivate}; its values stay. A deleted one stays as it is. */
  revoke(idOrName: string): Promise<SecretFacts> {
    return this.#change(idOrName, 'secret.revoke', ['status'], (record, at) =>
      record.status === 'active' ? { ...record, status: 'revoked', updatedAt: at } : record,
    );
  }

  /** Takes a revocation back. Rejects with `not_found` for a deleted secret: its values are gone. */
  reactivate(idOrName: string): Promise<SecretFacts> {
    return this.#change(idOrName, 'secret.reactivate', ['status'], (record, at) => {
      if (record.status === 'deleted') throw gone(idOrName, record.status);
      return record.status === 'active' ? record : { ...record, status: 'active', updatedAt: at };
    });
  }

  delete(idOrName: string): Promise<SecretFacts> {
    return this.#change(idOrName, 'secret.delete', ['status', 'fields'], (record, at) =>
      record.status === 'deleted' ? record : { ...record, fields: {}, status: 'deleted', updatedAt: at },
    );
  }

  async #change(
    idOrName: string,
    action: ChangeAction,
    members: readonly string[],
    change: (record: SecretRecord, at: number) => SecretRecord,
  ): Promise<SecretFacts> {
    const { records, trail, now } = this.#options;
    const { id } = await this.#find(idOrName);
    let before: SecretRecord | undefined;
    const changed = await records.update('secret', id, (record) => {
      before = record;
      return change(record, now());
    });
    if (changed === undefined) throw notFound('secret', idOrName);
    if (changed !== before) await trail.record({ action, target: id, label: changed.name, members });
    return factsOf(changed);
  }

  /** By id, or by name: the living one, else the one deleted last. */
  async #find(idOrName: string): Promise<SecretRecord> {
    const found = isSecretId(idOrName) ? (await this.#options.records.read('secret', idOrName))?.record : await this.#findByName(idOrName);
    if (found === undefined) throw notFound('secret', idOrName);
    return found;
  }

  async #findByName(name: string): Promise<SecretRecord | undefined> {
    const named = (await this.#options.records.list('secret')).records.filter((record) => record.name === name);
    return named.find(({ status }) => status !== 'deleted') ?? named.sort((a, b) => a.updatedAt - b.updatedAt).at(-1);
  }

  async #living(name: string): Promise<readonly SecretRecord[]> {
    return (await this.#options.records.list('secret')).records.filter((record) => record.name === name && record.status !== 'deleted');
  }

  /** Names are in sealed records, where no store can keep them unique: who finds another one after writing gives way. */
  async #withdrawIfNameIsShared({ id, name }: SecretRecord): Promise<void> {
    if ((await this.#living(name)).every((other) => other.id === id)) return;
    await this.#options.records.withdraw('secret', id);
    throw nameTaken(name);
  }
}

/** The fields that named the host when the secret was stored. Its origins stand, so these cannot change. */
function pinnedFields(
  template: ProviderTemplate,
  { fields }: SecretRecord,
  given: Readonly<Record<string, Secret>>,
): Readonly<Record<string, Secret>> {
  const names = tenantFields(template).filter((name) => Object.hasOwn(fields, name));
  const changed = names.find((name) => Object.hasOwn(given, name) && differs(given[name], fields[name]));
  if (changed !== undefined) {
    throw new CommandError('record_invalid', `the field ${changed} names the host of the secret and cannot change`, {
      hint: 'Store a secret of its own for another tenant.',
    });
  }
  // What is no credential and may be left out, such as a region, stays when it is left out.
  const settings = Object.entries(template.fields).filter(([, { optional, secret }]) => optional === true && !secret);
  const standing = settings.map(([name]) => name).filter((name) => Object.hasOwn(fields, name) && !Object.hasOwn(given, name));
  return Object.fromEntries([...names, ...standing].map((name) => [name, new Secret(fields[name] ?? '')]));
}

function secretsOf({ fields }: SecretRecord): Record<string, Secret> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, new Secret(value)]));
}

/** Without the optional fields that are given as nothing. */
function withoutEmptied(template: ProviderTemplate, fields: Readonly<Record<string, Secret>>): Record<string, Secret> {
  return Object.fromEntries(
    Object.entries(fields).filter(([name, value]) => reveal(value) !== '' || template.fields[name]?.optional !== true),
  );
}

function differs(given: Secret | undefined, standing: string | undefined): boolean {
  return given !== undefined && reveal(given).toLowerCase() !== standing?.toLowerCase();
}

function factsOf({ fields: _values, ...facts }: SecretRecord): SecretFacts {
  return deepFreeze(facts);
}

/** `ms_` and 130 random bits in Crockford base32. */
function newSecretId(): string {
  return `ms_${Array.from(randomBytes(ID_CHARACTERS), (byte) => CROCKFORD.charAt(byte & 31)).join('')}`;
}

function checkMaxTtl(maxTtlS: number): void {
  if (!Number.isSafeInteger(maxTtlS) || maxTtlS < 1)
    throw new CommandError('record_invalid', 'the longest life of a grant must be a whole number of seconds above 0');
}

function gone(idOrName: string, status: SecretRecord['status']): CommandError {
  return new CommandError('not_found', `the secret ${JSON.stringify(idOrName)} is ${status}`, {
    hint: 'See `alter-proxy secret list --all`.',
  });
}

function nameTaken(name: string): CommandError {
  return new CommandError('record_exists', `there is a secret named ${JSON.stringify(name)} already`);
}
