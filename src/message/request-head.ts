import { AlterError } from '../errors.ts';
import type { BodyLength } from './body.ts';
import { addConnectionOptions } from './connection.ts';
import type { HeaderList } from './header-list.ts';
import { malformed } from './malformed.ts';
import { foldUnderscores, isFieldValue, isToken } from './syntax.ts';

/** What framing and routing need of a request head. */
interface FramingFields {
  readonly hosts: string[];
  readonly lengths: string[];
  readonly codings: string[];
  readonly options: Set<string>;
}

const NO_BODY: BodyLength = Object.freeze({ kind: 'none' });
const CHUNKED: BodyLength = Object.freeze({ kind: 'chunked' });

/**
 * Refuses every request head that two HTTP implementations could read in two ways (RFC 9112 §3.2, §6.3, §11.2) and returns how long
 * the body is and the one Host value (undefined: HTTP/1.0 without Host). Throws `malformed_request`, or `method_not_supported` for
 * TRACE and TRACK.
 */
export function checkRequestHead(input: { readonly httpVersion: string; readonly method: string; readonly headers: HeaderList }): {
  bodyLength: BodyLength;
  host: string | undefined;
} {
  const { httpVersion, method, headers } = input;
  if (httpVersion !== '1.1' && httpVersion !== '1.0') throw malformed('the HTTP version must be 1.0 or 1.1');
  checkMethod(method);
  const fields = collectFraming(headers);
  checkConnectionOptions(fields.options);
  return { bodyLength: bodyLengthOf(fields, httpVersion), host: oneHost(fields.hosts, httpVersion) };
}

function checkMethod(method: string): void {
  if (!isToken(method)) throw malformed('the method is not a token');
  if (method.length === 5 && /^tra(?:ce|ck)$/i.test(method)) throw new AlterError('method_not_supported');
}

function collectFraming(headers: HeaderList): FramingFields {
  const fields: FramingFields = { hosts: [], lengths: [], codings: [], options: new Set() };
  const flat = headers.flat();
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] ?? '';
    const value = flat[i + 1] ?? '';
    if (!isToken(name)) throw malformed('a header field name is not a token');
    if (!isFieldValue(value)) throw malformed('a header field value holds a control character');
    sortFraming(name, value, fields);
  }
  return fields;
}

/** The length tells most other names apart before any string is made. */
function sortFraming(name: string, value: string, fields: FramingFields): void {
  if (name.length === 4) {
    if (name.toLowerCase() === 'host') fields.hosts.push(value);
  } else if (name.length === 10) {
    if (name.toLowerCase() === 'connection') addConnectionOptions(value, fields.options);
  } else if (name.length === 14 || name.length === 17) {
    const lower = name.toLowerCase();
    const folded = foldUnderscores(lower);
    if (folded !== 'content-length' && folded !== 'transfer-encoding') return;
    if (folded !== lower) throw malformed('a framing field is spelled with an underscore');
    (folded === 'content-length' ? fields.lengths : fields.codings).push(value);
  }
}

function checkConnectionOptions(options: ReadonlySet<string>): void {
  if (options.has('content-length') || options.has('transfer-encoding') || options.has('host')) {
    throw malformed('Connection must not name Host, Content-Length or Transfer-Encoding');
  }
}

function bodyLengthOf({ lengths, codings }: FramingFields, httpVersion: string): BodyLength {
  if (codings.length > 0) {
    if (httpVersion === '1.0') throw malformed('HTTP/1.0 has no Transfer-Encoding');
    if (lengths.length > 0) throw malformed('Content-Length and Transfer-Encoding must not stand together');
    if (codings.length > 1 || codings[0]?.toLowerCase() !== 'chunked') throw malformed('Transfer-Encoding must be exactly: chunked');
    return CHUNKED;
  }
  if (lengths.length > 1) throw malformed('there must be one Content-Length at most');
  const [length] = lengths;
  if (length === undefined) return NO_BODY;
  const bytes = /^[0-9]+$/.test(length) ? Number(length) : Number.NaN;
  if (!Number.isSafeInteger(bytes)) throw malformed('Content-Length must be one decimal number');
  return { kind: 'length', bytes };
}

function oneHost(hosts: readonly string[], httpVersion: string): string | undefined {
  if (hosts.length > 1) throw malformed('there must be one Host field at most');
  if (hosts.length === 0 && httpVersion === '1.1') throw malformed('an HTTP/1.1 request needs a Host field');
  return hosts[0];
}
