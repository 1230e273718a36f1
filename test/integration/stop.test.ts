/**
 * Contract: a stop lets tunnels go on for as long as it lets requests. What it finds under way when its time is over is interrupted, told so where it can be, and stored as an audit event, also when
 * nothing else keeps the audit trail busy.
 */
import http from 'node:http';
import { setImmediate as turnEnd } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { ProviderTemplate } from '../../src/providers/template.ts';
import { ConnectRefused, openConnect, openTls, problemCode } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { holdNames } from '../support/held-names.ts';
import { startRawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { startScene, type Scene } from '../support/scene.ts';

const DRAIN_MS = 100;
const LONG_DRAIN_MS = 60_000;
const HELD = ['opens.test', 'waits.test'];

const names = holdNames(HELD);
test.after.always(() => {
  names.restore();
});

async function scene(t: ExecutionContext, drainMs = DRAIN_MS): Promise<Scene> {
  const hosts = ['127.0.0.1', ...HELD];
  const upstream = { allow_private: ['localhost', ...hosts] };
  const config = { shutdown: { drain_timeout_ms: drainMs }, intercept: { pass_through: hosts }, upstream };
  const started = await startScene({ config });
  t.teardown(() => started.stop());
  return started;
}

/** The port of an origin that answers every byte with itself. */
async function echo(t: ExecutionContext): Promise<number> {
  const origin = await startRawOrigin((socket) => socket.pipe(socket), { tls: false });
  t.teardown(() => origin.close());
  return origin.port;
}

/** Sends bytes through a tunnel, often enough for a proxy that wants to stop to have done so, and waits for each to come back. */
async function useTunnel(client: RawClient): Promise<void> {
  for (let round = 0; round < 20; round += 1) {
    const before = client.received.length;
    client.send('x');
    await eventually(() => (client.received.length > before || client.socket.destroyed ? true : undefined), 'the byte to come back');
  }
}

/** Stops the proxy and says what it has stored by then. */
async function storedAtStop({ proxy }: Scene): Promise<readonly string[]> {
  await proxy.running.stop();
  const events = await proxy.events(0);
  return events.map(({ type, path, outcome, code }) => `${type} ${path} ${outcome} ${code ?? ''}`);
}

test('an answer that was begun before a reload is interrupted by the stop', async (t) => {
  const running = await scene(t);
  const { proxy, origin, authority } = running;
  const socket = await openTls(proxy, authority);
  const headers = { host: authority, 'X-Alter-Grant': await running.grant() };
  http
    .request({ createConnection: () => socket, path: '/sse', headers })
    .on('error', () => undefined)
    .end();
  await origin.until(() => origin.eventStreams === 1);
  await running.reset({ upstream: { keep_alive_ms: 20_000 } });
  t.deepEqual(await storedAtStop(running), ['request /sse interrupted shutting_down']);
});

test('a tunnel goes on while there is time, and its end ends the stop', async (t) => {
  const running = await scene(t, LONG_DRAIN_MS);
  const client = new RawClient(await openConnect(running.proxy, `127.0.0.1:${await echo(t)}`));
  const stored = storedAtStop(running);
  await useTunnel(client);
  t.is(client.received, 'x'.repeat(20));
  client.socket.end();
  t.deepEqual(await stored, ['tunnel  success ']);
});

test('a tunnel whose destination is being dialled still opens while there is time', async (t) => {
  const running = await scene(t, LONG_DRAIN_MS);
  const opening = openConnect(running.proxy, `opens.test:${await echo(t)}`);
  const resolve = await names.lookedUp('opens.test');
  const stored = storedAtStop(running);
  await turnEnd();
  resolve();
  const client = new RawClient(await opening);
  await useTunnel(client);
  t.is(client.received, 'x'.repeat(20));
  client.socket.end();
  t.deepEqual(await stored, ['tunnel  success ']);
});

test('a tunnel whose destination is still being dialled when the time is over is refused', async (t) => {
  const running = await scene(t);
  const opening = openConnect(running.proxy, 'waits.test:443');
  const resolve = await names.lookedUp('waits.test');
  const stored = storedAtStop(running);
  const { answer } = await t.throwsAsync(opening, { instanceOf: ConnectRefused });
  t.is(problemCode(answer), 'shutting_down');
  t.deepEqual(await stored, ['tunnel  policy_denied shutting_down']);
  resolve();
});

test('a tunnel is interrupted by the stop', async (t) => {
  const running = await scene(t);
  const socket = await openConnect(running.proxy, `127.0.0.1:${running.origin.port}`);
  socket.on('error', () => undefined);
  t.deepEqual(await storedAtStop(running), ['tunnel  interrupted shutting_down']);
});

test('a request whose body is being read whole is refused by the stop', async (t) => {
  const running = await scene(t);
  const { proxy, authority } = running;
  const template: ProviderTemplate = {
    ...{ slug: 'in-the-body', name: 'In the body', category: 'test', hosts: ['localhost'], confidence: 'high' },
    fields: { key: { label: 'key', secret: true } },
    inject: [{ kind: 'json_field', path: 'api_key', format: '{key}' }],
  };
  const grant = await running.grant({ template, fields: { key: 'sk-test-credential-0001' } });
  const client = new RawClient(await openTls(proxy, authority));
  client.methods.push('POST');
  const fields = [`Host: ${authority}`, `X-Alter-Grant: ${grant}`, 'Content-Type: application/json', 'Content-Length: 100'];
  client.send(['POST /echo HTTP/1.1', ...fields, 'Expect: 100-continue', '', ''].join('\r\n'));
  await eventually(() => (client.received.includes('100 Continue') ? true : undefined), 'the body to be asked for');
  client.send('{"a"');
  t.deepEqual(await storedAtStop(running), ['request /echo interrupted shutting_down']);
  t.regex((await client.closed()).at(-1)?.start ?? '', /503/);
});
