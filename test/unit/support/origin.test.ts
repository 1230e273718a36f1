import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent, request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { bigBodySha256, startOrigin, startRawOrigin, type HttpOriginOptions, type Origin } from '../../support/origin.ts';

async function origin(t: ExecutionContext, options?: HttpOriginOptions): Promise<Origin> {
  const started = await startOrigin(options);
  t.teardown(() => started.close());
  return started;
}

interface Answer {
  readonly message: IncomingMessage;
  readonly body: Buffer;
}

function open(to: Origin, path: string, options: RequestOptions = {}): ReturnType<typeof httpsRequest> {
  const send = to.url.startsWith('https') ? httpsRequest : httpRequest;
  return send({ host: '127.0.0.1', servername: 'localhost', port: to.port, path, ca: to.ca, agent: false, ...options });
}

async function fetchFrom(to: Origin, path: string, options: RequestOptions = {}, body?: string | Buffer): Promise<Answer> {
  const request = open(to, path, options);
  request.end(body);
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  return { message, body: Buffer.concat(await message.toArray()) };
}

test('a request is recorded as it came and echoed', async (t) => {
  const server = await origin(t);
  const headers = ['X-Odd-Case', '1', 'x-odd-case', '2'];
  const { body } = await fetchFrom(
    server,
    '/v1/a%2Fb?q=1',
    { method: 'POST', headers: ['Host', 'localhost', ...headers] as never },
    'hello',
  );
  const echoed = JSON.parse(body.toString()) as Record<string, unknown>;
  const [seen] = server.requests;
  assert(seen);
  t.is(seen.url, '/v1/a%2Fb?q=1');
  t.is(seen.servername, 'localhost');
  t.is(seen.bodySha256, createHash('sha256').update('hello').digest('hex'));
  t.deepEqual(seen.rawHeaders.slice(2, 6), headers);
  t.is(echoed['body'], 'hello');
  t.deepEqual(echoed['rawHeaders'], seen.rawHeaders);
});

test('requests on one connection bear its number; another connection has another', async (t) => {
  const server = await origin(t);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  await fetchFrom(server, '/1', { agent });
  await fetchFrom(server, '/2', { agent });
  await fetchFrom(server, '/3');
  t.deepEqual(
    server.requests.map(({ connection }) => connection),
    [1, 1, 2],
  );
  await server.until(() => server.connections === 1);
  t.is(server.accepted, 2);
});

for (const [certificate, code] of [
  ['expired', 'CERT_HAS_EXPIRED'],
  ['self-signed', 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ['wrong-host', 'ERR_TLS_CERT_ALTNAME_INVALID'],
] as const) {
  test(`the ${certificate} certificate is refused with ${code}`, async (t) => {
    const server = await origin(t, { certificate });
    const request = open(server, '/');
    request.end();
    const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, code);
    t.is(server.requests.length, 0);
  });
}

