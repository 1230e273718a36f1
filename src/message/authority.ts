import { isDottedQuad, parseHost } from './host.ts';
import { malformed } from './malformed.ts';

/** URI scheme of an origin. */
export type Scheme = 'http' | 'https';

/** A host in its one canonical spelling, and a port. */
export interface Authority {
  /** Lower-case DNS name, dotted-quad IPv4, or IPv6 (RFC 5952) without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Where a request goes. */
export interface Origin extends Authority {
  readonly scheme: Scheme;
}

const DEFAULT_PORT: Readonly<Record<Scheme, number>> = { http: 80, https: 443 };

/**
 * Reads `host[:port]` (RFC 9110 §7.2, IPv6 in brackets). Throws `malformed_request` for every host that has more than one reading
 * (userinfo, percent-encoding, trailing dot, non-ASCII, short or octal IPv4) and for a missing port when there is no `defaultPort`.
 */
export function parseAuthority(text: string, defaultPort?: number): Authority {
  const end = hostEnd(text);
  const host = parseHost(text.slice(0, end));
  if (end === text.length) {
    if (defaultPort === undefined) throw malformed('the authority needs a port');
    return { host, port: defaultPort };
  }
  return { host, port: parsePort(text.slice(end + 1)) };
}

/**
 * Reads `host`, `host:port`, `https://host[:port]` or `http://host[:port]`; without a scheme it is https, without a port the scheme's own.
 * Throws `malformed_request` for anything more (path, query, userinfo) or less.
 */
export function parseOrigin(text: string): Origin {
  const mark = text.indexOf('://');
  const scheme = mark === -1 ? 'https' : parseScheme(text.slice(0, mark));
  const rest = mark === -1 ? text : text.slice(mark + 3);
  if (/[/?#]/.test(rest)) throw malformed('an origin has no path, query or fragment');
  const { host, port } = parseAuthority(rest, DEFAULT_PORT[scheme]);
  return { scheme, host, port };
}

/** By origin: a connection has the same one for all its requests, and two parts ask for its text with each. */
const keys = new WeakMap<Origin, string>();

/** The one text of an origin, port always given: `https://api.example.com:443`, `https://[::1]:443`. */
export function originKey(origin: Origin): string {
  let key = keys.get(origin);
  if (key === undefined) keys.set(origin, (key = `${origin.scheme}://${bracketed(origin.host)}:${String(origin.port)}`));
  return key;
}

/** `host:port` as a Host header or an authority spells it; with `scheme`, the scheme's own port is left out. */
export function formatAuthority(authority: Authority, scheme?: Scheme): string {
  const host = bracketed(authority.host);
  return scheme !== undefined && authority.port === DEFAULT_PORT[scheme] ? host : `${host}:${String(authority.port)}`;
}

/** Whether both name the same host and port. */
export function sameAuthority(a: Authority, b: Authority): boolean {
  return a.port === b.port && a.host === b.host;
}

/** Whether a canonical host is an IP address and not a name. */
export function isIpLiteral(host: string): boolean {
  return host.includes(':') || isDottedQuad(host);
}

/** Index where the host (with its brackets) ends: the colon before the port, or the end of the text. */
function hostEnd(text: string): number {
  if (text.startsWith('[')) {
    const end = text.indexOf(']') + 1;
    if (end === 0) throw malformed('the IPv6 address has no closing bracket');
    if (end < text.length && text[end] !== ':') throw malformed('only a port may follow the IPv6 address');
    return end;
  }
  if (text.includes('@')) throw malformed('userinfo is not allowed in an authority');
  const colon = text.indexOf(':');
  if (colon === -1) return text.length;
  if (text.includes(':', colon + 1)) throw malformed('an IPv6 address stands in brackets, and a host has one port at most');
  return colon;
}

function parsePort(text: string): number {
  if (!/^[1-9][0-9]{0,4}$/.test(text) || Number(text) > 65535) throw malformed('the port must be a number from 1 to 65535');
  return Number(text);
}

function parseScheme(text: string): Scheme {
  const scheme = text.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') throw malformed('the scheme must be http or https');
  return scheme;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
