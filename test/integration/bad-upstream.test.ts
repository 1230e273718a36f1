/**
 * Contract: whatever the destination does, the client gets the code that says what happened, the audit event agrees, and
 * the proxy serves the next request.
 */
import dns from 'node:dns';
import net, { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import test from 'ava';
import type { AlterError } from '../../src/errors.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { problemCode, requestThrough } from '../support/client.ts';
import type { ClientAnswer } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOrigin, startRawOrigin } from '../support/origin.ts';
import type { OriginOptions } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const authority = makeTestAuthority();
let scene: Scene;
/** Its time-outs are short; what a busy machine takes for everything else must not run into them. */
let hasty: Scene;
test.before(async () => {
  const upstream = { connect_timeout_ms: 500, headers_timeout_ms: 500, body_timeout_ms: 500 };
  [scene, hasty] = await Promise.all([startScene({ origin: { authority } }), startScene({ origin: { authority }, config: { upstream } })]);
});
test.after('after all this the proxy serves the next request', async (t) => {
  for (const { proxy, origin } of [scene, hasty]) t.is((await requestThrough(proxy, { url: `${origin.url}/echo` })).status, 200);
});
test.after.always(async () => {
  await scene.stop();
  await hasty.stop();
});

async function expectCode(answer: ClientAnswer, code: AlterError['code'], status: number, at = scene): Promise<string> {
  const event = await at.proxy.eventOf(answer);
  return `${problemCode(answer)} ${answer.status} ${String(event.code)} ${event.outcome}` === `${code} ${status} ${code} network_error`
    ? ''
    : `${problemCode(answer)} ${answer.status} ${String(event.code)} ${event.outcome}`;
}

for (const [certificate, detail] of [
  ['expired', /expired/],
  ['self-signed', /self-signed|not trusted|not known/],
  ['wrong-host', /another host/],
] as const) {
  test(`an origin with a certificate that is ${certificate} gets nothing, and the answer says which check failed`, async (t) => {
    const origin = await startOrigin({ certificate, authority });
    const answer = await requestThrough(scene.proxy, { url: `${origin.url}/echo` });
    t.is(await expectCode(answer, 'upstream_tls_failed', 502), '');
    t.is(origin.requests.length, 0);
    t.regex(answer.body, detail);
    await origin.close();
  });
}

test('an origin of a CA that is not trusted is refused', async (t) => {
  const origin = await startOrigin();
  const answer = await requestThrough(scene.proxy, { url: `${origin.url}/echo` });
  t.is(await expectCode(answer, 'upstream_tls_failed', 502), '');
  t.regex(answer.body, /issuer of the certificate is not known|not trusted/);
  await origin.close();
});

test('a port that nobody listens on is unreachable', async (t) => {
  t.is(await expectCode(await requestThrough(scene.proxy, { url: 'https://localhost:1/' }), 'upstream_unreachable', 502), '');
});

type LookedUp = (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void;

test('a name that does not resolve is unreachable', async (t) => {
  const name = 'no-such-name.invalid';
  // The resolver of a machine without a network says nothing for longer than the proxy waits.
  const { lookup } = dns;
  t.teardown(() => (dns.lookup = lookup));
  const answering = (asked: string, options: dns.LookupAllOptions, callback: LookedUp): void => {
    if (asked !== name) lookup(asked, options, callback);
    else process.nextTick(callback, Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []);
  };
  dns.lookup = answering as typeof dns.lookup;
  t.is(await expectCode(await requestThrough(scene.proxy, { url: `https://${name}/` }), 'upstream_unreachable', 502), '');
});

test('a destination that accepts and says nothing times out, in TLS and after the request', async (t) => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  for (const url of [`https://localhost:${port}/`, `${hasty.origin.url}/slow-headers`]) {
    t.is(await expectCode(await requestThrough(hasty.proxy, { url }), 'upstream_timeout', 504, hasty), '');
  }
  silent.close();
});

