/** What a request head says about the connection, what is passed on without a copy, where reading stops, and what an error leaves. */
import test from 'ava';
import { H1Error } from '../../../../src/message/h1/error.ts';
import { DEFAULT_H1_LIMITS } from '../../../../src/message/h1/limits.ts';
import { RequestParser, type H1RequestHead } from '../../../../src/message/h1/request-parser.ts';
import { readRequests } from '../../../support/h1-reading.ts';

const IGNORE = { head: () => {}, data: () => {}, end: () => {} };

function headOf(text: string): H1RequestHead {
  const [head] = readRequests([Buffer.from(text, 'latin1')]).heads;
  if (head === undefined) throw new Error('no head was read');
  return head;
}

const get = (lines: string, version = '1.1'): H1RequestHead => headOf(`GET / HTTP/${version}\r\nHost: a.test\r\n${lines}\r\n`);
const post = (lines: string, version = '1.1'): H1RequestHead =>
  headOf(`POST / HTTP/${version}\r\nHost: a.test\r\nContent-Length: 5\r\n${lines}\r\n`);

test('a head keeps order, spelling and duplicates of its fields', (t) => {
  const head = get('X-B: 2\r\nx-a: 1\r\nX-B:\t3 \r\nEmpty:\r\n');
  t.deepEqual(head.headers.flat(), ['Host', 'a.test', 'X-B', '2', 'x-a', '1', 'X-B', '3', 'Empty', '']);
  t.like(head, { method: 'GET', target: '/', version: '1.1', host: 'a.test', bodyLength: { kind: 'none' } });
});

test('the body length is what the one framing field says', (t) => {
  t.deepEqual(post('').bodyLength, { kind: 'length', bytes: 5 });
  t.deepEqual(get('Content-Length: 0\r\n').bodyLength, { kind: 'length', bytes: 0 });
  t.deepEqual(get('Content-Length: 9007199254740991\r\n').bodyLength, { kind: 'length', bytes: Number.MAX_SAFE_INTEGER });
  t.deepEqual(get('transfer-encoding: CHUNKED\r\n').bodyLength, { kind: 'chunked' });
});

test('a connection persists in HTTP/1.1 unless close is among its options, and never in HTTP/1.0', (t) => {
  t.true(get('').keepAlive);
  t.true(get('Connection: keep-alive\r\n').keepAlive);
  t.true(get('Connection: closed\r\nX: close\r\n').keepAlive);
  t.false(get('Connection: close\r\n').keepAlive);
  t.false(get('Connection: Keep-Alive\r\ncOnnection: x ,\tClose\r\n').keepAlive);
  t.false(get('', '1.0').keepAlive);
  t.false(get('Connection: keep-alive\r\n', '1.0').keepAlive);
});

test('a client waits for 100 only where it has a body and speaks HTTP/1.1', (t) => {
  t.true(post('Expect: 100-continue\r\n').expectsContinue);
  t.true(post('eXPECT: 100-Continue\r\n').expectsContinue);
  t.false(post('').expectsContinue);
  t.false(get('Expect: 100-continue\r\n').expectsContinue);
  t.false(post('Expect: 100-continue\r\n', '1.0').expectsContinue);
});

test('Upgrade counts where Connection names it, in HTTP/1.1', (t) => {
  t.is(get('Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n').upgrade, 'websocket');
  t.is(get('Upgrade: a/1\r\nConnection: upgrade\r\nupgrade: b\r\n').upgrade, 'a/1, b');
  t.is(get('Upgrade: websocket\r\n').upgrade, undefined);
  t.is(get('Connection: Upgrade\r\n').upgrade, undefined);
  t.is(get('Connection: Upgrade\r\nUpgrade: websocket\r\n', '1.0').upgrade, undefined);
});

test('trailers are accepted where TE says so in HTTP/1.1, with or without Connection', (t) => {
  const accepts = (lines: string, version?: string) => get(lines, version).acceptsTrailers;
  t.true(accepts('TE: trailers\r\nConnection: TE\r\n'));
  t.true(accepts('te: Trailers\r\n'));
  t.true(accepts('TE: gzip;q=0.5 ,\ttrailers, deflate\r\n'));
  t.true(accepts('TE: gzip\r\nTE: trailers\r\n'));
  for (const lines of [
    '',
    'TE: \r\n',
    'TE: gzip\r\n',
    'TE: trailers;q=0.5\r\n',
    'TE: trailer\r\n',
    'Trailer: trailers\r\n',
    'TE-X: trailers\r\n',
  ])
    t.false(accepts(lines), lines);
  t.false(accepts('TE: trailers\r\nConnection: TE\r\n', '1.0'));
});

