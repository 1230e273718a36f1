import type { HeaderList } from '../message/header-list.ts';
import { malformed } from '../message/malformed.ts';
import { decodeComponent, parameterName } from '../message/query.ts';

/** How an AWS client has signed a request, most likely with a key that stands for a grant. The signature itself means nothing here. */
export interface ClientSignature {
  /** In Authorization, or in the query ("presigned"). */
  readonly form: 'header' | 'query';
  readonly algorithm: 'hmac' | 'ecdsa';
  readonly service: string;
  /** Undefined for `ecdsa`, which names regions in {@link ClientSignature.regionSet}. */
  readonly region: string | undefined;
  /** X-Amz-Region-Set as it came. */
  readonly regionSet: string | undefined;
  /** Lower-case names of the signed fields. */
  readonly signedHeaders: readonly string[];
  /** Milliseconds since the epoch; undefined in the header form, where the proxy's own time counts. */
  readonly signedAt: number | undefined;
  /** X-Amz-Expires in seconds; undefined in the header form. */
  readonly expiresS: number | undefined;
}

const ALGORITHMS = { 'AWS4-HMAC-SHA256': 'hmac', 'AWS4-ECDSA-P256-SHA256': 'ecdsa' } as const;
const DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/;
/** Regions and signing names are such words; `auto` and a MinIO site's name are regions too. */
const SCOPE_WORD = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** The longest that a presigned request may live: seven days. */
const MAX_EXPIRES_S = 604_800;

/**
 * What the client has signed with, or undefined when it carries no signature of version 4. Throws `malformed_request` when there are two, or
 * one that cannot be read: whoever guessed would sign something else than the client meant.
 */
export function clientSignature(headers: Pick<HeaderList, 'get' | 'getAll'>, query: string | undefined): ClientSignature | undefined {
  const header = headers.getAll('authorization').filter((value) => value.startsWith('AWS4-'));
  const presigned = query !== undefined && /x-amz-(?:algorithm|credential|signature)/i.test(query) ? presignParameters(query) : undefined;
  if (header.length + (presigned === undefined ? 0 : 1) > 1) throw malformed('The request is signed for AWS more than once.');
  if (presigned !== undefined) return fromQuery(presigned);
  return header[0] === undefined ? undefined : fromHeader(header[0], headers.get('x-amz-region-set'));
}

function fromHeader(value: string, regionSet: string | undefined): ClientSignature {
  const space = value.indexOf(' ');
  const parts = new Map<string, string>();
  for (const part of value.slice(space + 1).split(',')) {
    const [name = '', text = ''] = splitAt(part.trim(), '=');
    if (parts.has(name)) throw unreadable();
    parts.set(name, text);
  }
  const algorithm = algorithmOf(value.slice(0, space));
  const scope = readScope(algorithm, parts.get('Credential'), regionSet);
  return {
    form: 'header',
    algorithm,
    ...scope,
    signedHeaders: namesOf(parts.get('SignedHeaders')),
    signedAt: undefined,
    expiresS: undefined,
  };
}

function fromQuery(parameters: ReadonlyMap<string, string>): ClientSignature {
  const algorithm = algorithmOf(parameters.get('x-amz-algorithm') ?? '');
  const scope = readScope(algorithm, parameters.get('x-amz-credential'), parameters.get('x-amz-region-set'));
  const expires = parameters.get('x-amz-expires');
  // STS, and other services, presign without an expiry: theirs is a quarter of an hour.
  if (expires !== undefined && !/^[1-9]\d{0,5}$/.test(expires))
    throw malformed('X-Amz-Expires must be a number of seconds, at most seven days.');
  const expiresS = expires === undefined ? undefined : Number(expires);
  if (expiresS !== undefined && expiresS > MAX_EXPIRES_S) throw malformed('X-Amz-Expires must be a number of seconds, at most seven days.');
  const signedAt = parseAmzDate(parameters.get('x-amz-date') ?? '');
  return { form: 'query', algorithm, ...scope, signedHeaders: namesOf(parameters.get('x-amz-signedheaders')), signedAt, expiresS };
}

/** The parameters of a presigned request by their lower-case names; undefined when none of those is there that make it one. */
function presignParameters(query: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  for (const piece of query.split('&')) {
    const name = parameterName(piece).toLowerCase();
    if (!name.startsWith('x-amz-')) continue;
    if (found.has(name)) throw malformed('A parameter of the AWS signature stands in the query twice.');
    const equals = piece.indexOf('=');
    found.set(name, equals === -1 ? '' : decodeComponent(piece.slice(equals + 1)));
  }
  return ['x-amz-algorithm', 'x-amz-credential', 'x-amz-signature'].some((name) => found.has(name)) ? found : undefined;
}

function readScope(
  algorithm: ClientSignature['algorithm'],
  credential: string | undefined,
  regionSet: string | undefined,
): Pick<ClientSignature, 'service' | 'region' | 'regionSet'> {
  const words = (credential ?? '').split('/');
  if (words.pop() !== 'aws4_request') throw unreadable();
  const service = words.pop() ?? '';
  const region = algorithm === 'hmac' ? words.pop() : undefined;
  const day = words.pop() ?? '';
  // What is left is the access key id.
  if (words.length === 0 || !/^\d{8}$/.test(day) || !SCOPE_WORD.test(service)) throw unreadable();
  if (algorithm === 'hmac' && !SCOPE_WORD.test(region ?? '')) throw unreadable();
  return { service, region, regionSet: algorithm === 'ecdsa' ? regionSet : undefined };
}

function algorithmOf(text: string): ClientSignature['algorithm'] {
  if (Object.hasOwn(ALGORITHMS, text)) return ALGORITHMS[text as keyof typeof ALGORITHMS];
  throw malformed('The algorithm of the AWS signature is none of AWS4-HMAC-SHA256 and AWS4-ECDSA-P256-SHA256.');
}

function namesOf(text: string | undefined): readonly string[] {
  if (text === undefined || text === '') throw unreadable();
  return text.toLowerCase().split(';');
}

function splitAt(text: string, mark: string): string[] {
  const at = text.indexOf(mark);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Milliseconds since the epoch of `20251125T120000Z`. Throws `malformed_request`. */
function parseAmzDate(text: string): number {
  const [, year, month, day, hour, minute, second] = DATE.exec(text) ?? [];
  const at = Date.parse(`${year ?? ''}-${month ?? ''}-${day ?? ''}T${hour ?? ''}:${minute ?? ''}:${second ?? ''}Z`);
  if (Number.isNaN(at)) throw malformed('X-Amz-Date must look like 20251125T120000Z.');
  return at;
}

function unreadable() {
  return malformed('The AWS signature of the client cannot be read.');
}
