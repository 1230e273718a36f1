/**
 * The records that are sealed into the store, as they stand inside the JWE. Instants are milliseconds since the epoch.
 * A record carries `v`, the version of its shape; a higher one than this code knows does not open.
 */
import type { Rule } from '../policy/rules.ts';
import type { ProviderTemplate } from '../providers/template.ts';

/** Version of the record shapes below. */
export const RECORD_VERSION = 1;

/** Who may use a grant; a kind that this version does not know never authorises. */
export type GrantPrincipal =
  | { readonly type: 'system' }
  /** One subject of an identity provider of the app. */
  | { readonly type: 'user'; readonly idp: string; readonly subject: string }
  /** Whoever is a member at the time of the call. */
  | { readonly type: 'group'; readonly idp: string; readonly group: string }
  /** The agent of this name. */
  | { readonly type: 'agent'; readonly agent: string };

/** One access path to a secret for one principal. */
export interface GrantRecord {
  readonly v: number;
  /** UUID, lower case. */
  readonly id: string;
  readonly app: string;
  readonly secretId: string;
  readonly label: string;
  readonly description?: string;
  readonly principal: GrantPrincipal;
  /** Its agent issued it, on a secret that it was allowed. */
  readonly selfIssued?: true;
  readonly policy: readonly Rule[];
  /** `revoked` can be taken back, `deleted` is a tombstone. */
  readonly status: 'active' | 'revoked' | 'deleted';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt?: number;
  /** The user's or group's grant that this one passes on to an agent: both must be usable. */
  readonly delegatedFrom?: string;
  readonly clonedFrom?: string;
  /** The grant whose place this one took, and the one that took this one's place. */
  readonly replaces?: string;
  readonly replacedBy?: string;
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
  readonly policy: readonly Rule[];
  /** Longest life of a new grant, in seconds. */
  readonly maxTtlS?: number;
  readonly status: 'active' | 'revoked' | 'deleted';
  /** 1 when stored, one more with each rotation. */
  readonly version: number;
  readonly createdAt: number;
  readonly rotatedAt: number;
  /** The last change by an operator. */
  readonly updatedAt: number;
  /** When a proxy last stored a new refresh token in place; that is no new version. */
  readonly renewedAt?: number;
  /** A proxy is using the refresh token, and until when it may: all others wait. */
  readonly renewal?: { readonly by: string; readonly until: number };
}

/** An API key; the record's id is the SHA-256 of the key, the key itself is nowhere. */
export interface KeyRecord {
  readonly v: number;
  /** SHA-256 of the key, hex. */
  readonly id: string;
  readonly app: string;
  readonly type: 'app' | 'agent';
  /** Name of the agent; with type `agent` only. */
  readonly agent?: string;
  readonly environment?: 'development' | 'production';
  readonly name: string;
  /** First characters of the key, for display. */
  readonly prefix: string;
  /** Networks from which the key is taken, in CIDR notation; empty: any. */
  readonly cidrs: readonly string[];
  /** `deprecated` still works, and says so in every answer. */
  readonly status: 'active' | 'deprecated' | 'revoked';
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly expiresAt?: number;
}

/** A named workload of an app. The id is its name, which never changes. */
export interface AgentRecord {
  readonly v: number;
  readonly id: string;
  readonly app: string;
  readonly description?: string;
  /** `deleted` is a tombstone: the name is not given again. */
  readonly status: 'active' | 'paused' | 'deleted';
  readonly policy: readonly Rule[];
  /** Ids of the secrets on which the agent may issue grants for itself. */
  readonly mayIssue: readonly string[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** Where the keys of an identity provider come from. `discovery`: from the issuer's metadata. `inline`: a JWKS as it was given, public keys only. */
export type JwksSource =
  | { readonly kind: 'discovery' }
  | { readonly kind: 'url'; readonly url: string }
  | { readonly kind: 'inline'; readonly keys: readonly Readonly<Record<string, unknown>>[] };

/** An identity provider of one app. The id is the slug by which grants name it. */
export interface IdpRecord {
  readonly v: number;
  readonly id: string;
  readonly app: string;
  /** `iss` of its tokens, exactly. */
  readonly issuer: string;
  /** `aud` must hold one of these. */
  readonly audiences: readonly string[];
  /** Signature algorithms that are taken: asymmetric ones only. */
  readonly algorithms: readonly string[];
  readonly jwks: JwksSource;
  /** Path to the claim that names the user, and to the one that lists the groups. */
  readonly subjectClaim: string;
  readonly groupsClaim: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** The rules attached to an app or to a provider. The id is `app` or `provider.<slug>`. */
export interface PolicyRecord {
  readonly v: number;
  readonly id: string;
  readonly app: string;
  readonly policy: readonly Rule[];
  readonly createdAt: number;
  readonly updatedAt: number;
}

/**
 * The grants of one user or group, so that one can be found without its id. The record's id is the SHA-256 of the principal, hex; grants that
 * have ended may still be listed.
 */
export interface HolderRecord {
  readonly v: number;
  readonly id: string;
  readonly app: string;
  readonly grants: readonly { readonly id: string; readonly provider: string }[];
  readonly createdAt: number;
  readonly updatedAt: number;
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
  readonly agent: AgentRecord;
  readonly idp: IdpRecord;
  readonly policy: PolicyRecord;
  readonly holder: HolderRecord;
}