test('an HTTP/1.0 request may come without Host', (t) => {
  t.is(headOf('GET / HTTP/1.0\r\n\r\n').host, undefined);
});

test('data are views into the input, and the input itself where it is nothing but body', (t) => {
  const chunks: Buffer[] = [];
  const parser = new RequestParser({ ...IGNORE, data: (chunk) => chunks.push(chunk) }, DEFAULT_H1_LIMITS);
  const first = Buffer.from('POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 8\r\n\r\nabc');
  const second = Buffer.from('defgh');
  parser.execute(first);
  parser.execute(second);
  t.is(chunks[0]?.toString(), 'abc');
  t.is(chunks[0]?.buffer, first.buffer);
  t.is(chunks[1], second);
});

test('reading stops behind one message, so that pipelined bytes can be held back', (t) => {
  const events: string[] = [];
  const parser = new RequestParser(
    { head: ({ target }) => events.push(target), data: (chunk) => events.push(chunk.toString()), end: () => events.push('end') },
    DEFAULT_H1_LIMITS,
  );
  const one = 'POST /1 HTTP/1.1\r\nHost: a.test\r\nContent-Length: 1\r\n\r\nx';
  const bytes = Buffer.from(`${one}GET /2 HTTP/1.1\r\nHost: a.test\r\n\r\nGET /3`);
  t.is(parser.execute(bytes), one.length);
  t.deepEqual(events, ['/1', 'x', 'end']);
  t.true(parser.atMessageBoundary);
  const next = parser.execute(bytes, one.length);
  t.deepEqual(events.slice(3), ['/2', 'end']);
  t.is(parser.execute(bytes, next), bytes.length);
  t.false(parser.atMessageBoundary);
});

test('the end of the connection is fine between requests, also behind one empty line, and nowhere else', (t) => {
  const until = (text: string) => {
    const parser = new RequestParser(IGNORE, DEFAULT_H1_LIMITS);
    parser.execute(Buffer.from(text));
    return () => parser.finish();
  };
  t.notThrows(until(''));
  t.notThrows(until('\r\n'));
  t.notThrows(until('GET / HTTP/1.1\r\nHost: a\r\n\r\n'));
  for (const text of ['G', '\r', 'GET / HTTP/1.1\r\n', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx']) {
    t.is(t.throws(until(text), { instanceOf: H1Error }).kind, 'truncated');
  }
});

test('after an error the parser reads nothing any more', (t) => {
  const parser = new RequestParser(IGNORE, DEFAULT_H1_LIMITS);
  t.is(t.throws(() => parser.execute(Buffer.from('\n')), { instanceOf: H1Error }).reason, 'bare_lf');
  const later = t.throws(() => parser.execute(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')));
  t.false(later instanceof H1Error);
  t.notThrows(() => parser.finish());
});

test('what is too large, what is not supported and what is malformed are told apart', (t) => {
  const kind = (text: string) => {
    const parser = new RequestParser(IGNORE, { ...DEFAULT_H1_LIMITS, maxHeadBytes: 100 });
    return t.throws(() => parser.execute(Buffer.from(text)), { instanceOf: H1Error }).kind;
  };
  t.is(kind(`GET /${'x'.repeat(100)}`), 'head_too_large');
  t.is(kind('TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'), 'method_not_supported');
  t.is(kind('GET / HTTP/1.1\r\n\r\n'), 'malformed');
});

test('each limit holds to the byte, in one piece and in many', (t) => {
  const head = 'GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n';
  const ends = (limits: Partial<typeof DEFAULT_H1_LIMITS>) =>
    [1, 7, head.length].map((size) => {
      const pieces = Array.from({ length: Math.ceil(head.length / size) }, (_, i) => Buffer.from(head.slice(i * size, (i + 1) * size)));
      return readRequests(pieces, { ...DEFAULT_H1_LIMITS, ...limits }).ends;
    });
  const all = (ending: string) => [ending, ending, ending];
  t.deepEqual(ends({ maxHeadBytes: head.length }), all('clean'));
  t.deepEqual(ends({ maxHeadBytes: head.length - 1 }), all('head_too_long'));
  t.deepEqual(ends({ maxLineBytes: 16 }), all('clean'));
  t.deepEqual(ends({ maxLineBytes: 15 }), all('line_too_long'));
  t.deepEqual(ends({ maxFields: 2 }), all('clean'));
  t.deepEqual(ends({ maxFields: 1 }), all('too_many_fields'));
});
