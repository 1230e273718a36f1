import { once } from 'node:events';
import net from 'node:net';
import test from 'ava';
import { findUser, userOfPeer } from '../../../src/edge/peer-user.ts';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 21 1
   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 22 1
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 23 1
   3: 0100007F:9C40 0100007F:1F91 01 00000000:00000000 00:00000000 00000000  1001        0 24 1
`;

test('both ends must match: the other end of the connection and another connection from the same port are others', (t) => {
  t.is(findUser(TABLE, '0100007F:9C40', '0100007F:1F90'), 1000);
  t.is(findUser(TABLE, '0100007F:1F90', '0100007F:9C40'), 0);
  t.is(findUser(TABLE, '0100007F:9C40', '0100007F:1F91'), 1001);
  t.is(findUser(TABLE, '0100007F:9C41', '0100007F:1F90'), undefined);
  t.is(findUser('', '0100007F:9C40', '0100007F:1F90'), undefined);
});

test('a connection of this process belongs to the user of this process', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect(port, '127.0.0.1');
  await once(client, 'connect');
  t.is(userOfPeer({ address: '127.0.0.1', port: client.localPort ?? 0 }, { address: '127.0.0.1', port }), process.getuid?.());
  t.is(userOfPeer({ address: '127.0.0.1', port: 1 }, { address: '127.0.0.1', port }), undefined);
  t.is(userOfPeer({ address: '::1', port: client.localPort ?? 0 }, { address: '::1', port }), undefined);
  client.destroy();
  server.close();
});

test('a client on a dual-stack socket is found as well', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = net.connect({ port, host: '::ffff:127.0.0.1', family: 6 });
  await once(client, 'connect');
  t.is(userOfPeer({ address: '127.0.0.1', port: client.localPort ?? 0 }, { address: '127.0.0.1', port }), process.getuid?.());
  client.destroy();
  server.close();
});
