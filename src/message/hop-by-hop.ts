import { addConnectionOptions } from './connection.ts';
import { fieldName, type FieldName } from './field-name.ts';
import type { HeaderList } from './header-list.ts';
import { isMethodOverride } from './method-override.ts';

/** RFC 9110 §6.5.1: framing, routing, authentication, request modifiers, response control and content format never come as trailers. */
const NOT_IN_TRAILERS: ReadonlySet<string> = new Set([
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
  return headers.kept(kept(headers, staysInRequest));
}

/** Removes from response headers: hop-by-hop fields with everything that Connection names, `Proxy-*`, `X-Alter-*` and Alt-Svc. */
export function stripResponseHeaders(headers: HeaderList): void {
  headers.filter(kept(headers, staysInResponse));
}

/** Removes from trailers every field that may only stand in front of a body. */
export function stripTrailers(trailers: HeaderList): void {
  trailers.filter(kept(trailers, staysInTrailers));
}

/** The same for those of a request, whose rules have judged its head: what would say there what is asked for goes, too. */
export function stripRequestTrailers(trailers: HeaderList): void {
  trailers.filter(kept(trailers, (name) => staysInTrailers(name) && !isMethodOverride(name) && !saysOperation(name)));
}

function staysInTrailers({ ofProxy, hopByHop, folded }: FieldName): boolean {
  return !ofProxy && !hopByHop && !NOT_IN_TRAILERS.has(folded);
}

/** Fields by which AWS is told what to do, and for whom; checksums alone are meant to follow a body. */
function saysOperation({ folded }: FieldName): boolean {
  return (folded.startsWith('x-amz-') && !folded.startsWith('x-amz-checksum-')) || folded === 'smithy-protocol';
}

/** Whether a request field of this name is written by the proxy alone: framing, routing, hop-by-hop and its own fields. */
export function isReservedField(name: string): boolean {
  const { folded, ofProxy, hopByHop } = fieldName(name);
  return folded === 'host' || folded === 'content-length' || folded === 'expect' || hopByHop || ofProxy;
}

/** What is neither for this connection nor for the proxy. Expect is answered by the edge, which then has the body. */
function staysInRequest({ ofProxy, hopByHop, folded }: FieldName): boolean {
  return !ofProxy && !hopByHop && folded !== 'expect';
}

/** The same for an answer. Alt-Svc would lead the client past the proxy. */
function staysInResponse({ ofProxy, hopByHop, folded }: FieldName): boolean {
  return !ofProxy && !hopByHop && folded !== 'alt-svc';
}

/** Which fields stay: those that stay by their name, unless Connection names them. Most messages pay for no function of their own. */
function kept(headers: HeaderList, stays: (name: FieldName) => boolean): (name: FieldName) => boolean {
  const options = connectionOptions(headers);
  return options === undefined ? stays : butFor(options, stays);
}

function butFor(options: ReadonlySet<string>, stays: (name: FieldName) => boolean): (name: FieldName) => boolean {
  return (name) => stays(name) && !options.has(name.lower);
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
