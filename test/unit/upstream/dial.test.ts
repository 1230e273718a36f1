/** Contract: of several addresses one that may be dialled and answers is taken, over TLS too, and what comes arrives in order; none else is. */
import { spawn } from 'node:child_process';
import dns from 'node:dns';
import { once } from 'node:events';
import net from 'node:net';
import tls from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { Dialer } from '../../../src/upstream/dial.ts';
import { makeTestAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';

const HOST = 'api.dial.test';
const authority = makeTestAuthority();
/** What the name resolves to; the resolver of this process is told so. */
let addresses: readonly string[] = [];

test.before(() => {
  const { lookup } = dns;
  const ofHost = (
    host: string,
    options: dns.LookupAllOptions,
    callback: (error: Error | null, found: dns.LookupAddress[]) => void,
  ): void => {
    if (host === HOST)
      callback(null, addresses.map((address) => ({ address, family: net.isIP(address) }))); // prettier-ignore
    else lookup(host, options, callback);
  };
  dns.lookup = ofHost as typeof dns.lookup;
});

interface Listening {
  readonly port: number;
  readonly accepted: net.Socket[];
}

async function listen(t: ExecutionContext, server: net.Server, address: string): Promise<Listening> {
  const accepted: net.Socket[] = [];
  server.on('connection', (socket) => accepted.push(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  t.teardown(() => {
    for (const socket of accepted) socket.destroy();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port, accepted };
}

function dial(scheme: 'http' | 'https', port: number, allowPrivate: readonly string[] = [HOST]): Promise<net.Socket> {
  const dialer = new Dialer({ trust: [authority.caPem], allowPrivate, connectTimeoutMs: 5000 });
  return new Promise((resolve, reject) => {
    dialer.dial({ scheme, host: HOST, port }, undefined, (error, socket) => {
      if (socket === null) reject(error ?? new Error('neither socket nor error'));
      else resolve(socket);
    });
  });
}

/** Another process that listens, and whose queue of connections is full for a while: the first packet of one more is dropped. */
async function listenFull(t: ExecutionContext): Promise<{ readonly port: number }> {
  const script = `const server = require('net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    process.send(server.address().port);
    process.once('message', () => process.send('blocked', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2000)));
  });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  t.teardown(() => child.kill('SIGKILL'));
  const [port] = (await once(child, 'message')) as [number];
  child.send('block');
  await once(child, 'message');
  const queue = Array.from({ length: 3 }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
  t.teardown(() => {
    for (const socket of queue) socket.destroy();
  });
  await once(queue[0]!, 'connect');
  return { port };
}

/** What the letter is answered with: no two stretches of it, nor the answers to two letters, are alike. */
function answerTo(letter: string, count: number): Buffer {
  return Buffer.from(Array.from({ length: count }, (_, at) => `${letter}${String(at)},`).join(''), 'latin1').subarray(0, count);
}

/** A server that answers each letter with so many bytes. */
function answering(t: ExecutionContext, count: number): Promise<Listening> {
  const server = tls.createServer(authority.issue([HOST]), (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (letter: Buffer) => socket.write(answerTo(letter.toString('latin1'), count)));
  });
  return listen(t, server, '127.0.0.1');
}

/** A connection to it, and the chunks that come, as they were handed over. */
async function collecting(t: ExecutionContext, { port }: Listening): Promise<{ readonly socket: net.Socket; readonly chunks: Buffer[] }> {
  addresses = ['127.0.0.1'];
  const socket = await dial('https', port);
  t.teardown(() => socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { socket, chunks };
}

test.serial('when the first addresses refuse, the one that answers is taken, and its TLS is verified for the name', async (t) => {
  const text = 'x'.repeat(40_000);
  const server = tls.createServer(authority.issue([HOST]), (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write(text));
  });
  const { port } = await listen(t, server, '127.0.0.2');
  addresses = ['127.0.0.3', '::1', '127.0.0.2'];
  const socket = await dial('https', port);
  t.teardown(() => socket.destroy());
  t.is(socket.remoteAddress, '127.0.0.2');
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString('latin1')));
  socket.write('GET');
  await eventually(() => (received.length >= text.length ? true : undefined), 'the whole answer');
  t.is(received, text);
});

test.serial('an address that is slow to connect is not given up for one that refuses', async (t) => {
  const slow = await listenFull(t);
  addresses = ['127.0.0.1', '127.0.0.3'];
  const from = performance.now();
  const socket = await dial('http', slow.port);
  t.teardown(() => socket.destroy());
  t.is(socket.remoteAddress, '127.0.0.1');
  t.true(performance.now() - from > 250, 'it was slow');
});

test.serial('connections that receive at the same time do not mix what they receive', async (t) => {
  const server = await answering(t, 200_000);
  const received = new Map<string, Buffer[]>();
  for (const letter of 'abcd') {
    const { socket, chunks } = await collecting(t, server);
    received.set(letter, chunks);
    socket.write(letter);
  }
  const whole = () => [...received.values()].every((chunks) => Buffer.concat(chunks).length === 200_000);
  await eventually(() => (whole() ? true : undefined), 'all answers');
  // Looked at last: a chunk that shares its memory with a later one would have changed by now.
  for (const [letter, chunks] of received) t.true(answerTo(letter, 200_000).equals(Buffer.concat(chunks)), letter);
});

test.serial('a small chunk stays what it was when the next one comes', async (t) => {
  const { socket, chunks } = await collecting(t, await answering(t, 1000));
  for (const letter of 'abcd') {
    const before = chunks.length;
    socket.write(letter);
    await eventually(() => (chunks.length > before ? true : undefined), 'an answer');
  }
  t.true(Buffer.concat([...'abcd'].map((letter) => answerTo(letter, 1000))).equals(Buffer.concat(chunks)));
});

for (const scheme of ['http', 'https'] as const)
  test.serial(`an address that may not be dialled is not, whatever stands beside it: ${scheme}`, async (t) => {
    const { port, accepted } = await listen(t, net.createServer(), '127.0.0.1');
    addresses = ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::ffff:127.0.0.1'];
    const error = await t.throwsAsync(dial(scheme, port, []), { instanceOf: AlterError });
    t.is(error.code, 'destination_blocked');
    t.is(accepted.length, 0);
  });

for (const scheme of ['http', 'https'] as const)
  test.serial(`nothing is held back for the sake of fuller packets: ${scheme}`, async (t) => {
    const server = scheme === 'http' ? net.createServer() : tls.createServer(authority.issue([HOST]));
    const { port } = await listen(t, server, '127.0.0.2');
    addresses = ['127.0.0.3', '127.0.0.2'];
    const noDelay = new Set<net.Socket>();
    const { setNoDelay } = net.Socket.prototype;
    t.teardown(() => (net.Socket.prototype.setNoDelay = setNoDelay));
    net.Socket.prototype.setNoDelay = function (enable) {
      // After a refused attempt the socket has another handle: before it is connected, the option would be lost with the first one.
      if (enable === true && !this.connecting) noDelay.add(this);
      return setNoDelay.call(this, enable);
    };
    const socket = await dial(scheme, port);
    t.teardown(() => socket.destroy());
    t.true(noDelay.has(socket));
  });
