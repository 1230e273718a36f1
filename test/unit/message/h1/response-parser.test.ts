/** Which response belongs to which request, when a connection can be used again, and how the end of the connection is taken. */
import test from 'ava';
import { H1Error } from '../../../../src/message/h1/error.ts';
import { DEFAULT_H1_LIMITS } from '../../../../src/message/h1/limits.ts';
import { ResponseParser, type H1ResponseHead, type ResponseHandler } from '../../../../src/message/h1/response-parser.ts';
import { readResponse } from '../../../support/h1-reading.ts';

const IGNORE: ResponseHandler = { informational: () => {}, upgrade: () => {}, head: () => {}, data: () => {}, end: () => {} };
const EMPTY = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');

function headOf(text: string, method = 'GET'): H1ResponseHead {
  const [head] = readResponse([Buffer.from(text, 'latin1')], { method, upgrade: false }).heads;
  if (head === undefined) throw new Error('no head was read');
  return head;
}

test('a head keeps status, reason and fields as they came', (t) => {
  const head = headOf('HTTP/1.1 418 I am a  teapot\r\nset-cookie: a\r\nContent-Length: 0\r\nset-cookie: b\r\n\r\n');
  t.like(head, { status: 418, reason: 'I am a  teapot', version: '1.1', bodyLength: { kind: 'length', bytes: 0 } });
  t.deepEqual(head.headers.flat(), ['set-cookie', 'a', 'Content-Length', '0', 'set-cookie', 'b']);
});

test('a connection can be used again unless it closes, the body needs its end, or HTTP/1.0 does not offer it', (t) => {
  t.true(headOf('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n').keepAlive);
  t.false(headOf('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n').keepAlive);
  t.false(headOf('HTTP/1.1 200 OK\r\n\r\n').keepAlive);
  t.false(headOf('HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n').keepAlive);
  t.true(headOf('HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n').keepAlive);
  t.true(headOf('HTTP/1.1 304 Not Modified\r\n\r\n').keepAlive);
  t.true(headOf('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'HEAD').keepAlive);
});

test('one response for each request that was announced', (t) => {
  const parser = new ResponseParser(IGNORE, DEFAULT_H1_LIMITS);
  t.true(parser.atMessageBoundary);
  parser.expect('GET');
  t.false(parser.atMessageBoundary);
  t.throws(() => parser.expect('GET'), { message: /under way/ });
  t.is(parser.execute(EMPTY), EMPTY.length);
  parser.expect('GET');
  parser.execute(EMPTY);
  t.is(t.throws(() => parser.execute(Buffer.from('H')), { instanceOf: H1Error }).reason, 'unexpected_bytes');
});

test('bytes behind a response cannot become the response to a request that is announced while it ends', (t) => {
  const parser: ResponseParser = new ResponseParser({ ...IGNORE, end: () => parser.expect('GET') }, DEFAULT_H1_LIMITS);
  parser.expect('GET');
  t.throws(() => parser.execute(Buffer.concat([EMPTY, EMPTY])), { message: /under way/ });
});

test('informational responses come before the final one and leave the request awaited', (t) => {
  const events: string[] = [];
  const parser = new ResponseParser(
    {
      ...IGNORE,
      informational: ({ status }) => events.push(`informational ${String(status)}`),
      head: ({ status }) => events.push(`head ${String(status)}`),
    },
    DEFAULT_H1_LIMITS,
  );
  parser.expect('POST');
  parser.execute(Buffer.from('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 P\r\n\r\n'));
  t.false(parser.atMessageBoundary);
  parser.execute(EMPTY);
  t.deepEqual(events, ['informational 100', 'informational 102', 'head 200']);
});

test('behind 101 the bytes are not read: they belong to the other protocol', (t) => {
  const upgraded: H1ResponseHead[] = [];
  const parser = new ResponseParser({ ...IGNORE, upgrade: (head) => upgraded.push(head) }, DEFAULT_H1_LIMITS);
  const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
  parser.expect('GET', true);
  t.is(parser.execute(Buffer.from(`${head}\x81\x00`, 'latin1')), head.length);
  t.is(upgraded[0]?.upgrade, 'websocket');
  t.throws(() => parser.execute(Buffer.from('x')), { message: /before/ });
});

test('the end of the connection completes only a body without a length', (t) => {
  const finish = (text: string) => {
    let ended = 0;
    const parser = new ResponseParser({ ...IGNORE, end: () => (ended += 1) }, DEFAULT_H1_LIMITS);
    parser.expect('GET');
    parser.execute(Buffer.from(text));
    try {
      parser.finish();
    } catch (error) {
      return error instanceof H1Error ? error.kind : error;
    }
    return ended;
  };
  t.is(finish('HTTP/1.1 200 OK\r\n\r\nabc'), 1);
  t.is(finish('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'), 1);
  t.is(finish('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc'), 'truncated');
  t.is(finish('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n'), 'truncated');
  t.is(finish('HTTP/1.1 200 OK\r\n'), 'truncated');
  t.is(finish(''), 'truncated');
});

test('an idle connection may end', (t) => {
  const parser = new ResponseParser(IGNORE, DEFAULT_H1_LIMITS);
  parser.expect('GET');
  parser.execute(EMPTY);
  t.notThrows(() => parser.finish());
});
