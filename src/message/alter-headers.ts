import { AlterError, type WireCode } from '../errors.ts';
import { decodeBasic } from './basic-credentials.ts';
import type { FieldName } from './field-name.ts';
import type { HeaderList } from './header-list.ts';
import { malformed } from './malformed.ts';
import { parseUuid } from './uuid.ts';

/** The `X-Alter-*` request headers and the caller's Proxy-Authorization, parsed. */
export interface AlterHeaders {
  /** Lower-case UUID. */
  readonly grantId: string | undefined;
  /** Slug of the provider for which the user's own grant is meant. */
  readonly provider: string | undefined;
  readonly userToken: string | undefined;
  /** Up to 512 characters. */
  readonly reason: string | undefined;
  readonly caller: string | undefined;
  readonly context: Readonly<Record<string, string>> | undefined;
}

/** Of a request that carries none of the fields: always this object. */
export const NO_ALTER_HEADERS: AlterHeaders = Object.freeze({
  grantId: undefined,
  provider: undefined,
  userToken: undefined,
  reason: undefined,
  caller: undefined,
  context: undefined,
});

/** The names that are read, as they are spelled. */
const FIELDS = ['X-Alter-Grant', 'X-Alter-Provider', 'X-Alter-User-Token', 'X-Alter-Reason', 'X-Alter-Caller', 'X-Alter-Context'] as const;

/** Stands for the values of a field that is there more than once. */
const SEVERAL = Symbol('several values');

/** What stands in one field; undefined when it is absent. */
type FieldValue = string | typeof SEVERAL | undefined;

/** What stands in each of {@link FIELDS}. */
interface OwnFields {
  grant: FieldValue;
  provider: FieldValue;
  userToken: FieldValue;
  reason: FieldValue;
  caller: FieldValue;
  context: FieldValue;
}

/** Where the value of each of {@link FIELDS} goes, by its name in lower case. */
const MEMBERS: ReadonlyMap<string, keyof OwnFields> = new Map<Lowercase<(typeof FIELDS)[number]>, keyof OwnFields>([
  ['x-alter-grant', 'grant'],
  ['x-alter-provider', 'provider'],
  ['x-alter-user-token', 'userToken'],
  ['x-alter-reason', 'reason'],
  ['x-alter-caller', 'caller'],
  ['x-alter-context', 'context'],
]);

const KEY_PREFIX = 'alter_key_';
const MAX_REASON = 512;
const MAX_CALLER = 128;
const MAX_PAIRS = 16;
const MAX_PAIR_VALUE = 256;
const SLUG = /^[a-z0-9][a-z0-9-]{0,63}$/;
const PAIR_NAME = /^[A-Za-z0-9_.-]{1,64}$/;
// eslint-disable-next-line no-control-regex -- finding control characters is its purpose
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;

/**
 * Reads the `X-Alter-*` fields. An empty Reason, Caller or Context counts as absent. Throws `invalid_grant_id` unless X-Alter-Grant
 * is exactly one UUID, `ambiguous_grant` when X-Alter-Provider stands beside it, `user_token_invalid` for a doubled or empty token, and
 * `malformed_request` for the others, and for a name with underscores: it would be removed unread.
 */
export function parseAlterHeaders(headers: HeaderList): AlterHeaders {
  const own = ownFields(headers);
  // Most requests have none of the fields, the others one or two.
  if (own === undefined) return NO_ALTER_HEADERS;
  const grantId = grantIdOf(own.grant);
  const provider = providerOf(own.provider);
  if (grantId !== undefined && provider !== undefined) throw new AlterError('ambiguous_grant');
  return {
    grantId,
    provider,
    userToken: userTokenOf(own.userToken),
    reason: freeText(own.reason, 'X-Alter-Reason', MAX_REASON),
    caller: freeText(own.caller, 'X-Alter-Caller', MAX_CALLER),
    context: contextOf(freeText(own.context, 'X-Alter-Context', Number.POSITIVE_INFINITY)),
  };
}

/** Fields that can hold an API key: the proxy's own, and that of a request to the proxy itself. */
type KeyField = 'Proxy-Authorization' | 'Authorization';

/**
 * The API key that a client presents in Proxy-Authorization, or undefined when it presents none: the password of Basic (with an empty
 * password, a user name that is a key), or the token of Bearer. Throws `invalid_key` for two fields and for what is neither.
 * The key itself is not checked here.
 */
export function parseProxyAuthorization(headers: HeaderList): string | undefined {
  return keyIn(headers, 'Proxy-Authorization');
}

/** The same for a request to the proxy itself, which may carry the key in Authorization just as well; in both, only the same one. */
export function parseOwnAuthorization(headers: HeaderList): string | undefined {
  const key = keyIn(headers, 'Proxy-Authorization');
  const other = keyIn(headers, 'Authorization');
  if (key !== undefined && other !== undefined && key !== other) throw invalidKey('Authorization and Proxy-Authorization differ');
  return key ?? other;
}

