import { addConnectionOptions } from './connection.ts';
import { fieldName, type FieldName } from './field-name.ts';
import type { HeaderList } from './header-list.ts';

/** Fields that belong to one connection only (RFC 9110 §7.6.1, and the older ones of RFC 2616 §13.5.1). */
const HOP_BY_HOP = ['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'];

/** Expect is answered by the edge, which then has the body. */
const REQUEST_ONLY: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'expect']);

/** Alt-Svc would lead the client past the proxy. */
const RESPONSE_ONLY: ReadonlySet<string> = new Set([...HOP_BY_HOP, 'alt-svc']);

/** RFC 9110 §6.5.1: framing, routing, authentication, request modifiers, response control and content format never come as trailers. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
  ...HOP_BY_HOP,
  ...['content-length', 'host', 'expect', 'max-forwards', 'range', 'cache-control', 'pragma', 'alt-svc', 'location', 'retry-after'],
  ...['authorization', 'cookie', 'set-cookie', 'www-authenticate', 'authentication-info', 'age', 'date', 'expires', 'vary', 'warning'],
  ...['content-encoding', 'content-type', 'content-range', 'if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since'],
  ...['if-range', 'forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'],
]);

/**
 * Request headers without what must not leave the proxy: hop-by-hop fields with everything that Connection names, `Proxy-*`, `X-Alter-*` and
 * Expect, in every case and with underscores for dashes. Content-Length stays. A list of its own.
 */
export function strippedRequestHeaders(headers: HeaderList): HeaderList {
  return headers.kept(kept(headers, REQUEST_ONLY));
}

/** Removes from response headers: hop-by-hop fields with everything that Connection names, `Proxy-*`, `X-Alter-*` and Alt-Svc. */
export function stripResponseHeaders(headers: HeaderList): void {
  strip(headers, RESPONSE_ONLY);
}

/** Removes from trailers every field that may only stand in front of a body. */
export function stripTrailers(trailers: HeaderList): void {
  strip(trailers, NOT_IN_TRAILERS);
}

/** Whether a request field of this name is written by the proxy alone: framing, routing, hop-by-hop and its own fields. */
export function isReservedField(name: string): boolean {
  const { folded, ofProxy } = fieldName(name);
  return folded === 'host' || folded === 'content-length' || REQUEST_ONLY.has(folded) || ofProxy;
}

function strip(headers: HeaderList, names: ReadonlySet<string>): void {
  headers.filter(kept(headers, names));
}

/** Which fields stay. */
function kept(headers: HeaderList, names: ReadonlySet<string>): (name: FieldName) => boolean {
  const options = connectionOptions(headers);
  if (options === undefined) return (name) => !name.ofProxy && !names.has(name.folded);
  return (name) => !name.ofProxy && !names.has(name.folded) && !options.has(name.lower);
}

/** The field names that Connection lists; undefined when there are none, as in most messages. */
function connectionOptions({ names, values }: HeaderList): ReadonlySet<string> | undefined {
  let options: Set<string> | undefined;
  for (let i = 0; i < names.length; i += 1) {
    const value = values[i] ?? '';
    if (names[i]?.framing !== 'connection' || value === 'keep-alive' || value === 'close') continue;
    addConnectionOptions(value, (options ??= new Set()));
  }
  // Both ends of a Content-Length must agree on the body, whatever Connection says.
  options?.delete('content-length');
  return options;
}
