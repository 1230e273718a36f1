/**
 * Contract: while nothing passes, the kernel asks both peers of a stream or a tunnel whether they are still there. Linux tells which of its
 * timers runs for a connection.
 */
import { readFileSync } from 'node:fs';
import net from 'node:net';
import test from 'ava';
import { openConnect, openTls } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { startScene } from '../support/scene.ts';

/** `tr` of /proc/net/tcp (proc_net_tcp of the kernel): the keep-alive timer, and no retransmission before it. */
const KEEP_ALIVE = '02';

/** Timers of the connections whose ends have these ports; undefined: any. */
function timers(local: number | undefined, remote: number | undefined): string[] {
  const rows = readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1);
  const fields = rows.map((row) => row.trim().split(/\s+/)).filter(([, , , state]) => state === '01');
  const port = (end = ''): number => parseInt(end.split(':')[1] ?? '', 16);
  return fields
    .filter(([, from, to]) => (local ?? port(from)) === port(from) && (remote ?? port(to)) === port(to))
    .map(([, , , , , timer = '']) => timer.split(':')[0] ?? '');
}

async function probed(what: string, local: number | undefined, remote: number | undefined): Promise<void> {
  if (process.platform !== 'linux') return;
  await eventually(() => {
    const found = timers(local, remote);
    return found.length > 0 && found.every((timer) => timer === KEEP_ALIVE) ? true : undefined;
  }, `keep-alive on the side of ${what}`);
}

test('both peers of an event stream are probed, in the clear and in TLS', async (t) => {
  const plain = await startOrigin({ tls: false });
  const scene = await startScene();
  const { proxy, authority } = scene;
  const absolute = new RawClient(net.connect(proxy.port, proxy.host));
  absolute.send(`GET ${plain.url}/sse HTTP/1.1\r\nHost: localhost:${plain.port}\r\n\r\n`);
  const secure = new RawClient(await openTls(proxy, authority));
  secure.send(`GET /sse HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  for (const origin of [plain, scene.origin]) await origin.until(() => origin.eventStreams === 1);
  await probed('the clients', proxy.port, undefined);
  await probed('the origin in the clear', undefined, plain.port);
  await probed('the origin in TLS', undefined, scene.origin.port);
  absolute.destroy();
  secure.destroy();
  await scene.stop();
  await plain.close();
  t.pass();
});

test('both peers of a tunnel are probed', async (t) => {
  const scene = await startScene({ config: { intercept: { pass_through: ['localhost'] } } });
  const client = await openConnect(scene.proxy, scene.authority);
  await probed('the client', scene.proxy.port, undefined);
  await probed('the destination', undefined, scene.origin.port);
  client.destroy();
  await scene.stop();
  t.pass();
});
