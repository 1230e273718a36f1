/**
 * Contract: whatever the destination does, the client gets the code that says what happened, the audit event agrees, and
 * the proxy serves the next request.
 */
import { createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import test from 'ava';
import type { AlterError } from '../../src/errors.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { problemCode, requestThrough } from '../support/client.ts';
import type { ClientAnswer } from '../support/client.ts';
import { startOrigin, startRawOrigin } from '../support/origin.ts';
import type { OriginOptions } from '../support/origin.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const authority = makeTestAuthority();
let scene: Scene;
test.before(async () => {
  scene = await startScene({
    origin: { authority },
    config: { upstream: { connect_timeout_ms: 500, headers_timeout_ms: 500, body_timeout_ms: 500 } },
  });
});
test.after.always(async () => {
  await scene.stop();
});

async function expectCode(answer: ClientAnswer, code: AlterError['code'], status: number): Promise<string> {
  const event = await scene.proxy.eventOf(answer);
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

test('a name that does not resolve is unreachable', async (t) => {
  // A resolver may take longer to say no than the time-outs of the other tests allow.
  const patient = await startScene();
  const answer = await requestThrough(patient.proxy, { url: 'https://no-such-name.invalid/' });
  t.is(`${answer.status} ${problemCode(answer)}`, '502 upstream_unreachable');
  t.is((await patient.proxy.eventOf(answer)).outcome, 'network_error');
  await patient.stop();
});

test('a destination that accepts and says nothing times out, in TLS and after the request', async (t) => {
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as AddressInfo;
  t.is(await expectCode(await requestThrough(scene.proxy, { url: `https://localhost:${port}/` }), 'upstream_timeout', 504), '');
  t.is(await expectCode(await requestThrough(scene.proxy, { url: `${scene.origin.url}/slow-headers` }), 'upstream_timeout', 504), '');
  silent.close();
});

const RAW: readonly (readonly [what: string, bytes: string, code: AlterError['code']])[] = [
  ['garbage', 'this is not HTTP\r\n\r\n', 'upstream_protocol_error'],
  ['nothing, then closes', '', 'upstream_unreachable'],
  ['half a head, then closes', 'HTTP/1.1 200 OK\r\nContent-', 'upstream_unreachable'],
  ['two different lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx', 'upstream_protocol_error'],
  ['a head without end', `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(100_000)}\r\n\r\n`, 'upstream_protocol_error'],
  ['a bad chunk size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n', 'upstream_protocol_error'],
];
for (const [what, bytes, code] of RAW) {
  test(`an origin that answers with ${what}`, async (t) => {
    const { url, close } = await rawOrigin(bytes);
    if (what === 'a bad chunk size') {
      await t.throwsAsync(requestThrough(scene.proxy, { url }), undefined, 'the head was good, so the answer is cut');
    } else {
      t.is(await expectCode(await requestThrough(scene.proxy, { url }), code, 502), '');
    }
    await close();
  });
}

test('a body that ends early, stalls or breaks is cut for the client and recorded as interrupted', async (t) => {
  const { url, close } = await rawOrigin('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
  await t.throwsAsync(requestThrough(scene.proxy, { url }));
  await t.throwsAsync(requestThrough(scene.proxy, { url: `${scene.origin.url}/stall-body` }));
  const events = await scene.proxy.events(1);
  t.true(events.filter((event) => event.outcome === 'interrupted').length >= 2);
  await close();
});

test.serial('after all this the proxy serves the next request', async (t) => {
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo` });
  t.is(answer.status, 200);
});

async function rawOrigin(bytes: string): Promise<{ readonly url: string; close(): Promise<void> }> {
  const plain: OriginOptions = { tls: false };
  const origin = await startRawOrigin((socket: Socket) => {
    socket.once('data', () => socket.end(Buffer.from(bytes, 'latin1')));
  }, plain);
  return { url: `http://localhost:${origin.port}/`, close: () => origin.close() };
}
