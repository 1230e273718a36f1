/** Contract: bytes answer the request that had left when they came, and no other. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import test from 'ava';
import type { AlterError } from '../../../src/errors.ts';
import { DEFAULT_H1_LIMITS } from '../../../src/message/h1/limits.ts';
import { HeaderList } from '../../../src/message/header-list.ts';
import type { OutboundRequest } from '../../../src/message/request.ts';
import { exchangeBegins } from '../../../src/message/turn-end.ts';
import { canonicalUrl } from '../../../src/message/url.ts';
import { H1Connection, type ResponseReader } from '../../../src/upstream/h1-connection.ts';

// With others under way, what comes is read at the end of the turn.
test.before(() => {
  exchangeBegins();
  exchangeBegins();
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Setup {
  readonly connection: H1Connection;
  /** What has left. */
  readonly sent: string[];
  /** What each request heard. */
  readonly heard: string[];
  /** Bytes of the origin come, as one event of the socket. */
  come(text: string): void;
  /** The socket has come to its end. */
  ends(how: 'end' | 'error' | 'close'): void;
  send(path: string): void;
  /** The next request is sent the moment the connection is free. */
  whenFree: (() => void) | undefined;
  lost: boolean;
}

function setUp(): Setup {
  const sent: string[] = [];
  const heard: string[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _, done) => {
      sent.push(chunk.toString('latin1').split('\r\n')[0] ?? '');
      done();
    },
  });
  const connection = new H1Connection(socket as Socket, {
    limits: DEFAULT_H1_LIMITS,
    host: 'a.test',
    headersTimeoutMs: 1000,
    bodyTimeoutMs: 1000,
    keepAliveMs: 1000,
    maxLifetimeMs: 1000,
    free: () => setup.whenFree?.(),
    lost: () => (setup.lost = true),
  });
  const setup: Setup = {
    connection,
    sent,
    heard,
    come: (text) => socket.emit('data', Buffer.from(text, 'latin1')),
    ends: (how) => socket.emit(how, new Error('reset')),
    send: (path) => {
      connection.send(requestFor(path), undefined, readerOf(path, heard));
    },
    whenFree: undefined,
    lost: false,
  };
  return setup;
}

function requestFor(path: string): OutboundRequest {
  return {
    method: 'GET',
    origin: { scheme: 'https', host: 'a.test', port: 443 },
    url: canonicalUrl(path),
    headers: new HeaderList(['Host', 'a.test']),
    bodyLength: { kind: 'none' },
    acceptsTrailers: false,
  };
}

function readerOf(path: string, heard: string[]): ResponseReader {
  return {
    informational: () => heard.push(`${path} informational`),
    head: ({ status }) => heard.push(`${path} ${String(status)}`),
    data: (chunk) => heard.push(`${path} ${chunk.toString()}`) > 0 && !path.endsWith('slow'),
    end: () => heard.push(`${path} end`),
    failed: ({ code }: AlterError, stale) => heard.push(`${path} ${code}${stale ? ' stale' : ''}`),
  };
}

const answer = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;

test('an answer is read at the end of the turn in which it came, and the connection is free for the next one', async (t) => {
  const setup = setUp();
  setup.send('/1');
  await turn();
  t.deepEqual(setup.sent, ['GET /1 HTTP/1.1']);
  setup.come(answer('one'));
  t.deepEqual(setup.heard, []);
  await turn();
  t.deepEqual(setup.heard, ['/1 200', '/1 one', '/1 end']);
  t.true(setup.connection.usable);
});

test('what follows an answer is none to the request that gets the connection next: that has not left, and may go elsewhere', async (t) => {
  const setup = setUp();
  setup.whenFree = () => setup.send('/2');
  setup.send('/1');
  await turn();
  setup.come(answer('one'));
  setup.come(answer('stray'));
  await turn();
  t.deepEqual(setup.heard, ['/1 200', '/1 one', '/1 end', '/2 upstream_protocol_error stale']);
  t.deepEqual(setup.sent, ['GET /1 HTTP/1.1']);
  t.true(setup.lost);
});

test('bytes on an idle connection end it at once, before another request can get it', async (t) => {
  const setup = setUp();
  setup.send('/1');
  await turn();
  setup.come(answer('one'));
  await turn();
  setup.come(answer('stray'));
  t.false(setup.connection.usable);
  t.true(setup.lost);
});

test('an answer that came right before the connection was closed is heard in full', async (t) => {
  for (const how of ['end', 'error', 'close'] as const) {
    const setup = setUp();
    setup.send('/1');
    await turn();
    setup.come(answer('one'));
    setup.ends(how);
    await turn();
    t.deepEqual(setup.heard, ['/1 200', '/1 one', '/1 end'], how);
  }
});

test('while the reader wants no more, what comes waits until he does', async (t) => {
  const setup = setUp();
  setup.send('/slow');
  await turn();
  setup.come('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na');
  await turn();
  t.deepEqual(setup.heard, ['/slow 200', '/slow a']);
  setup.come('b');
  await turn();
  t.deepEqual(setup.heard, ['/slow 200', '/slow a']);
  setup.connection.resume();
  await turn();
  t.deepEqual(setup.heard, ['/slow 200', '/slow a', '/slow b', '/slow end']);
});
