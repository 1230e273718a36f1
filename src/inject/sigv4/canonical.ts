import type { HeaderList } from '../../message/header-list.ts';
import { trimSpaces } from '../../message/syntax.ts';

/** Unreserved characters (RFC 3986 §2.3): what AWS leaves as it is. */
const UNRESERVED = /^[A-Za-z0-9._~-]*$/;
const ESCAPE_OR_OTHER = /%([0-9A-Fa-f]{2})|[^A-Za-z0-9._~-]/g;
const UNRESERVED_PATH = /^[A-Za-z0-9._~/-]*$/;
const OTHER_IN_PATH = /[^A-Za-z0-9._~/-]/g;

/** How the path is written in the canonical request. */
export type PathStyle = 'encoded-once' | 'encoded-twice';

/**
 * The path of the canonical request, from a path as it is on the wire, without dot segments. S3 and its relatives (`encoded-once`) read the
 * path and encode what they read, `%2F` as a slash among it, and keep empty segments; all others encode the path of the wire once more, with
 * its empty segments taken out.
 */
export function canonicalPath(path: string, style: PathStyle): string {
  if (style === 'encoded-once') return UNRESERVED_PATH.test(path) ? path : recode(path).replaceAll('%2F', '/');
  const joined = path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
  return UNRESERVED_PATH.test(joined) ? joined : joined.replace(OTHER_IN_PATH, escape);
}

/** The query of the canonical request: decoded as a form, encoded, sorted by name and then by value. `query` without its question mark. */
export function canonicalQuery(query: string | undefined): string {
  if (query === undefined || query === '') return '';
  const pairs: (readonly [name: string, value: string])[] = [];
  for (const piece of query.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    pairs.push(equals === -1 ? [parameter(piece), ''] : [parameter(piece.slice(0, equals)), parameter(piece.slice(equals + 1))]);
  }
  if (pairs.length > 1) pairs.sort(byNameThenValue);
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

/** What of the header fields goes into the canonical request. */
export interface CanonicalHeaders {
  /** `name:value`, each with a line feed behind it. */
  readonly lines: string;
  /** The names, sorted, with semicolons between them. */
  readonly names: string;
}

/**
 * The fields for which `isSigned` is true, and `host`. Values are trimmed, runs of spaces are one space, and fields of one name are one, in
 * their order.
 */
export function canonicalHeaders(headers: HeaderList, host: string, isSigned: (lowerName: string) => boolean): CanonicalHeaders {
  const values = new Map([['host', host]]);
  const { names } = headers;
  for (let i = 0; i < names.length; i += 1) {
    const lower = names[i]?.lower ?? '';
    if (lower === 'host' || !isSigned(lower)) continue;
    const value = oneLine(headers.values[i] ?? '');
    const before = values.get(lower);
    values.set(lower, before === undefined ? value : `${before},${value}`);
  }
  const sorted = [...values.keys()].sort();
  return { lines: sorted.map((name) => `${name}:${values.get(name) ?? ''}\n`).join(''), names: sorted.join(';') };
}

/** One component of a query or a path, decoded and encoded again: the same text for every spelling of it. Octets stay what they are. */
export function recode(text: string): string {
  return UNRESERVED.test(text) ? text : text.replace(ESCAPE_OR_OTHER, (found, hex: string | undefined) => recoded(found, hex));
}

function recoded(found: string, hex: string | undefined): string {
  if (hex === undefined) return escape(found);
  const character = String.fromCharCode(Number.parseInt(hex, 16));
  return UNRESERVED.test(character) ? character : found.toUpperCase();
}

function parameter(text: string): string {
  return UNRESERVED.test(text) ? text : recode(text.includes('+') ? text.replaceAll('+', '%20') : text);
}

/** Of one character of at most one octet, as everything that was on the wire is. */
function escape(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}

function byNameThenValue(a: readonly [string, string], b: readonly [string, string]): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  if (a[1] === b[1]) return 0;
  return a[1] < b[1] ? -1 : 1;
}

function oneLine(value: string): string {
  const trimmed = trimSpaces(value);
  return trimmed.includes('  ') || trimmed.includes('\t') ? trimmed.replace(/[ \t]+/g, ' ') : trimmed;
}
