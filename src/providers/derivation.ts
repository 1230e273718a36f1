/** Formats by name. An entry that refers to an optional field which was not stored is left out. */
export type FormatMap = Readonly<Record<string, string>>;

/** RFC 6749 §4.4, with `audience` (as of Auth0) and `resource` (RFC 8707). */
export interface ClientCredentialsDerivation {
  readonly kind: 'oauth2_client_credentials';
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Where the client names itself. Default: `basic`. */
  readonly auth?: 'basic' | 'body';
  readonly scope?: string;
  readonly audience?: string;
  readonly resource?: string;
  /** Further parameters of the request; one named `grant_type` takes the place of `client_credentials`. */
  readonly parameters?: FormatMap;
}

/** RFC 6749 §6. A new refresh token in the answer is stored in the place of the old one. */
export interface RefreshTokenDerivation {
  readonly kind: 'oauth2_refresh_token';
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret?: string;
  readonly auth?: 'basic' | 'body';
  /** One field, `{refresh_token}`. */
  readonly refreshToken: string;
  readonly scope?: string;
  readonly parameters?: FormatMap;
}

/** An installation token of a GitHub App. */
export interface GithubAppDerivation {
  readonly kind: 'github_app';
  readonly appId: string;
  /** RSA, PEM, PKCS#1 or PKCS#8. */
  readonly privateKey: string;
  readonly installationId: string;
  /** Default: `https://api.github.com`. */
  readonly apiUrl?: string;
  /** Names with commas between. */
  readonly repositories?: string;
  /** `read`, `write` or `admin` by the name of the permission. */
  readonly permissions?: FormatMap;
}

/** RFC 7523 as Google takes it: from a service account's key file, or from its two members that count. */
export interface GoogleServiceAccountDerivation {
  readonly kind: 'google_service_account';
  /** The key file as it was downloaded (JSON). */
  readonly serviceAccount?: string;
  readonly clientEmail?: string;
  readonly privateKey?: string;
  /** Scopes with spaces between. */
  readonly scope?: string;
  /** The user who is acted for, with domain-wide delegation. */
  readonly subject?: string;
  /** Asks for an ID token with this audience in place of an access token. */
  readonly targetAudience?: string;
  /** Default: `https://oauth2.googleapis.com/token`. */
  readonly tokenUrl?: string;
}

/** AWS STS AssumeRole. */
export interface AssumeRoleDerivation {
  readonly kind: 'sts_assume_role';
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of a base credential that is temporary itself. */
  readonly sessionToken?: string;
  readonly roleArn: string;
  /** Default: `alter-proxy`. */
  readonly sessionName?: string;
  readonly externalId?: string;
  /** JSON: narrows what the role may do. */
  readonly policy?: string;
  readonly tags?: FormatMap;
  /** Seconds. Default: 3600. */
  readonly duration?: number;
  readonly region: string;
  /** Default: the endpoint of the region. */
  readonly endpoint?: string;
}

/** How a short-lived credential is made from stored fields. Formats refer to stored fields only. */
export type Derivation =
  ClientCredentialsDerivation | RefreshTokenDerivation | GithubAppDerivation | GoogleServiceAccountDerivation | AssumeRoleDerivation;

/** Kind of a {@link Derivation}. */
export type DerivationKind = Derivation['kind'];

/** What one member of a derivation may be. */
export type MemberForm = 'format' | 'url' | 'map' | 'auth' | 'seconds';

/** The members of each kind as records and files hold them; those with a question mark may be absent. */
export const DERIVATION_MEMBERS = {
  oauth2_client_credentials: {
    ...{ tokenUrl: 'url', clientId: 'format', clientSecret: 'format', 'auth?': 'auth' },
    ...{ 'scope?': 'format', 'audience?': 'format', 'resource?': 'format', 'parameters?': 'map' },
  },
  oauth2_refresh_token: {
    ...{ tokenUrl: 'url', clientId: 'format', 'clientSecret?': 'format', 'auth?': 'auth', refreshToken: 'format' },
    ...{ 'scope?': 'format', 'parameters?': 'map' },
  },
  github_app: {
    ...{ appId: 'format', privateKey: 'format', installationId: 'format' },
    ...{ 'apiUrl?': 'url', 'repositories?': 'format', 'permissions?': 'map' },
  },
  google_service_account: {
    ...{ 'serviceAccount?': 'format', 'clientEmail?': 'format', 'privateKey?': 'format' },
    ...{ 'scope?': 'format', 'subject?': 'format', 'targetAudience?': 'format', 'tokenUrl?': 'url' },
  },
  sts_assume_role: {
    ...{ accessKeyId: 'format', secretAccessKey: 'format', 'sessionToken?': 'format', roleArn: 'format', 'sessionName?': 'format' },
    ...{ 'externalId?': 'format', 'policy?': 'format', 'tags?': 'map', 'duration?': 'seconds', region: 'format', 'endpoint?': 'url' },
  },
} as const satisfies Readonly<Record<DerivationKind, Readonly<Record<string, MemberForm>>>>;
