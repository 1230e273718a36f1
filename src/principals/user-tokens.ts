import { hash } from 'node:crypto';
import { decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { AlterError } from '../errors.ts';
import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { isExternalId } from '../vault/names.ts';
import type { IdpRecord } from '../vault/records.ts';
import { claimAt, groupsAt } from './claims.ts';
import { unavailable } from './idp-keys.ts';
import type { IdpKeys } from './idp-keys.ts';
import type { VerifiedUser } from './user.ts';

/** Where identity providers are found. Each throws or rejects with AlterError `store_unavailable`. */
export interface IdpSource {
  /** The same object for as long as the record is the same. */
  findIdp(app: string, slug: string): MaybePromise<IdpRecord | undefined>;
  idpsOfIssuer(app: string, issuer: string): MaybePromise<readonly IdpRecord[]>;
}

/** What {@link UserTokens} are made from. */
export interface UserTokensOptions {
  readonly idps: IdpSource;
  readonly keys: IdpKeys;
  /** Verified tokens that are remembered. */
  readonly maxTokens: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** How far the clocks of an identity provider and of this machine may be apart. */
const SKEW_S = 30;
/** A token is verified again after this time, so that a key that was withdrawn does not speak on. */
const REMEMBER_MS = 60_000;
const MAX_TOKEN_LENGTH = 16_384;
/** RFC 7519 §5.1, RFC 9068 §2.1. A JWT of another type was signed for another purpose (RFC 8725 §3.11). */
const TYPES: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'at+jwt', 'application/jwt', 'application/at+jwt']);

interface Remembered {
  readonly user: VerifiedUser;
  /** The record by which it was verified. */
  readonly idp: IdpRecord;
  readonly until: number;
}

/** Verifies user tokens. One that was verified a moment ago costs a hash and some look-ups, and no promise. */
export class UserTokens {
  readonly #options: UserTokensOptions;
  readonly #now: () => number;
  readonly #remembered: LRUCache<string, Remembered>;
  readonly #verifying = new Map<string, Promise<VerifiedUser>>();

  constructor(options: UserTokensOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#remembered = new LRUCache({ max: Math.max(1, options.maxTokens) });
  }

  /**
   * Whom the token speaks for, at the identity provider of the app that its issuer names. Throws or rejects with AlterError
   * `user_token_required`, `user_token_invalid`, `idp_unavailable`, `store_unavailable`.
   */
  userOf(app: string, token: string | undefined): MaybePromise<VerifiedUser> {
    if (token === undefined) throw new AlterError('user_token_required');
    if (token.length > MAX_TOKEN_LENGTH) throw invalid('token_too_long');
    const key = `${app}:${hash('sha256', token, 'base64')}`;
    const known = this.#remembered.get(key);
    if (known === undefined || this.#now() >= known.until) return this.#verifyOnce(app, token, key);
    return chain(this.#options.idps.findIdp(app, known.user.idp), (idp) =>
      idp === known.idp ? known.user : this.#verifyOnce(app, token, key),
    );
  }

  /** Verifies a token once for all who bring it at the same time. */
  #verifyOnce(app: string, token: string, key: string): Promise<VerifiedUser> {
    const running = this.#verifying.get(key);
    if (running !== undefined) return running;
    const verifying = this.#verify(app, token, key).finally(() => this.#verifying.delete(key));
    this.#verifying.set(key, verifying);
    return verifying;
  }

  async #verify(app: string, token: string, key: string): Promise<VerifiedUser> {
    try {
      const idp = await this.#idpOf(app, token);
      const payload = await this.#payload(idp, token);
      const subject = claimAt(payload, idp.subjectClaim);
      if (typeof subject !== 'string' || !isExternalId(subject)) throw invalid('token_subject');
      const user: VerifiedUser = Object.freeze({ app, idp: idp.id, subject, groups: groupsAt(payload, idp.groupsClaim) });
      const until = Math.min(this.#now() + REMEMBER_MS, ((payload.exp ?? 0) + SKEW_S) * 1000);
      this.#remembered.set(key, { user, idp, until });
      return user;
    } catch (error) {
      throw error instanceof errors.JOSEError ? invalid(ruleOf(error), error) : error;
    }
  }

  /** The issuer is read before anything is verified: it only says whose keys must have signed. */
  async #idpOf(app: string, token: string): Promise<IdpRecord> {
    const { typ } = decodeHeader(token);
    if (!TYPES.has(typeof typ === 'string' ? typ.toLowerCase() : typ)) throw invalid('token_type');
    const { iss } = decodeJwt(token);
    const [found, another] = typeof iss === 'string' ? await this.#options.idps.idpsOfIssuer(app, iss) : [];
    const idp = found === undefined || another !== undefined ? undefined : await this.#options.idps.findIdp(app, found.id);
    if (idp === undefined || idp.issuer !== iss) throw invalid('token_issuer');
    return idp;
  }

  async #payload(idp: IdpRecord, token: string): Promise<JWTPayload> {
    const { keys } = this.#options;
    try {
      return await this.#verifyWith(await keys.keysOf(idp), idp, token);
    } catch (error) {
      const newer = error instanceof errors.JWKSNoMatchingKey ? await keys.newerKeysOf(idp) : undefined;
      if (newer === undefined) throw error;
      return this.#verifyWith(newer, idp, token);
    }
  }

  async #verifyWith(keys: JWTVerifyGetKey, idp: IdpRecord, token: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: idp.issuer,
        audience: [...idp.audiences],
        algorithms: [...idp.algorithms],
        clockTolerance: SKEW_S,
        currentDate: new Date(this.#now()),
        requiredClaims: ['exp'],
      });
      return payload;
    } catch (error) {
      // What else goes wrong lies with the key: it is damaged, or too short.
      throw error instanceof errors.JOSEError ? error : unavailable(idp, error);
    }
  }
}

function decodeHeader(token: string): ReturnType<typeof decodeProtectedHeader> {
  try {
    return decodeProtectedHeader(token);
  } catch (cause) {
    throw invalid('token_malformed', cause);
  }
}

function invalid(rule: string, cause?: unknown): AlterError {
  return new AlterError('user_token_invalid', { rule, cause });
}

const CLAIM_RULES: Readonly<Partial<Record<string, string>>> = {
  aud: 'token_audience',
  iss: 'token_issuer',
  nbf: 'token_not_yet_valid',
  exp: 'token_without_expiry',
};

/** What was wrong with the token, for the operator. It tells no more than whoever holds the token can read in it. */
function ruleOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'token_expired';
  if (error instanceof errors.JWTClaimValidationFailed) return CLAIM_RULES[error.claim] ?? 'token_claims';
  // OpenID Connect Core 1.0 §10.1: with several keys a token must name its own.
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) return 'token_key';
  if (error instanceof errors.JOSEAlgNotAllowed || error instanceof errors.JOSENotSupported) return 'token_algorithm';
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'token_signature';
  return 'token_malformed';
}
