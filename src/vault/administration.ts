import type { Secret } from '../secret/secret.ts';
import type { GrantRecord, KeyRecord } from './records.ts';
import type { SecretFacts } from './resolved.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import type { Rule } from '../policy/rules.ts';

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

  issueGrant(input: { readonly secret: string; readonly label: string; readonly ttlMs?: number; readonly policy?: readonly Rule[] }): Promise<GrantRecord>;
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

  /** Seals every record of the app again under its active key. Safe while proxies run; may be repeated. */
  rewrap(): Promise<{ readonly scanned: number; readonly rewrapped: number; readonly unreadable: number }>;
}
