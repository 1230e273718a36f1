import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { JWK, JWTPayload } from 'jose';
import type { IdpRecord } from '../../src/vault/records.ts';

/** A signing key of an identity provider. */
export interface SigningKey {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly privateJwk: JWK;
  /** Signs `claims` as they are. `header` is merged over alg, kid and typ. */
  sign(claims: JWTPayload, header?: Readonly<Record<string, unknown>>): Promise<string>;
}

/** Makes a signing key. */
export async function makeSigningKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' };
  return {
    kid,
    publicJwk,
    privateJwk: { ...(await exportJWK(privateKey)), kid, alg },
    sign: (claims, header = {}) => new SignJWT(claims).setProtectedHeader({ alg, kid, typ: 'JWT', ...header }).sign(privateKey),
  };
}

/** The record of an identity provider with the slug `corp`. */
export function idpRecord(changes: Partial<IdpRecord> = {}): IdpRecord {
  return {
    v: 1,
    id: 'corp',
    app: 'default',
    issuer: 'https://login.corp.test',
    audiences: ['my-app'],
    algorithms: ['RS256', 'ES256'],
    jwks: { kind: 'url', url: 'https://login.corp.test/jwks' },
    subjectClaim: 'sub',
    groupsClaim: 'groups',
    createdAt: 0,
    updatedAt: 0,
    ...changes,
  };
}