test('two origins do not trust each other', async (t) => {
  const [first, second] = [await origin(t), await origin(t)];
  const request = open(first, '/', { ca: second.ca });
  request.end();
  const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
  t.is(error.code, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
});

for (const path of ['/big?bytes=300001', '/big?bytes=300001&chunked=1']) {
  test(`${path} streams what bigBodySha256 says`, async (t) => {
    const { message, body } = await fetchFrom(await origin(t, { tls: false }), path);
    t.is(body.length, 300_001);
    t.is(createHash('sha256').update(body).digest('hex'), bigBodySha256(300_001));
    t.is(message.headers['content-length'], path.includes('chunked') ? undefined : '300001');
  });
}

test('a client that stops reading stops /big', async (t) => {
  const server = await origin(t, { tls: false });
  const request = open(server, '/big?bytes=500000000');
  request.end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  await server.until(() => (server.requests[0]?.responseBytes ?? 0) > 0);
  message.destroy();
  await server.until(() => server.aborted.length === 1);
  t.true((server.requests[0]?.responseBytes ?? 0) < 100_000_000);
});

test('/sse sends what emit says, one by one', async (t) => {
  const server = await origin(t);
  const request = open(server, '/sse?n=2');
  request.end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  message.setEncoding('utf8');
  const ended = once(message, 'end');
  server.emit('one');
  t.deepEqual(await once(message, 'data'), ['data: one\n\n']);
  server.emit('two');
  t.deepEqual(await once(message, 'data'), ['data: two\n\n']);
  await ended;
  await server.until(() => server.eventStreams === 0);
  t.deepEqual(server.aborted, []);
});

test('/sse by the clock ends by itself', async (t) => {
  const { body } = await fetchFrom(await origin(t), '/sse?n=3&interval=1');
  t.is(body.toString(), 'data: 1\n\ndata: 2\n\ndata: 3\n\n');
});

test('/slow-headers and /stall-body hold until released', async (t) => {
  const server = await origin(t);
  const answers = Promise.all([fetchFrom(server, '/slow-headers'), fetchFrom(server, '/stall-body')]);
  await server.until(() => server.requests.length === 2);
  server.release();
  t.deepEqual(
    (await answers).map(({ body }) => body.toString()),
    ['released', 'first halfother half'],
  );
});

test('/stall-upload reads nothing until released', async (t) => {
  const server = await origin(t);
  const answer = fetchFrom(server, '/stall-upload', { method: 'POST' }, Buffer.alloc(1_000_000));
  await server.until(() => server.requests.length === 1);
  t.is(server.requests[0]?.bodyBytes, 0);
  server.release();
  await answer;
  t.is(server.requests[0]?.bodyBytes, 1_000_000);
});

test('a client that goes away is recorded as aborted', async (t) => {
  const server = await origin(t);
  const request = open(server, '/slow-headers');
  request.on('error', () => undefined);
  request.end();
  await server.until(() => server.requests.length === 1);
  request.destroy();
  await server.until(() => server.aborted.length === 1);
  t.is(server.aborted[0], server.requests[0]);
});

for (const path of ['/reset', '/garbage']) {
  test(`${path} breaks the answer`, async (t) => {
    const server = await origin(t);
    const request = open(server, path);
    request.end();
    const [error] = (await once(request, 'error')) as [NodeJS.ErrnoException];
    t.is(error.code, path === '/reset' ? 'ECONNRESET' : 'HPE_INVALID_CONSTANT');
    t.deepEqual(server.aborted, []);
  });
}

test('/reset?after=body breaks off within the body', async (t) => {
  const error = await t.throwsAsync(fetchFrom(await origin(t), '/reset?after=body'));
  t.is((error as NodeJS.ErrnoException).code, 'ECONNRESET');
});

test('statuses, redirects and special headers', async (t) => {
  const server = await origin(t);
  t.is((await fetchFrom(server, '/status/418')).message.statusCode, 418);
  t.is((await fetchFrom(server, '/status/204')).body.length, 0);
  const redirect = await fetchFrom(server, '/redirect?to=https://evil.test/&status=307');
  t.deepEqual([redirect.message.statusCode, redirect.message.headers.location], [307, 'https://evil.test/']);
  t.regex((await fetchFrom(server, '/alt-svc')).message.headers['alt-svc'] ?? '', /^h3=/);
  t.is((await fetchFrom(server, '/cookies')).message.headers['set-cookie']?.length, 2);
  t.is((await fetchFrom(server, '/close')).message.headers.connection, 'close');
  t.deepEqual((await fetchFrom(server, '/trailers')).message.trailers, { 'x-checksum': 'abc123' });
});

test('/reflect answers credentials in every encoding', async (t) => {
  const { message } = await fetchFrom(await origin(t), '/reflect', { headers: { authorization: 'Bearer a b', 'x-api-key': 'k/1' } });
  t.is(message.headers['x-reflected-authorization'], 'Bearer a b');
  t.is(message.headers['x-reflected-authorization-base64'], Buffer.from('Bearer a b').toString('base64'));
  t.is(message.headers['x-reflected-x-api-key-percent'], 'k%2F1');
});

test('/early-hints answers 103 before 200', async (t) => {
  const request = open(await origin(t), '/early-hints');
  const order: (number | undefined)[] = [];
  request.on('information', ({ statusCode }) => order.push(statusCode));
  request.end();
  const [message] = (await once(request, 'response')) as [IncomingMessage];
  message.resume();
  t.deepEqual([...order, message.statusCode], [103, 200]);
});

test('a handler goes before the routes', async (t) => {
  const server = await origin(t, {
    handler: (message, response) => {
      if (message.url !== '/own') return false;
      response.end('own');
      return true;
    },
  });
  t.is((await fetchFrom(server, '/own')).body.toString(), 'own');
  t.is((await fetchFrom(server, '/status/201')).message.statusCode, 201);
});

test('an upgrade is answered with 101, then every octet is echoed', async (t) => {
  const request = open(await origin(t), '/socket', { headers: { Connection: 'Upgrade', Upgrade: 'websocket' } });
  request.end();
  const [, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Socket];
  socket.write('ping');
  t.is(String((await once(socket, 'data'))[0]), 'ping');
  socket.destroy();
});

for (const tls of [true, false]) {
  test(`a raw origin writes octets of its own, ${tls ? 'with' : 'without'} TLS`, async (t) => {
    const server = await startRawOrigin((socket) => socket.end('HTTP/1.1 200 OK\nbare line feeds\n\n'), { tls });
    t.teardown(() => server.close());
    const at = { port: server.port, host: '127.0.0.1' };
    const socket = tls ? connectTls({ ...at, servername: 'localhost', ca: server.ca }) : connectTcp(at);
    t.is(Buffer.concat(await socket.toArray()).toString(), 'HTTP/1.1 200 OK\nbare line feeds\n\n');
    t.is(server.accepted, 1);
    await server.until(() => server.connections === 0);
  });
}