for (const [what, start, step] of [
  ['comes byte by byte', 'HTTP/1.1 200 OK\r\nX-Slow: ', 'a'],
  ['is put off by informational ones', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
] as const) {
  test(`the head of an answer that ${what} times out, however often something comes`, async (t) => {
    const plain: OriginOptions = { tls: false };
    const origin = await startRawOrigin((socket) => {
      socket.once('data', () => {
        socket.write(start);
        let left = 60;
        const trickle = setInterval(() => {
          if (left > 0) socket.write(step);
          else socket.end(`${start === '' ? 'HTTP/1.1 200 OK' : ''}\r\nContent-Length: 0\r\n\r\n`);
          left -= 1;
          if (left < 0) clearInterval(trickle);
        }, 50);
        socket.once('close', () => {
          clearInterval(trickle);
        });
      });
    }, plain);
    const answer = await requestThrough(hasty.proxy, { url: `http://localhost:${origin.port}/` });
    t.is(await expectCode(answer, 'upstream_timeout', 504, hasty), '');
    await origin.close();
  });
}

const RAW: readonly (readonly [what: string, bytes: string, code: AlterError['code']])[] = [
  ['garbage', 'this is not HTTP\r\n\r\n', 'upstream_protocol_error'],
  ['nothing, then closes', '', 'upstream_unreachable'],
  ['half a head, then closes', 'HTTP/1.1 200 OK\r\nContent-', 'upstream_unreachable'],
  ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 'upstream_protocol_error'],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 'upstream_protocol_error'],
  // The head is good, and nothing of it has left when the rest turns out not to be.
  ['a bad chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'upstream_protocol_error'],
  ['a bad second chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\nzz\r\n', 'upstream_protocol_error'],
];
for (const [what, bytes, code] of RAW) {
  test(`an origin that answers with ${what}`, async (t) => {
    const { url, close } = await rawOrigin(bytes);
    t.is(await expectCode(await requestThrough(scene.proxy, { url }), code, 502), '');
    await close();
  });
}

test('a bad body whose head has left already is cut', async (t) => {
  const sockets: Socket[] = [];
  const origin = await startRawOrigin((socket) => void sockets.push(socket), { tls: false });
  const client = new RawClient(net.connect(scene.proxy.port, scene.proxy.host));
  const authority = `localhost:${origin.port}`;
  client.send(`GET http://${authority}/cut HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const socket = await eventually(() => sockets[0], 'the connection to the origin');
  socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
  await eventually(() => (client.received.includes('first') ? true : undefined), 'the first chunk');
  socket.write('zz\r\n');
  const answers = await client.closed();
  t.is(answers.length, 1);
  t.false(client.received.endsWith('0\r\n\r\n'));
  const event = await eventually(async () => (await scene.proxy.events(0)).find(({ path }) => path === '/cut'), 'the event');
  t.deepEqual([event.outcome, event.code, event.status], ['interrupted', 'upstream_protocol_error', 200]);
  await origin.close();
});

test('a body that ends early, stalls or breaks is cut for the client and recorded as interrupted', async (t) => {
  const { url, close } = await rawOrigin('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
  await t.throwsAsync(requestThrough(hasty.proxy, { url }));
  await t.throwsAsync(requestThrough(hasty.proxy, { url: `${hasty.origin.url}/stall-body` }));
  const interrupted = async (): Promise<number> => (await hasty.proxy.events(0)).filter(({ outcome }) => outcome === 'interrupted').length;
  t.true(await eventually(async () => ((await interrupted()) >= 2 ? true : undefined), 'two events that say so'));
  await close();
});

async function rawOrigin(bytes: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const plain: OriginOptions = { tls: false };
  const origin = await startRawOrigin((socket: Socket) => {
    socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
  }, plain);
  return { url: `http://localhost:${origin.port}/`, close: () => origin.close() };
}
