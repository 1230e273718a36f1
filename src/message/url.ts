import { malformed } from './malformed.ts';
import { parameterName } from './query.ts';

/** The one form of a URL that policy reads and the wire carries. */
export interface CanonicalUrl {
  /** Starts with `/`; no dot segments; percent-encoding normalised. */
  readonly path: string;
  /** Without the `?`; undefined when there is none, '' for a bare `?`. */
  readonly query: string | undefined;
}

/** Visible ASCII without `#`, `%`, `?` and backslash: a path that needs no decoding. */
const PLAIN_PATH = /^[!"$&->@-[\]-~]*$/;
const VISIBLE_PATH = /^[!-"$->@-[\]-~]*$/;
const VISIBLE_QUERY = /^[!"$-~]*$/;
const UNRESERVED = /[A-Za-z0-9._~-]/;
const ESCAPE = /%([0-9A-Fa-f]{2})/g;
/** A dot segment as any decoder may see it: also with path parameters, and ended by what would end a path. */
const DOT_SEGMENT = /[/\\]\.{1,2}(?:[/\\;?#]|$)/;
const MAX_DECODINGS = 3;
const MAX_NAMES = 64;
const MAX_NAME_LENGTH = 128;
/** Most URLs have no query. */
const NO_NAMES: readonly string[] = [];

/**
 * Reads an origin-form request target (`/path?query`, RFC 9112 §3.2.1). In the path, escapes of unreserved characters are decoded and
 * the others written in upper case (RFC 3986 §6.2.2); dot segments, also encoded up to {@link MAX_DECODINGS} times, encoded control
 * characters and backslashes are refused. `%2F` and empty segments are data. The query stays as it came: invalid escapes in it are
 * common and harmless here, so only characters that cannot stand in a request line are refused. Throws `malformed_request`.
 */
export function canonicalUrl(pathAndQuery: string): CanonicalUrl {
  if (pathAndQuery.charCodeAt(0) !== 0x2f) throw malformed('the request target must start with a slash');
  const mark = pathAndQuery.indexOf('?');
  if (mark === -1) return { path: canonicalPath(pathAndQuery), query: undefined };
  const query = pathAndQuery.slice(mark + 1);
  if (!VISIBLE_QUERY.test(query)) throw malformed('the query holds a character that is not visible ASCII, or a fragment');
  return { path: canonicalPath(pathAndQuery.slice(0, mark)), query };
}

/** The request target of a canonical URL: `/path?query`. */
export function formatTarget(url: CanonicalUrl): string {
  return url.query === undefined ? url.path : `${url.path}?${url.query}`;
}

/** Decoded names of the query parameters for the audit event: in order, each once, at most 64, each cut at 128 characters. */
export function queryNames(url: CanonicalUrl): readonly string[] {
  if (url.query === undefined || url.query === '') return NO_NAMES;
  const names = new Set<string>();
  for (const parameter of url.query.split('&')) {
    if (names.size === MAX_NAMES) break;
    if (parameter !== '') names.add(parameterName(parameter).slice(0, MAX_NAME_LENGTH));
  }
  return [...names];
}

function canonicalPath(raw: string): string {
  if (PLAIN_PATH.test(raw) && !raw.includes('/.')) return raw;
  if (!VISIBLE_PATH.test(raw)) throw malformed('the path holds a backslash, a fragment, or a character that is not visible ASCII');
  const path = raw.includes('%') ? normaliseEscapes(raw) : raw;
  refuseDotSegments(path);
  return path;
}

function normaliseEscapes(raw: string): string {
  if (/%(?![0-9A-Fa-f]{2})/.test(raw)) throw malformed('a percent sign in the path must be followed by two hexadecimal digits');
  return raw.replace(ESCAPE, (escape, hex: string) => {
    const code = Number.parseInt(hex, 16);
    if (code < 0x20 || code === 0x7f) throw malformed('the path holds an encoded control character');
    if (code === 0x5c) throw malformed('the path holds an encoded backslash');
    const character = String.fromCharCode(code);
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
}

/** A server behind the provider's front may decode once more than the front: each of these readings must be free of dot segments. */
function refuseDotSegments(path: string): void {
  let text = path;
  for (let round = 0; round <= MAX_DECODINGS; round += 1) {
    if (DOT_SEGMENT.test(text)) throw malformed('the path holds a dot segment');
    if (!text.includes('%')) return;
    const decoded = decodeOnce(text);
    if (decoded === text) return;
    text = decoded;
  }
  throw malformed('the path is percent-encoded more than three times');
}

/** Decodes valid escapes byte by byte; overlong UTF-8 of dot, slash and backslash counts as what lax decoders make of it. */
function decodeOnce(text: string): string {
  return text
    .replace(ESCAPE, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    .replace(/\xc0\xae|\xe0\x80\xae/g, '.')
    .replace(/\xc0\xaf|\xe0\x80\xaf/g, '/')
    .replace(/\xc1\x9c|\xe0\x81\x9c/g, '\\');
}
