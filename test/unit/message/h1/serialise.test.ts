/** What leaves is what was meant: no character that ends a line, no framing field that disagrees with the body. */
import test from 'ava';
import { chunkHeader, CHUNK_END, gather, LAST_CHUNK, lastChunk, requestHead, responseHead } from '../../../../src/message/h1/serialise.ts';
import { HeaderList } from '../../../../src/message/header-list.ts';

const NONE = { kind: 'none' } as const;
const FIVE = { kind: 'length', bytes: 5 } as const;
const CHUNKED = { kind: 'chunked' } as const;
const CLOSE = { kind: 'close' } as const;
const fields = (...flat: string[]) => new HeaderList(flat);

test('a request head', (t) => {
  const head = requestHead('POST', '/a?b', fields('Host', 'a.test', 'x-Y', '', 'X-y', 'caf\xe9'), NONE);
  t.is(head, 'POST /a?b HTTP/1.1\r\nHost: a.test\r\nx-Y: \r\nX-y: caf\xe9\r\n\r\n');
});

test('a request that takes trailers says so for its own connection', (t) => {
  const head = requestHead('GET', '/', fields('Host', 'a.test'), NONE, true);
  t.is(head, 'GET / HTTP/1.1\r\nTE: trailers\r\nConnection: TE\r\nHost: a.test\r\n\r\n');
});

test('a response head, also without reason', (t) => {
  t.is(responseHead(200, 'OK', fields('A', 'b'), NONE), 'HTTP/1.1 200 OK\r\nA: b\r\n\r\n');
  t.is(responseHead(200, '', fields(), CLOSE), 'HTTP/1.1 200 \r\n\r\n');
});

test('the framing fields are those of the body', (t) => {
  t.is(requestHead('POST', '/', fields(), FIVE), 'POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n');
  t.is(requestHead('POST', '/', fields('content-length', '5', 'A', 'b'), FIVE), 'POST / HTTP/1.1\r\ncontent-length: 5\r\nA: b\r\n\r\n');
  t.is(requestHead('POST', '/', fields(), CHUNKED), 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n');
  t.is(responseHead(200, 'OK', fields('Content-Length', '7'), NONE), 'HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n');
  t.is(responseHead(204, 'No Content', fields('Content-Length', '0', 'A', 'b'), NONE), 'HTTP/1.1 204 No Content\r\nA: b\r\n\r\n');
});

test('a framing field that disagrees with the body is refused', (t) => {
  const refused = { message: /framing/ };
  t.throws(() => requestHead('POST', '/', fields('Content-Length', '6'), FIVE), refused);
  t.throws(() => requestHead('POST', '/', fields('Content-Length', '05'), FIVE), refused);
  t.throws(() => requestHead('POST', '/', fields('Content-Length', '5', 'content-length', '5'), FIVE), refused);
  t.throws(() => requestHead('POST', '/', fields('Content-Length', '5'), CHUNKED), refused);
  t.throws(() => requestHead('GET', '/', fields('Content-Length', '5'), NONE), refused);
  t.throws(() => requestHead('POST', '/', fields('Transfer-Encoding', 'chunked'), CHUNKED), refused);
  t.throws(() => responseHead(200, 'OK', fields('Content-Length', '5'), CLOSE), refused);
  t.throws(() => responseHead(200, 'OK', fields('transfer-encoding', 'chunked'), NONE), refused);
  t.throws(() => lastChunk(fields('Content-Length', '5')), refused);
});

// U+010A and U+010D are LF and CR once latin1 has cut them.
for (const bad of ['\r', '\n', '\0', '\r\nX: y', '\x7f', '\u010a', '\u010d', '\u20ac']) {
  test(`${JSON.stringify(bad)} leaves in no part of a message`, (t) => {
    const refused = { message: /^the (message|field) cannot be sent/ };
    t.throws(() => requestHead(`GE${bad}T`, '/', fields(), NONE), refused);
    t.throws(() => requestHead('GET', `/${bad}`, fields(), NONE), refused);
    t.throws(() => requestHead('GET', '/', fields(`A${bad}`, 'b'), NONE), refused);
    t.throws(() => requestHead('GET', '/', fields('A', `b${bad}c`), NONE), refused);
    t.throws(() => responseHead(200, `O${bad}K`, fields(), NONE), refused);
    t.throws(() => responseHead(200, 'OK', fields('A', `b${bad}`), NONE), refused);
    t.throws(() => lastChunk(fields('A', bad)), refused);
  });
}

test('empty and spaced parts are refused, and a status that is not three digits', (t) => {
  t.throws(() => requestHead('', '/', fields(), NONE));
  t.throws(() => requestHead('GET', '', fields(), NONE));
  t.throws(() => requestHead('GET', '/a b', fields(), NONE));
  t.throws(() => requestHead('GET', '/', fields('', 'b'), NONE));
  t.throws(() => requestHead('GET', '/', fields('A ', 'b'), NONE));
  for (const status of [99, 1000, 200.5, Number.NaN]) t.throws(() => responseHead(status, 'OK', fields(), NONE));
});

test('a refusal does not quote the message: it may hold a credential', (t) => {
  const error = t.throws(() => requestHead('GET', '/', fields('Authorization', 'Bearer s3cret\n'), NONE));
  t.false(error.message.includes('s3cret'));
});

test('chunks, and their end with and without trailers', (t) => {
  t.is(chunkHeader(1), '1\r\n');
  t.is(chunkHeader(0xabc), 'abc\r\n');
  t.throws(() => chunkHeader(0));
  t.is(lastChunk(undefined), LAST_CHUNK);
  t.is(lastChunk(fields('X-Sum', '1')), '0\r\nX-Sum: 1\r\n\r\n');
});

test('parts are joined octet for octet', (t) => {
  const joined = gather(['a\xff', Buffer.from([0, 255]), CHUNK_END]);
  t.deepEqual([...joined], [0x61, 0xff, 0, 0xff, 13, 10]);
  t.is(gather([]).length, 0);
});
