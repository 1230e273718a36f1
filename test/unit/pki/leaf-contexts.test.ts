import { once } from 'node:events';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect, TLSSocket, type SecureVersion } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { createCa, type Ca } from '../../../src/pki/ca.ts';
import { LeafContexts, type LeafContextsOptions } from '../../../src/pki/leaf-contexts.ts';
import { opensslFolder } from '../../support/openssl.ts';

const HOUR_MS = 3_600_000;

function leafContexts(t: ExecutionContext, options: Partial<LeafContextsOptions> = {}): { ca: Ca; contexts: LeafContexts } {
  const ca = options.ca ?? createCa(join(opensslFolder(t).path, 'ca'), options.now === undefined ? {} : { now: options.now });
  return { ca, contexts: new LeafContexts({ ca, maxLeaves: 10, leafTtlMs: 4 * HOUR_MS, ...options }) };
}

/** Terminates TLS as the edge does: no tls.Server, a context chosen for each connection. */
async function terminator(
  t: ExecutionContext,
  contexts: () => LeafContexts,
  refused: (error: Error) => void = (error) => t.fail(error.message),
): Promise<number> {
  const server = createServer((socket) => {
    socket.once('data', (host: Buffer) => {
      socket.write('go on');
      const secure = new TLSSocket(socket, { isServer: true, secureContext: contexts().contextFor(host.toString()) });
      secure.on('error', (error) => {
        refused(error);
        socket.destroy();
      });
      secure.end('hello');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return (server.address() as AddressInfo).port;
}

interface Visit {
  readonly session: Buffer;
  readonly reused: boolean;
  readonly protocol: string | null;
}

interface Client {
  readonly port: number;
  readonly ca: Ca;
  readonly version: SecureVersion;
}

/** A TCP connection on which the name of the host went ahead in the clear, as in CONNECT. */
async function announce(port: number, host: string): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(host);
  await once(socket, 'data');
  return socket;
}

/** One TLS connection to `host`, until the server ends it. */
async function visit({ port, ca, version }: Client, host: string, session?: Buffer): Promise<Visit> {
  const socket = await announce(port, host);
  const secure = connect({
    socket,
    servername: host,
    ca: ca.certificatePem,
    minVersion: version,
    maxVersion: version,
    ...(session === undefined ? {} : { session }),
  });
  let last: Buffer | undefined;
  secure.on('session', (ticket: Buffer) => (last = ticket));
  secure.resume();
  await once(secure, 'secureConnect');
  const seen = { reused: secure.isSessionReused(), protocol: secure.getProtocol() };
  await once(secure, 'close');
  return { ...seen, session: last ?? secure.getSession() ?? Buffer.alloc(0) };
}

for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
  test(`a ${version} session is resumed, without a new leaf`, async (t) => {
    const { ca, contexts } = leafContexts(t);
    const client = { port: await terminator(t, () => contexts), ca, version };
    const first = await visit(client, 'api.example.com');
    t.is(first.protocol, version);
    t.false(first.reused);
    t.true((await visit(client, 'api.example.com', first.session)).reused);
    t.is(contexts.minted, 1);
  });

  test(`a ${version} session outlives the renewal of its leaf`, async (t) => {
    let now = Date.now();
    const { ca, contexts } = leafContexts(t, { now: () => now });
    const client = { port: await terminator(t, () => contexts), ca, version };
    const first = await visit(client, 'api.example.com');
    now += 3.5 * HOUR_MS;
    t.true((await visit(client, 'api.example.com', first.session)).reused);
    t.is(contexts.minted, 2);
  });

  test(`a ${version} session of one host is not resumed for another, nor by another process`, async (t) => {
    const { ca, contexts } = leafContexts(t);
    const { contexts: restarted } = leafContexts(t, { ca });
    let current = contexts;
    const client = { port: await terminator(t, () => current), ca, version };
    const first = await visit(client, 'api.example.com');
    t.false((await visit(client, 'other.example.com', first.session)).reused);
    current = restarted;
    t.false((await visit(client, 'api.example.com', first.session)).reused);
  });
}

test('TLS before 1.2 is refused', async (t) => {
  const { contexts } = leafContexts(t);
  const refusals: Error[] = [];
  const port = await terminator(
    t,
    () => contexts,
    (error) => refusals.push(error),
  );
  const socket = await announce(port, 'api.example.com');
  // A client that would take TLS 1.1: only the server's own limit stands in the way.
  const secure = connect({ socket, minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0', rejectUnauthorized: false });
  // The refusal ends the connection, so it is there before the client hears of it.
  await once(secure, 'error');
  t.is(refusals.length, 1);
  t.regex(refusals[0]?.message ?? '', /unsupported protocol/);
});

test('clients of addresses verify the leaf too', async (t) => {
  const { ca, contexts } = leafContexts(t);
  const port = await terminator(t, () => contexts);
  for (const host of ['127.0.0.1', '::1']) {
    const socket = await announce(port, host);
    // The check of names is left to OpenSSL: Node 22.23's own never accepts an IPv6 literal.
    const secure = connect({ socket, host, ca: ca.certificatePem, checkServerIdentity: () => undefined });
    await once(secure, 'secureConnect');
    t.true(secure.authorized);
    t.is(secure.getPeerX509Certificate()?.checkIP(host), host);
    secure.destroy();
  }
});

test('each host gets one leaf, however many ask at once', async (t) => {
  const { contexts } = leafContexts(t);
  const asked = await Promise.all(Array.from({ length: 50 }, async (_, n) => contexts.contextFor(`host-${n % 5}.example`)));
  t.is(new Set(asked).size, 5);
  t.is(contexts.minted, 5);
  t.is(contexts.size, 5);
});

test('two hosts never share a context', (t) => {
  const { contexts } = leafContexts(t);
  t.not(contexts.contextFor('example.com'), contexts.contextFor('www.example.com'));
});

test('the cache is bounded, and what was used last stays', (t) => {
  const { contexts } = leafContexts(t, { maxLeaves: 3 });
  for (const host of ['a.test', 'b.test', 'c.test', 'a.test', 'd.test']) contexts.contextFor(host);
  t.is(contexts.size, 3);
  t.is(contexts.minted, 4);
  for (const host of ['a.test', 'c.test', 'd.test']) contexts.contextFor(host);
  t.is(contexts.minted, 4);
  contexts.contextFor('b.test');
  t.is(contexts.minted, 5);
  t.is(contexts.size, 3);
});

test('a leaf is renewed in the last quarter of its life, not before', (t) => {
  const start = Math.floor(Date.now() / 1000) * 1000;
  let now = start;
  const { contexts } = leafContexts(t, { now: () => now });
  const first = contexts.contextFor('example.com');
  now = start + 3 * HOUR_MS - 1;
  t.is(contexts.contextFor('example.com'), first);
  now = start + 3 * HOUR_MS;
  t.not(contexts.contextFor('example.com'), first);
  t.is(contexts.size, 1);
});

test('what is no host gets no context and takes no place', (t) => {
  const { contexts } = leafContexts(t);
  t.throws(() => contexts.contextFor('*.example.com'));
  t.is(contexts.size, 0);
  t.is(contexts.minted, 0);
});
