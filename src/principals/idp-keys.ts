import { createLocalJWKSet } from 'jose';
import type { JWK, JWTVerifyGetKey } from 'jose';
import { LRUCache } from 'lru-cache';
import { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { IdpRecord } from '../vault/records.ts';

/**
 * Reads a document over verified TLS. Resolves with its text, and rejects for every answer but 200, also for a redirect, for more than
 * `maxBytes`, and when it is not complete after `timeoutMs`.
 */
export type FetchDocument = (url: string, limits: { readonly timeoutMs: number; readonly maxBytes: number }) => Promise<string>;

/** What {@link IdpKeys} are made from. */
export interface IdpKeysOptions {
  readonly fetch: FetchDocument;
  /** A clock that only goes forward, in milliseconds. */
  readonly now?: () => number;
}

/** Keys are read anew after this time. */
const FRESH_MS = 5 * 60_000;
/** So long they serve on while the identity provider does not answer. */
const STALE_MS = 15 * 60_000;
/** Time between two readings because of a key that is not known: nobody makes the proxy ask without end. */
const REFETCH_MS = 5_000;
const BACK_OFF_MIN_MS = 1000;
const BACK_OFF_MAX_MS = 60_000;
const LIMITS = { timeoutMs: 5000, maxBytes: 256 * 1024 };
const MAX_SOURCES = 256;
const KEY_TYPES: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);

/** What is known of the keys of one identity provider. */
interface Source {
  /** The record that it belongs to: after a change of it everything begins anew. */
  readonly idp: IdpRecord;
  keys: JWTVerifyGetKey | undefined;
  readAt: number;
  failures: number;
  failedAt: number;
  reading: Promise<JWTVerifyGetKey> | undefined;
}

/** The public keys of identity providers: read once for all who wait, kept for minutes, read again when a token names a new one. */
export class IdpKeys {
  readonly #fetch: FetchDocument;
  readonly #now: () => number;
  readonly #sources = new LRUCache<string, Source>({ max: MAX_SOURCES });

  constructor({ fetch, now = () => performance.now() }: IdpKeysOptions) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /** The keys as last read. Throws or rejects with AlterError `idp_unavailable` when there are none that may still serve. */
  keysOf(idp: IdpRecord): MaybePromise<JWTVerifyGetKey> {
    const source = this.#source(idp);
    const age = this.#now() - source.readAt;
    if (source.keys !== undefined && (idp.jwks.kind === 'inline' || age < FRESH_MS)) return source.keys;
    const old = age < STALE_MS ? source.keys : undefined;
    const wait = source.reading === undefined && this.#mustWait(source);
    if (old === undefined) {
      if (wait) throw unavailable(idp);
      return this.#read(source);
    }
    return wait ? old : this.#read(source).catch(() => old);
  }

  /**
   * The keys, read again because a token names one that is not among them. Undefined: they were read a moment ago, or never change. Throws
   * or rejects with AlterError `idp_unavailable`.
   */
  newerKeysOf(idp: IdpRecord): MaybePromise<JWTVerifyGetKey> | undefined {
    const source = this.#source(idp);
    if (idp.jwks.kind === 'inline') return undefined;
    if (source.reading === undefined) {
      if (this.#now() - source.readAt < REFETCH_MS) return undefined;
      if (this.#mustWait(source)) throw unavailable(idp);
    }
    return this.#read(source);
  }

  #source(idp: IdpRecord): Source {
    const key = `${idp.app}:${idp.id}`;
    const known = this.#sources.get(key);
    if (known?.idp === idp) return known;
    const keys = idp.jwks.kind === 'inline' ? keySet({ keys: idp.jwks.keys }) : undefined;
    const source = { idp, keys, readAt: -Infinity, failures: 0, failedAt: -Infinity, reading: undefined };
    this.#sources.set(key, source);
    return source;
  }

  /** Whether the last failure is too young for another attempt. */
  #mustWait({ failures, failedAt }: Source): boolean {
    if (failures === 0) return false;
    return this.#now() - failedAt < Math.min(BACK_OFF_MAX_MS, BACK_OFF_MIN_MS * 2 ** Math.min(failures - 1, 10));
  }

  #read(source: Source): Promise<JWTVerifyGetKey> {
    source.reading ??= this.#readNow(source).finally(() => {
      source.reading = undefined;
    });
    return source.reading;
  }

  async #readNow(source: Source): Promise<JWTVerifyGetKey> {
    try {
      const url = await this.#jwksUrl(source.idp);
      const keys = keySet(JSON.parse(await this.#fetch(url, LIMITS)));
      Object.assign(source, { keys, readAt: this.#now(), failures: 0 });
      return keys;
    } catch (cause) {
      source.failures += 1;
      source.failedAt = this.#now();
      throw unavailable(source.idp, cause);
    }
  }

  async #jwksUrl({ issuer, jwks }: IdpRecord): Promise<string> {
    if (jwks.kind === 'url') return jwks.url;
    const metadata: unknown = JSON.parse(await this.#fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, LIMITS));
    if (!isObject(metadata)) throw new Error('the metadata of the issuer is no JSON object');
    // OpenID Connect Discovery 1.0 §4.3: the issuer in the metadata must be the one that was asked.
    if (metadata['issuer'] !== issuer) throw new Error('the metadata names another issuer');
    const url = metadata['jwks_uri'];
    if (typeof url !== 'string' || !url.startsWith('https://')) throw new Error('the metadata names no jwks_uri with https');
    return url;
  }
}

/** Private and symmetric keys, which nobody should publish, are left out: what they sign proves nothing. */
function keySet(document: unknown): JWTVerifyGetKey {
  const keys = isObject(document) ? document['keys'] : undefined;
  if (!Array.isArray(keys)) throw new Error('the JWKS has no keys');
  const usable = keys.filter((key: unknown): key is JWK => isObject(key) && KEY_TYPES.has(key['kty']) && !('d' in key));
  return createLocalJWKSet({ keys: usable });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The keys of `idp` cannot be had, or not used. */
export function unavailable(idp: IdpRecord, cause?: unknown): AlterError {
  return new AlterError('idp_unavailable', { detail: `the keys of the identity provider ${idp.id} cannot be read`, cause });
}
