import fc from 'fast-check';
import { H1_REQUESTS } from '../corpus/h1-requests.ts';
import { H1_RESPONSES } from '../corpus/h1-responses.ts';
import type { Asked } from './h1-reading.ts';

const TOKEN_CHARACTERS = Array.from("!#$%&'*+-.^_`|~09azAZ");
const VALUE_CHARACTERS = Array.from('\t !"#,:;=@[]~09azAZ\x80\xff');
const TARGET_CHARACTERS = Array.from('!$&/:;=?@[]_~09azAZ%');

const token = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1, maxLength: 12 });
const value = fc.string({ unit: fc.constantFrom(...VALUE_CHARACTERS), maxLength: 20 }).map((text) => text.trim());
const latin1Body = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

/** Names with a meaning for framing are added on purpose, never by chance. */
const plainField = fc
  .tuple(fc.oneof(token, fc.constantFrom('Accept', 'Cookie', 'X-Thing', 'Set-Cookie')), value)
  .map(([name, text]) => `${name}: ${text}\r\n`);
const fields = fc.array(plainField, { maxLength: 4 }).map((lines) => lines.join(''));
const connection = fc.constantFrom(
  '',
  '',
  '',
  'Connection: close\r\n',
  'Connection: keep-alive\r\n',
  'connection: X-Thing, Keep-Alive\r\n',
);

const extension = fc.constantFrom('', '', ';a', ';a=b', ';a="b c"', ';a;b=c');
const chunk = fc
  .tuple(
    latin1Body.filter((text) => text !== ''),
    extension,
    fc.constantFrom('', '0', '00'),
  )
  .map(([data, ext, zeros]) => `${zeros}${data.length.toString(16)}${ext}\r\n${data}\r\n`);
const trailer = fc.tuple(fc.constantFrom('X-Sum', 'x-sum', 'Server-Timing'), value).map(([name, text]) => `${name}: ${text}\r\n`);
const chunkedBody = fc
  .tuple(fc.array(chunk, { maxLength: 3 }), extension, fc.array(trailer, { maxLength: 2 }))
  .map(([chunks, ext, trailers]) => `${chunks.join('')}0${ext}\r\n${trailers.join('')}\r\n`);

/** Framing lines and the body that fits them. */
const framed = fc.oneof(
  fc.constant({ lines: '', body: '' }),
  latin1Body.map((body) => ({ lines: `Content-Length: ${String(body.length)}\r\n`, body })),
  chunkedBody.map((body) => ({ lines: 'Transfer-Encoding: chunked\r\n', body })),
);

const target = fc.string({ unit: fc.constantFrom(...TARGET_CHARACTERS), maxLength: 20 }).map((text) => `/${text}`);

