/** Contract: the name in a ClientHello is read, or it is said that it cannot be; no bytes make it throw or read another name than OpenSSL. */
import net from 'node:net';
import tls from 'node:tls';
import { once } from 'node:events';
import test from 'ava';
import fc from 'fast-check';
import { readServerName } from '../../../src/edge/client-hello.ts';

/** The first bytes that a real client sends. */
async function helloOf(options: tls.ConnectionOptions): Promise<Buffer> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  const client = tls.connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...options });
  client.on('error', () => undefined);
  const [socket] = (await once(server, 'connection')) as [net.Socket];
  socket.on('error', () => undefined);
  const [hello] = (await once(socket, 'data')) as [Buffer];
  client.destroy();
  socket.destroy();
  server.close();
  return hello;
}

test('the name that a client asks for is read, in TLS 1.2 and 1.3, and with a session', async (t) => {
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    t.deepEqual(readServerName(await helloOf({ servername: 'api.example.com', maxVersion, ALPNProtocols: ['h2', 'http/1.1'] })), {
      serverName: 'api.example.com',
    });
    t.deepEqual(readServerName(await helloOf({ servername: '', maxVersion })), { serverName: undefined });
  }
});

test('a part of a ClientHello says nothing, whichever part', async (t) => {
  const hello = await helloOf({ servername: 'api.example.com' });
  for (let length = 0; length < hello.length; length += 1) t.is(readServerName(hello.subarray(0, length)), undefined, String(length));
});

test('what is no ClientHello, or more than one record, says nothing', async (t) => {
  const hello = await helloOf({ servername: 'api.example.com' });
  t.is(readServerName(Buffer.from('GET / HTTP/1.1\r\n\r\n')), undefined);
  const otherType = Buffer.from(hello);
  otherType[5] = 2;
  t.is(readServerName(otherType), undefined);
  const longerRecord = Buffer.from(hello);
  longerRecord.writeUInt16BE(hello.readUInt16BE(3) + 1, 3);
  t.is(readServerName(Buffer.concat([longerRecord, Buffer.alloc(1)])), undefined);
});

test('bytes that follow the record do not matter', async (t) => {
  const hello = await helloOf({ servername: 'api.example.com' });
  t.deepEqual(readServerName(Buffer.concat([hello, Buffer.from('early data')])), { serverName: 'api.example.com' });
});

test('no change of bytes makes it throw', async (t) => {
  const hello = await helloOf({ servername: 'api.example.com' });
  const changes = fc.array(fc.tuple(fc.nat(hello.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(changes, (some) => {
      const changed = Buffer.from(hello);
      for (const [at, octet] of some) changed[at] = octet;
      const read = readServerName(changed);
      return read?.serverName === undefined || read.serverName.length <= 255;
    }),
    { numRuns: 20_000 },
  );
  t.pass();
});