function keyIn(headers: HeaderList, field: KeyField): string | undefined {
  const values = headers.getAll(field);
  const [value] = values;
  if (value === undefined) return undefined;
  if (values.length > 1) throw invalidKey(`there must be one ${field} field at most`);
  const [, scheme, credentials] = /^([A-Za-z]+) +([!-~]+)$/.exec(value) ?? [];
  if (scheme === undefined || credentials === undefined) throw invalidKey(`${field} must be Basic or Bearer`);
  switch (scheme.toLowerCase()) {
    case 'basic':
      return basicKey(credentials, field);
    case 'bearer':
      return credentials;
    default:
      throw invalidKey(`${field} must be Basic or Bearer`);
  }
}

function isAlter({ ofProxy, folded }: FieldName): boolean {
  return ofProxy && folded.startsWith('x-alter-');
}

/** The fields of the proxy's own, found in one pass; undefined when there are none. Throws for one that is misspelled, before any is read. */
function ownFields({ names, values }: HeaderList): OwnFields | undefined {
  let own: OwnFields | undefined;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i];
    const value = values[i];
    if (name === undefined || value === undefined || !isAlter(name)) continue;
    checkSpelling(name);
    own ??= { grant: undefined, provider: undefined, userToken: undefined, reason: undefined, caller: undefined, context: undefined };
    take(own, name, value);
  }
  return own;
}

function checkSpelling({ lower, folded }: FieldName): void {
  if (lower === folded) return;
  const meant = FIELDS.find((field) => field.toLowerCase() === folded);
  if (meant !== undefined) throw malformed(`${meant} is spelled with dashes, not with underscores`);
}

/** A field of a name that is not known is nothing, as yet. */
function take(own: OwnFields, { lower }: FieldName, value: string): void {
  const member = MEMBERS.get(lower);
  if (member !== undefined) own[member] = own[member] === undefined ? value : SEVERAL;
}

/** The one value of a field, undefined when absent; two fields are refused with `code`, even equal ones. */
function oneValue(value: FieldValue, name: string, code: WireCode): string | undefined {
  if (value === SEVERAL) throw new AlterError(code, { detail: `there must be one ${name} field at most` });
  return value;
}

function grantIdOf(value: FieldValue): string | undefined {
  const text = oneValue(value, 'X-Alter-Grant', 'invalid_grant_id');
  if (text === undefined) return undefined;
  const id = parseUuid(text);
  if (id === undefined) throw new AlterError('invalid_grant_id', { detail: 'X-Alter-Grant is not one UUID' });
  return id;
}

function providerOf(value: FieldValue): string | undefined {
  const slug = oneValue(value, 'X-Alter-Provider', 'malformed_request');
  if (slug !== undefined && !SLUG.test(slug)) throw malformed('X-Alter-Provider is not the name of one provider');
  return slug;
}

function userTokenOf(value: FieldValue): string | undefined {
  const token = oneValue(value, 'X-Alter-User-Token', 'user_token_invalid');
  if (token !== undefined && !/^[!-~]+$/.test(token))
    throw new AlterError('user_token_invalid', { detail: 'X-Alter-User-Token is not one token' });
  return token;
}

function freeText(value: FieldValue, name: string, maxLength: number): string | undefined {
  const raw = oneValue(value, name, 'malformed_request');
  if (raw === undefined || raw === '') return undefined;
  const text = decodeText(raw);
  if (text.length > maxLength) throw malformed(`${name} is longer than ${String(maxLength)} characters`);
  if (CONTROL.test(text)) throw malformed(`${name} holds a control character`);
  return text;
}

/** Header values come as one character a byte; clients write other scripts in UTF-8. What is not UTF-8 is taken as latin1. */
function decodeText(raw: string): string {
  if (/^[\0-\x7f]*$/.test(raw)) return raw;
  const text = Buffer.from(raw, 'latin1').toString('utf8');
  return text.includes('\ufffd') ? raw : text;
}

function contextOf(text: string | undefined): Readonly<Record<string, string>> | undefined {
  if (text === undefined) return undefined;
  const pairs = new Map<string, string>();
  for (const piece of text.split(',')) {
    const equals = piece.indexOf('=');
    const name = piece.slice(0, Math.max(equals, 0)).trim();
    const value = piece.slice(equals + 1).trim();
    if (!PAIR_NAME.test(name) || value.length > MAX_PAIR_VALUE || pairs.has(name)) throw malformed('X-Alter-Context must be k=v,k2=v2');
    pairs.set(name, value);
  }
  if (pairs.size > MAX_PAIRS) throw malformed(`X-Alter-Context holds more than ${String(MAX_PAIRS)} pairs`);
  return Object.fromEntries(pairs);
}

function basicKey(credentials: string, field: KeyField): string {
  const pair = decodeBasic(credentials);
  if (pair === undefined) throw invalidKey(`the Basic credentials of ${field} are not base64 of user:password`);
  if (pair.password !== '') return pair.password;
  if (pair.username.startsWith(KEY_PREFIX)) return pair.username;
  throw invalidKey(`${field} holds no key`);
}

function invalidKey(detail: string): AlterError {
  return new AlterError('invalid_key', { detail });
}
