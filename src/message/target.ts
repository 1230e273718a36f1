import { parseAuthority, type Authority, type Origin } from './authority.ts';
import { malformed } from './malformed.ts';
import { canonicalUrl, type CanonicalUrl } from './url.ts';

/**
 * Reads an absolute-form target, `http://host[:port]/path?query` (RFC 9112 §3.2.2). Only plain HTTP travels in this form: an https
 * target is refused, because it belongs into a CONNECT tunnel. Throws `malformed_request`.
 */
export function parseAbsoluteTarget(target: string): { origin: Origin; url: CanonicalUrl } {
  const mark = target.indexOf('://');
  if (mark === -1) throw malformed('the request target must be an absolute URL');
  const scheme = target.slice(0, mark).toLowerCase();
  if (scheme === 'https') throw malformed('an https URL is requested through a tunnel: use CONNECT');
  if (scheme !== 'http') throw malformed('the scheme of the request target must be http');
  const rest = target.slice(mark + 3);
  const end = rest.search(/[/?#]/);
  const { host, port } = parseAuthority(end === -1 ? rest : rest.slice(0, end), 80);
  return { origin: { scheme, host, port }, url: canonicalUrl(originForm(end === -1 ? '' : rest.slice(end))) };
}

/** Reads an authority-form target, `host:port` (RFC 9112 §3.2.3). Throws `malformed_request`. */
export function parseConnectTarget(target: string): Authority {
  return parseAuthority(target);
}

/** RFC 9110 §4.2.3: an empty path means `/`. */
function originForm(pathAndQuery: string): string {
  return pathAndQuery.startsWith('/') ? pathAndQuery : `/${pathAndQuery}`;
}
