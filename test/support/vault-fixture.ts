import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ChangeEvent } from '../../src/audit/change.ts';
import type { PreparedInjection } from '../../src/inject/injector.ts';
import type { ProviderTemplate } from '../../src/providers/template.ts';
import { Secret } from '../../src/secret/secret.ts';
import { reveal } from '../../src/secret/reveal.ts';
import { createAdministration } from '../../src/vault/administration.ts';
import type { Administration, AdministrationOptions } from '../../src/vault/administration.ts';
import { createKeyring, loadKeyring } from '../../src/vault/keyring.ts';
import type { Keyring } from '../../src/vault/keyring.ts';
import { Vault } from '../../src/vault/vault.ts';
import type { VaultOptions } from '../../src/vault/vault.ts';
import { MemoryStore } from './memory-store.ts';

/** A credential value that must turn up nowhere. */
export const VALUE = 'sk_test_NeverShowThisValue_4242';
/** An instant to begin with. */
export const START = 1_790_000_000_000;

/** A provider with one exact host and one field. */
export const acme: ProviderTemplate = {
  slug: 'acme',
  name: 'Acme',
  category: 'test',
  hosts: ['api.acme.test'],
  fields: { token: { label: 'Token', secret: true } },
  inject: [{ kind: 'bearer', format: '{token}' }],
  confidence: 'high',
};

/** A provider with a host for each tenant and two fields. */
export const tenants: ProviderTemplate = {
  ...acme,
  slug: 'tenants',
  hosts: ['*.tenants.test'],
  fields: { user: { label: 'User', secret: false }, token: { label: 'Token', secret: true } },
  inject: [{ kind: 'basic', username: '{user}', password: '{token}' }],
};

/** A shipped provider without hosts. */
export const generic: ProviderTemplate = { ...acme, slug: 'custom-bearer', hosts: [] };

/** An injection as far as the vault is concerned: it names its fields and knows what it was made from. */
export interface FakeInjection extends PreparedInjection {
  readonly reveals: () => Readonly<Record<string, string>>;
}

/** A keyring, a store, a clock and a log of their own, on which vaults and administrations stand. */
export class VaultFixture {
  readonly folder = mkdtempSync(join(tmpdir(), 'alter-vault-'));
  readonly file = join(this.folder, 'keyring.json');
  readonly store = new MemoryStore();
  readonly keyring: Keyring;
  readonly warnings: { readonly fields: Readonly<Record<string, unknown>>; readonly message: string }[] = [];
  readonly catalogue = new Map([acme, tenants, generic].map((template) => [template.slug, template]));
  now = START;
  prepared = 0;

  constructor(app = 'default') {
    this.keyring = createKeyring(this.file, app);
  }

  readonly prepare = (template: ProviderTemplate, fields: Readonly<Record<string, Secret>>): FakeInjection => {
    this.prepared++;
    if (template.inject.length === 0) throw new Error('nothing to inject');
    const values = Object.fromEntries(Object.entries(fields).map(([name, secret]) => [name, reveal(secret)]));
    return { writes: [`template:${template.name}`], apply: () => undefined, scrub: () => undefined, reveals: () => values };
  };

  administration(options: Partial<AdministrationOptions> = {}): Administration {
    const catalogue = { get: (slug: string) => this.catalogue.get(slug), all: () => this.catalogue.values() };
    return createAdministration({
      store: this.store,
      keyring: this.keyring,
      catalogue,
      app: 'default',
      prepare: this.prepare,
      now: () => this.now,
      ...options,
    });
  }

  /** A vault with a keyring of its own, as another process has. */
  vault(options: Partial<VaultOptions> = {}): Vault {
    return new Vault({
      store: this.store,
      keyring: loadKeyring(this.file),
      catalogue: this.catalogue,
      prepare: this.prepare,
      cache: { maxEntries: 100, maxStaleMs: 0 },
      apps: ['default'],
      log: { warn: (fields, message) => this.warnings.push({ fields, message }) },
      now: () => this.now,
      ...options,
    });
  }

  /** Stores a secret of `acme` and issues a grant on it. */
  async grant(
    options: { readonly ttlMs?: number; readonly name?: string } = {},
  ): Promise<{ readonly grantId: string; readonly secretId: string }> {
    const administration = this.administration();
    const secret = await administration.addSecret({
      name: options.name ?? 'acme main',
      provider: 'acme',
      fields: { token: new Secret(VALUE) },
      hosts: [],
    });
    const ttl = options.ttlMs === undefined ? {} : { ttlMs: options.ttlMs };
    const grant = await administration.issueGrant({ secret: secret.id, label: 'for tests', ...ttl });
    return { grantId: grant.id, secretId: secret.id };
  }

  /** An identity provider `okta`, an agent `bot`, and a secret `shared` of `acme`. */
  async people(administration = this.administration()): Promise<Administration> {
    await administration.idps.add({ slug: 'okta', issuer: 'https://idp.test', audiences: ['app'], jwks: { kind: 'discovery' } });
    await administration.agents.create({ name: 'bot' });
    await administration.addSecret({ name: 'shared', provider: 'acme', fields: { token: new Secret(VALUE) }, hosts: [] });
    return administration;
  }

  /** What was changed, in order, as the audit stream has it. */
  async changes(): Promise<readonly ChangeEvent[]> {
    const stored = await this.store.readEvents('default', { limit: 1000 });
    return stored.map(({ json }) => JSON.parse(json) as ChangeEvent);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Code of the AlterError or CommandError that `action` throws or rejects with, with the rule after a colon; 'none' when it does neither. */
export async function codeOf(action: () => unknown): Promise<string> {
  try {
    await action();
    return 'none';
  } catch (error) {
    const { code, rule } = error as { readonly code?: string; readonly rule?: string };
    if (code === undefined) throw error;
    return rule === undefined ? code : `${code}:${rule}`;
  }
}
