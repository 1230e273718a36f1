/**
 * The records that are sealed into the store, as they stand inside the JWE. Instants are milliseconds since the epoch.
 * A record carries `v`, the version of its shape; a higher one than this code knows does not open.
 */
import type { Rule } from '../policy/rules.ts';
import type { ProviderTemplate } from '../providers/template.ts';

/** Version of the record shapes below. */
export const RECORD_VERSION = 1;

/** Who may use a grant. More kinds follow; an unknown kind never authorises. */
export type GrantPrincipal = { readonly type: 'system' };

/** One access path to a secret for one principal. */
export interface GrantRecord {
  readonly v: number;
  /** UUID, lower case. */
  readonly id: string;
  readonly app: string;
  readonly secretId: string;
  readonly label: string;
  readonly principal: GrantPrincipal;
  readonly policy: readonly Rule[];
  readonly status: 'active' | 'revoked' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt?: number;
}

/** The credential values for one provider. `fields` are the only plaintext secrets of the whole product. */
export interface SecretRecord {
  readonly v: number;
  /** `ms_` and 26 characters of Crockford base32. */
  readonly id: string;
  readonly app: string;
  readonly name: string;
  /** Slug of the provider. */
  readonly provider: string;
  /** Values by field name of the provider. */
  readonly fields: Readonly<Record<string, string>>;
  /** Where the credential may go: exact origins, `https://api.example.com:443`. */
  readonly origins: readonly string[];
  readonly status: 'active' | 'revoked' | 'deleted';
  /** 1 when stored, one more with each rotation. */
  readonly version: number;
  readonly createdAt: number;
  readonly rotatedAt: number;
  readonly updatedAt: number;
}

/** An API key; the record's id is the SHA-256 of the key, the key itself is nowhere. */
export interface KeyRecord {
  readonly v: number;
  /** SHA-256 of the key, hex. */
  readonly id: string;
  readonly app: string;
  readonly type: 'app';
  readonly name: string;
  /** First characters of the key, for display. */
  readonly prefix: string;
  readonly status: 'active' | 'revoked';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt?: number;
}

/** A custom provider of one app. The id is its slug. */
export interface ProviderRecord {
  readonly v: number;
  readonly id: string;
  readonly app: string;
  readonly template: ProviderTemplate;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Record type by kind. */
export interface RecordTypes {
  readonly grant: GrantRecord;
  readonly secret: SecretRecord;
  readonly key: KeyRecord;
  readonly provider: ProviderRecord;
}
