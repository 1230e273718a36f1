import type { BodyLength } from '../body.ts';
import type { HeaderList } from '../header-list.ts';
import { isFieldValue, isToken } from '../syntax.ts';
import type { ResponseBodyLength } from './body-reader.ts';
import { joinLines, type FieldText } from './field-text.ts';

/** Visible ASCII without `#`, like TARGET_OCTETS. On whole strings an expression is several times faster than a loop over a table. */
const TARGET = /^[!"$-~]+$/;

/** Ends a chunk's data. */
export const CHUNK_END = '\r\n';

/** Ends a chunked body without trailers. */
export const LAST_CHUNK = '0\r\n\r\n';

/** RFC 9110 §10.1.4: whoever sends TE names it in Connection. */
const TE_TRAILERS = 'TE: trailers\r\nConnection: TE\r\n';

/**
 * A request head in HTTP/1.1, one character an octet. The framing fields are written from `framing`, so that they cannot disagree with
 * the body: Transfer-Encoding must not be among `headers`, and a Content-Length there must be the right one. What a field may hold is the
 * promise of {@link HeaderList}. With `acceptsTrailers` neither TE nor Connection may be among them. `text`: that of the connection.
 * @throws Error when the head would be read differently from how it was meant.
 */
export function requestHead(
  method: string,
  target: string,
  headers: HeaderList,
  framing: BodyLength,
  acceptsTrailers = false,
  text?: FieldText,
): string {
  if (!isToken(method)) throw unsound('the method is not a token');
  if (!TARGET.test(target)) throw unsound('the request target is not visible ASCII');
  return fieldLines(`${method} ${target} HTTP/1.1\r\n${acceptsTrailers ? TE_TRAILERS : ''}`, headers, framing, 'refused', text);
}

/**
 * A response head in HTTP/1.1. With framing `none` (HEAD, 304) a Content-Length among `headers` stays and describes what a GET would get;
 * with 1xx and 204, where RFC 9110 §8.6 forbids one, it goes. `text`: that of the connection.
 * @throws Error when the head would be read differently from how it was meant.
 */
export function responseHead(status: number, reason: string, headers: HeaderList, framing: ResponseBodyLength, text?: FieldText): string {
  if (!Number.isInteger(status) || status < 100 || status > 999) throw unsound('the status is not a number of three digits');
  if (!isFieldValue(reason)) throw unsound('the reason holds a control character');
  return fieldLines(`HTTP/1.1 ${String(status)} ${reason}\r\n`, headers, framing, lengthWithoutBody(status), text);
}

/** The line before a chunk of `length` bytes: never 0, which would end the body. */
export function chunkHeader(length: number): string {
  if (!Number.isSafeInteger(length) || length < 1) throw unsound('a chunk has one byte at least');
  return `${length.toString(16)}\r\n`;
}

/** Ends a chunked body. @throws Error when a trailer would be read as something else. */
export function lastChunk(trailers: HeaderList | undefined): string {
  return trailers === undefined ? LAST_CHUNK : fieldLines('0\r\n', trailers, NO_FRAMING, 'refused');
}

/**
 * Joins parts of messages into one buffer, so that they leave in one write: worth it up to a few kilobytes. Strings hold one character an
 * octet, as the functions above return them.
 */
export function gather(parts: readonly (string | Buffer)[]): Buffer {
  let length = 0;
  for (const part of parts) length += part.length;
  const bytes = Buffer.allocUnsafe(length);
  let at = 0;
  for (const part of parts) {
    if (typeof part === 'string') bytes.write(part, at, 'latin1');
    else part.copy(bytes, at);
    at += part.length;
  }
  return bytes;
}

/** What happens to a Content-Length of a message without a body. */
type LengthWithoutBody = 'refused' | 'kept' | 'dropped';

const NO_FRAMING: BodyLength = Object.freeze({ kind: 'none' });

function lengthWithoutBody(status: number): LengthWithoutBody {
  return status < 200 || status === 204 ? 'dropped' : 'kept';
}

/** `first`, which is a line or several, the lines of the fields, and the empty line. */
function fieldLines(
  first: string,
  headers: HeaderList,
  framing: ResponseBodyLength,
  withoutBody: LengthWithoutBody,
  text?: FieldText,
): string {
  const { names, values } = headers;
  let lengths = 0;
  for (let i = 0; i < names.length; i += 1) {
    const name = names[i]?.framing;
    if (name !== 'content-length' && name !== 'transfer-encoding') continue;
    lengths += 1;
    checkFraming(name, values[i] ?? '', lengths, framing, withoutBody);
  }
  const last = lengths === 0 ? lengthLine(framing) : '\r\n';
  if (lengths > 0 && framing.kind === 'none' && withoutBody === 'dropped') {
    const kept = headers.kept((name) => name.framing !== 'content-length');
    return joinLines(first, kept.names, kept.values, 0, kept.size, last);
  }
  return text === undefined ? joinLines(first, names, values, 0, names.length, last) : text.join(first, headers, last);
}

/** What says how long the body is, where no field does, and the empty line. */
function lengthLine(framing: ResponseBodyLength): string {
  if (framing.kind === 'chunked') return 'Transfer-Encoding: chunked\r\n\r\n';
  return framing.kind === 'length' ? `Content-Length: ${String(framing.bytes)}\r\n\r\n` : '\r\n';
}

/** `lengths`: how many framing fields there are up to this one. */
function checkFraming(
  name: 'content-length' | 'transfer-encoding',
  value: string,
  lengths: number,
  framing: ResponseBodyLength,
  withoutBody: LengthWithoutBody,
): void {
  const fits = framing.kind === 'length' ? value === String(framing.bytes) : framing.kind === 'none' && withoutBody !== 'refused';
  if (name === 'transfer-encoding' || lengths > 1 || !fits) throw unsound('a framing field does not fit the body');
}

/** Nothing of the message is quoted: it may hold a credential. */
function unsound(detail: string): Error {
  return new Error(`the message cannot be sent: ${detail}`);
}