/** One valid HTTP/1.1 request. */
const request = fc
  .record({ method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH'), target, fields, connection, framed })
  .map(
    (part) =>
      `${part.method} ${part.target} HTTP/1.1\r\nHost: a.test\r\n${part.fields}${part.connection}${part.framed.lines}\r\n${part.framed.body}`,
  );

/** One to three valid requests, one after another. */
export const validRequests: fc.Arbitrary<Buffer> = fc.array(request, { minLength: 1, maxLength: 3 }).map((all) => bytes(all.join('')));

/** A response and what it answers. */
export interface ResponseInput {
  readonly asked: Asked;
  readonly bytes: Buffer;
}

const reason = fc.constantFrom('OK', '', 'Not Found', 'I\'m a "teapot"', '\xe9');
const informational = fc.constantFrom('', '', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n');

/** One valid response to GET, with a body that has an end of its own. */
const response = fc
  .record({ informational, status: fc.constantFrom(200, 201, 404, 500, 599), reason, fields, connection, framed })
  .map(
    (part) =>
      `${part.informational}HTTP/1.1 ${String(part.status)} ${part.reason}\r\n${part.fields}${part.connection}${part.framed.lines}\r\n${part.framed.body}`,
  );

/** A valid response to GET. */
export const validResponse: fc.Arbitrary<ResponseInput> = response.map((text) => ({
  asked: { method: 'GET', upgrade: false },
  bytes: bytes(text),
}));

/** What mutations put in: the bytes and words that parsers disagree about. */
const FRAGMENTS = [
  ...['\r', '\n', '\r\n', '\r\n\r\n', '\0', ' ', '\t', ':', ';', ',', '"', '\x0b', '\x7f', '\xa0', '-', '+', '0', '5', 'f'],
  ...[
    'Host: b.test\r\n',
    'Content-Length: 5\r\n',
    'Content-Length: 0\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Transfer-Encoding: identity\r\n',
  ],
  ...[
    'Connection: close\r\n',
    'Connection: upgrade\r\n',
    'Upgrade: websocket\r\n',
    'Expect: 100-continue\r\n',
    ' folded\r\n',
    '0\r\n\r\n',
    '5\r\nhello\r\n',
  ],
  ...[
    'HTTP/1.0',
    'HTTP/1.1',
    'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n',
    'HTTP/1.1 200 OK\r\n',
    'CONNECT a.test:1',
    'HEAD',
    '204',
    '101',
    '100',
    '304',
  ],
];

type Edit =
  | { readonly kind: 'insert' | 'replace'; readonly at: number; readonly text: string }
  | { readonly kind: 'delete' | 'double'; readonly at: number; readonly length: number };

const position = fc.nat({ max: 4096 });
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constantFrom('insert' as const, 'replace' as const), at: position, text: fc.constantFrom(...FRAGMENTS) }),
  fc.record({ kind: fc.constant('replace' as const), at: position, text: fc.nat({ max: 255 }).map((octet) => String.fromCharCode(octet)) }),
  fc.record({ kind: fc.constantFrom('delete' as const, 'double' as const), at: position, length: fc.integer({ min: 1, max: 24 }) }),
);
const edits = fc.array(edit, { minLength: 1, maxLength: 4 });

/** Payloads that are long on purpose cost time and find nothing new when they are mutated. */
const short = <T extends { readonly bytes: string }>(cases: readonly T[]): T[] => cases.filter((item) => item.bytes.length < 1000);

/** Valid requests and payloads of the corpus, changed in a few places. */
export const mutatedRequests: fc.Arbitrary<Buffer> = fc
  .tuple(
    fc.oneof(
      validRequests,
      fc.constantFrom(...short(H1_REQUESTS)).map((item) => bytes(item.bytes)),
    ),
    edits,
  )
  .map(([original, changes]) => mutate(original, changes));

/** Valid responses and payloads of the corpus, changed in a few places. */
export const mutatedResponse: fc.Arbitrary<ResponseInput> = fc
  .tuple(
    fc.oneof(
      validResponse,
      fc.constantFrom(...short(H1_RESPONSES)).map((item) => ({ asked: item.asked, bytes: bytes(item.bytes) })),
    ),
    edits,
  )
  .map(([original, changes]) => ({ asked: original.asked, bytes: mutate(original.bytes, changes) }));

/** A request that came on a connection, and what comes next: almost the same. */
export const resemblingRequests: fc.Arbitrary<readonly [Buffer, Buffer]> = fc
  .tuple(request.map(bytes), edits)
  .map(([original, changes]) => [original, mutate(original, changes)]);

/** The same of responses. */
export const resemblingResponses: fc.Arbitrary<readonly [ResponseInput, ResponseInput]> = fc
  .tuple(validResponse, edits)
  .map(([original, changes]) => [original, { ...original, bytes: mutate(original.bytes, changes) }]);

/** Offsets at which to cut an input. */
export const cuts: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 4096 }), { maxLength: 8 });

function mutate(original: Buffer, changes: readonly Edit[]): Buffer {
  let text = original.toString('latin1');
  for (const change of changes) {
    const at = change.at % (text.length + 1);
    text = `${text.slice(0, at)}${inPlaceOf(text, at, change)}`;
  }
  return bytes(text);
}

function inPlaceOf(text: string, at: number, change: Edit): string {
  switch (change.kind) {
    case 'insert':
      return change.text + text.slice(at);
    case 'replace':
      return change.text + text.slice(at + change.text.length);
    case 'delete':
      return text.slice(at + change.length);
    case 'double':
      return text.slice(at, at + change.length) + text.slice(at);
  }
}

function bytes(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
