import { CommandError, notFound } from '../errors.ts';
import { SIGNATURE_ALGORITHMS } from './access-shapes.ts';
import { membersOf, ownValue, ShapeError } from './members.ts';
import { isClaimPath, isSlug } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { GrantRecord, IdpRecord, JwksSource } from './records.ts';
import type { SealedRecords } from './sealed-records.ts';

/** An identity provider as an operator describes it. */
export interface NewIdp {
  readonly slug: string;
  /** `iss` of its tokens, exactly. */
  readonly issuer: string;
  /** `aud` of a token must hold one of these. */
  readonly audiences: readonly string[];
  /** Default: RS256, PS256, ES256, ES384, EdDSA and Ed25519. */
  readonly algorithms?: readonly string[];
  readonly jwks: JwksSource;
  /** Default: `sub`. */
  readonly subjectClaim?: string;
  /** Default: `groups`. */
  readonly groupsClaim?: string;
}

/** What an operator can do with the identity providers of one app. Rejects with CommandError. */
export interface IdpAdministration {
  add(input: NewIdp): Promise<IdpRecord>;
  list(): Promise<readonly IdpRecord[]>;
  show(slug: string): Promise<IdpRecord>;
  /** Refused while grants name it, unless `force`: whoever gets the slug next would say who holds them. */
  delete(slug: string, options?: { readonly force?: boolean }): Promise<IdpRecord>;
}

/** Signature algorithms that are taken unless others are named. */
const DEFAULT_ALGORITHMS: readonly string[] = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

const KEY_TYPES: ReadonlySet<unknown> = new Set(['RSA', 'EC', 'OKP']);
/** Private members of RSA, EC, OKP and symmetric keys (RFC 7518 §6, RFC 8037 §2). */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
const MAX_INLINE_KEYS = 32;

/** Identity providers of one app. */
export class Idps implements IdpAdministration {
  readonly #records: SealedRecords;
  readonly #now: () => number;

  constructor(records: SealedRecords, now: () => number) {
    this.#records = records;
    this.#now = now;
  }

  async add(input: NewIdp): Promise<IdpRecord> {
    checkInput(input);
    const twin = (await this.list()).find(({ issuer }) => issuer === input.issuer);
    if (twin !== undefined) {
      throw new CommandError('record_exists', `the identity provider ${twin.id} has this issuer`, {
        hint: 'A token is told by its issuer; give the one provider several audiences instead.',
      });
    }
    const at = this.#now();
    const record: IdpRecord = {
      v: RECORD_VERSION,
      id: input.slug,
      app: this.#records.app,
      issuer: input.issuer,
      audiences: input.audiences,
      algorithms: input.algorithms ?? DEFAULT_ALGORITHMS,
      jwks: input.jwks,
      subjectClaim: input.subjectClaim ?? 'sub',
      groupsClaim: input.groupsClaim ?? 'groups',
      createdAt: at,
      updatedAt: at,
    };
    if (!(await this.#records.create('idp', record))) {
      throw new CommandError('record_exists', `there is an identity provider ${input.slug} already`);
    }
    return record;
  }

  async list(): Promise<readonly IdpRecord[]> {
    return (await this.#records.list('idp')).records;
  }

  async show(slug: string): Promise<IdpRecord> {
    const standing = isSlug(slug) ? await this.#records.read('idp', slug) : undefined;
    if (standing === undefined) throw notFound('identity provider', slug);
    return standing.record;
  }

  async delete(slug: string, { force = false }: { readonly force?: boolean } = {}): Promise<IdpRecord> {
    const record = await this.show(slug);
    const grants = force ? [] : (await this.#records.list('grant')).records.filter((grant) => names(grant, slug, this.#now()));
    if (grants.length > 0) {
      throw new CommandError('not_allowed', `${String(grants.length)} grants name the identity provider ${slug}`, {
        hint: 'End those grants first: they would pass to the users of whatever provider gets this name next. --force deletes it all the same.',
      });
    }
    await this.#records.withdraw('idp', slug);
    return record;
  }
}

/** The public keys of a JWKS document that was given as a file. Throws CommandError `record_invalid` for any other key. */
export function publicKeysOf(document: unknown): JwksSource {
  try {
    const keys = ownValue(membersOf(document, 'the JWKS'), 'keys');
    if (!Array.isArray(keys) || keys.length === 0) throw new ShapeError('keys');
    if (keys.length > MAX_INLINE_KEYS) throw new CommandError('record_invalid', `a JWKS holds ${String(MAX_INLINE_KEYS)} keys at most`);
    return { kind: 'inline', keys: keys.map((key: unknown, index) => publicKey(key, `keys[${String(index)}]`)) };
  } catch (cause) {
    if (!(cause instanceof ShapeError)) throw cause;
    throw new CommandError('record_invalid', `the JWKS cannot be used: ${cause.member} is missing or wrong`, { cause });
  }
}

function publicKey(key: unknown, name: string): Readonly<Record<string, unknown>> {
  const members = membersOf(key, name);
  if (PRIVATE_MEMBERS.some((member) => Object.hasOwn(members, member))) {
    throw new CommandError('record_invalid', `${name} of the JWKS is a private or symmetric key`, { hint: 'Give the public keys only.' });
  }
  if (!KEY_TYPES.has(ownValue(members, 'kty'))) throw new ShapeError(`${name}.kty`);
  return { ...members };
}

function checkInput({ slug, issuer, audiences, algorithms, jwks, subjectClaim, groupsClaim }: NewIdp): void {
  if (!isSlug(slug)) throw new CommandError('record_invalid', 'the name of an identity provider must be 1 to 64 of a-z, 0-9 and hyphen');
  // Without discovery the issuer is only compared; some providers have one that is no URL.
  if (issuer === '') throw new CommandError('record_invalid', 'the issuer must not be empty');
  if (jwks.kind === 'discovery') checkHttps(issuer, 'the issuer');
  if (jwks.kind === 'url') checkHttps(jwks.url, 'the JWKS URL');
  if (audiences.length === 0 || audiences.includes('')) {
    throw new CommandError('record_invalid', 'an identity provider needs an audience: tokens for other services would be taken, too');
  }
  const wrong = algorithms?.find((name) => !SIGNATURE_ALGORITHMS.has(name));
  if (wrong !== undefined || algorithms?.length === 0) {
    throw new CommandError('record_invalid', `${JSON.stringify(wrong ?? '')} is no asymmetric signature algorithm`, {
      hint: `Choose from ${[...SIGNATURE_ALGORITHMS].join(', ')}.`,
    });
  }
  for (const claim of [subjectClaim, groupsClaim]) {
    if (claim !== undefined && !isClaimPath(claim)) {
      throw new CommandError('record_invalid', `${JSON.stringify(claim)} is no path to a claim, such as realm_access.roles`);
    }
  }
}

function checkHttps(text: string, what: string): void {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'https:' && url.username === '' && url.password === '' && url.hash === '') return;
  throw new CommandError('record_invalid', `${what} must be an https URL`);
}

function names({ principal, status, expiresAt }: GrantRecord, slug: string, now: number): boolean {
  if (principal.type !== 'user' && principal.type !== 'group') return false;
  return principal.idp === slug && status !== 'deleted' && (expiresAt === undefined || now < expiresAt);
}
