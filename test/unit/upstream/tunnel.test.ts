/** Contract: a client that reads slowly gets every byte that its destination sent, also when the destination has closed long before. */
import { once } from 'node:events';
import net from 'node:net';
import { setImmediate as turnEnd } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import type { TunnelResult } from '../../../src/message/tunnel.ts';
import { createOpenTunnel } from '../../../src/upstream/tunnel.ts';

const RECORD = Buffer.alloc(2048, 'x');
const STALL_MS = 60_000;

/** Both ends of a connection. */
async function pair(t: ExecutionContext): Promise<readonly [near: net.Socket, far: net.Socket]> {
  const server = net.createServer({ allowHalfOpen: true });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const near = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1');
  const [far] = (await once(server, 'connection')) as [net.Socket];
  t.teardown(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

test('bytes that wait for a client when the destination closes arrive', async (t) => {
  const [client, clientSide] = await pair(t);
  const [upstream, destination] = await pair(t);
  let result: TunnelResult | undefined;
  const dialer = {
    dial: (_origin: unknown, _session: unknown, callback: (error: null, socket: net.Socket) => void) => {
      callback(null, upstream);
    },
  };
  createOpenTunnel(dialer, STALL_MS)({ host: 'a.test', port: 443 }, (_error, opened) => {
    opened?.join(clientSide, Buffer.alloc(0), (ended) => (result = ended));
  });
  // The client reads nothing, until the kernel takes no more and bytes wait in this process.
  let sent = 0;
  while (clientSide.writableLength === 0) {
    destination.write(RECORD);
    sent += RECORD.length;
    while (upstream.bytesRead < sent) await turnEnd();
  }
  destination.end();
  destination.resume();
  await once(upstream, 'end');
  // A tunnel that took this for its end would be gone after these turns.
  for (let turns = 0; turns < 50; turns += 1) await turnEnd();
  let received = 0;
  client.on('data', (chunk: Buffer) => (received += chunk.length));
  await once(client, 'close');
  t.is(received, sent);
  while (result === undefined) await turnEnd();
  t.deepEqual(result, { bytesIn: 0, bytesOut: sent, error: undefined });
});
