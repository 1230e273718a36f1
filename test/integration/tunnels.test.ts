/**
 * Contract: a tunnel to a host that is passed through carries every byte of both sides to the other, whoever ends first, and leaves nothing
 * behind: no connection, and exactly one audit event, however it ends.
 */
import { once } from 'node:events';
import net from 'node:net';
import test, { type ExecutionContext } from 'ava';
import type { AuditEvent } from '../../src/audit/event.ts';
import { eventually } from '../support/eventually.ts';
import { holdNames } from '../support/held-names.ts';
import { startRawOrigin, type RawOrigin } from '../support/origin.ts';
import { startTestProxy, type TestProxy } from '../support/proxy.ts';
import { RawClient } from '../support/raw-client.ts';

const HELD = ['reset.test', 'closed.test'];
const names = holdNames(HELD);

let proxy: TestProxy;
/** Says nothing by itself. */
let silent: RawOrigin;
test.before(async () => {
  const hosts = [...HELD, '127.0.0.1'];
  proxy = await startTestProxy({ config: { intercept: { pass_through: hosts }, upstream: { allow_private: [...hosts] } } });
  silent = await startRawOrigin((socket) => socket.resume(), { tls: false });
});
test.after.always(async () => {
  names.restore();
  await proxy.stop();
  await silent.close();
});

/** A client that has asked for a tunnel. */
function connect(authority: string, socket = net.connect(proxy.port, proxy.host)): RawClient {
  const client = new RawClient(socket);
  client.methods.push('CONNECT');
  client.send(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  return client;
}

/** The audit event of the one tunnel to this port. */
async function eventAt(port: number): Promise<AuditEvent> {
  return eventually(async () => (await proxy.events(0)).find((event) => event.port === port), `the event of port ${String(port)}`);
}

/** The audit events of the tunnels to `host`, as soon as there is one. */
async function eventsOf(host: string): Promise<readonly AuditEvent[]> {
  return eventually(async () => {
    const found = (await proxy.events(0)).filter((event) => event.host === host);
    return found.length > 0 ? found : undefined;
  }, `the event of ${host}`);
}

test.serial('a client that resets while its destination is dialled is recorded as aborted, and nothing stays open', async (t) => {
  const client = connect(`reset.test:${silent.port}`);
  const resolve = await names.lookedUp('reset.test');
  const accepted = silent.accepted;
  client.socket.resetAndDestroy();
  const [event, ...more] = await eventsOf('reset.test');
  t.like(event, { type: 'tunnel', outcome: 'aborted', code: null, status: null, bytesIn: 0, bytesOut: 0 });
  resolve();
  await silent.until(() => silent.accepted > accepted && silent.connections === 0);
  t.deepEqual(more, []);
  t.is((await eventsOf('reset.test')).length, 1);
});

test.serial('a client that closes while its destination is dialled leaves nothing open either', async (t) => {
  const client = connect(`closed.test:${silent.port}`);
  const resolve = await names.lookedUp('closed.test');
  const accepted = silent.accepted;
  client.destroy();
  resolve();
  await silent.until(() => silent.accepted > accepted && silent.connections === 0);
  const [event, ...more] = await eventsOf('closed.test');
  t.is(event?.type, 'tunnel');
  t.deepEqual(more, []);
});

/** The answer of the proxy to CONNECT. */
const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';

/** A client that may end its side before the destination does, once its tunnel is open. */
async function opened({ host, port }: TestProxy, authority: string): Promise<RawClient> {
  const client = connect(authority, net.connect({ host, port, allowHalfOpen: true }));
  await eventually(() => (client.received.startsWith(ESTABLISHED) ? true : undefined), 'the tunnel to be open');
  return client;
}

/** An origin that collects what it gets, and may end its side before the client does. */
async function halfOpenOrigin(t: ExecutionContext, begin: (socket: net.Socket) => void): Promise<RawOrigin & { readonly got: string }> {
  let got = '';
  const origin = await startRawOrigin(
    (socket) => {
      socket.allowHalfOpen = true;
      socket.on('data', (chunk: Buffer) => (got += chunk.toString()));
      begin(socket);
    },
    { tls: false },
  );
  t.teardown(() => origin.close());
  return Object.defineProperty(origin, 'got', { get: () => got }) as RawOrigin & { readonly got: string };
}

test.serial('a destination that sends no more goes on reading', async (t) => {
  const origin = await halfOpenOrigin(t, (socket) => socket.end('answer'));
  const client = await opened(proxy, `127.0.0.1:${origin.port}`);
  await eventually(() => (client.socket.readableEnded ? true : undefined), 'the end of the destination');
  t.is(client.received, `${ESTABLISHED}answer`);
  client.socket.end('late bytes');
  await client.closed();
  await origin.until(() => origin.connections === 0);
  t.is(origin.got, 'late bytes');
  t.like(await eventAt(origin.port), { outcome: 'success', bytesIn: 10, bytesOut: 6 });
});

test.serial('a client that sends no more is answered', async (t) => {
  const origin = await halfOpenOrigin(t, (socket) => socket.once('end', () => socket.end('answer')));
  const client = await opened(proxy, `127.0.0.1:${origin.port}`);
  client.socket.end('all of it');
  await client.closed();
  t.is(client.received, `${ESTABLISHED}answer`);
  t.is(origin.got, 'all of it');
  t.like(await eventAt(origin.port), { outcome: 'success', bytesIn: 9, bytesOut: 6 });
});

test.serial('a side that resets takes the other with it', async (t) => {
  const origin = await halfOpenOrigin(t, (socket) => socket.once('data', () => socket.resetAndDestroy()));
  const reset = await opened(proxy, `127.0.0.1:${origin.port}`);
  reset.send('x');
  await once(reset.socket, 'end');
  reset.destroy();
  t.like(await eventAt(origin.port), { outcome: 'interrupted', rule: 'ECONNRESET' });

  const other = await halfOpenOrigin(t, (socket) => {
    socket.once('end', () => socket.end());
    socket.write('x');
  });
  const resets = await opened(proxy, `127.0.0.1:${other.port}`);
  await eventually(() => (resets.received.endsWith('x') ? true : undefined), 'the byte of the destination');
  resets.socket.resetAndDestroy();
  await other.until(() => other.accepted === 1 && other.connections === 0);
  t.like(await eventAt(other.port), { outcome: 'interrupted', rule: 'ECONNRESET' });
});

test.serial('a client that neither sends nor leaves after the end of its destination is cut', async (t) => {
  const origin = await halfOpenOrigin(t, (socket) => socket.end('answer'));
  const hosts = { intercept: { pass_through: ['127.0.0.1'] }, upstream: { allow_private: ['127.0.0.1'] } };
  const hasty = await startTestProxy({ config: { ...hosts, limits: { stall_timeout_ms: 200 } } });
  t.teardown(() => hasty.stop());
  const client = await opened(hasty, `127.0.0.1:${origin.port}`);
  await origin.until(() => origin.connections === 0);
  t.is(client.received, `${ESTABLISHED}answer`);
  t.like((await hasty.events(1))[0], { type: 'tunnel', outcome: 'success', bytesOut: 6 });
  client.destroy();
});
