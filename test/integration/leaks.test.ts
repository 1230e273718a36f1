/**
 * Contract: exchanges that end in any way, and connections that end without one, leave nothing behind: no file descriptor, no socket, no
 * timer, no memory.
 */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import net, { type Socket } from 'node:net';
import test from 'ava';
import { readAtOnce } from '../../src/message/turn-end.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { openConnect, openTls } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { liveHeapBytes } from '../support/heap.ts';
import { startRawOrigin, type RawOrigin } from '../support/origin.ts';
import { startScene, type Scene } from '../support/scene.ts';

const EXCHANGES = 10_000;
const WARM_UP = 1000;
const AT_ONCE = 24;
/** A leak of a few hundred bytes in each exchange would be more. */
const MEMORY_BOUND = 4 * 1024 ** 2;
const UNKNOWN_GRANT = '00000000-0000-4000-8000-000000000000';

const authority = makeTestAuthority();
const nowhere = { write: () => true } as unknown as NodeJS.WritableStream;
let scene: Scene;
let plain: RawOrigin;
let secure: RawOrigin;
test.before(async () => {
  // Idle connections to the origins go soon, so that what is left is what was left behind.
  scene = await startScene({ origin: { authority }, config: { upstream: { keep_alive_ms: 200 } }, log: nowhere });
  [plain, secure] = await Promise.all([startRawOrigin(answer, { tls: false }), startRawOrigin(answer, { authority })]);
});
test.after.always(async () => {
  await scene.stop();
  await Promise.all([plain.close(), secure.close()]);
});

test.serial(`${EXCHANGES} exchanges that are completed, refused, aborted and reset leave nothing behind`, async (t) => {
  t.timeout(180_000);
  await run(WARM_UP);
  const before = await rest();
  await run(EXCHANGES);
  await eventually(async () => (isNoMore(await rest(), before) ? true : undefined), 'everything to be as before', 30_000).catch(
    () => undefined,
  );
  const after = await rest();
  t.log(`before: ${JSON.stringify(before)}; after: ${JSON.stringify(after)}`);
  t.true(isNoMore(after, before));
  // What is alone is read at once: nobody is counted who has gone.
  t.true(readAtOnce(() => undefined));
});

/** What this process holds, with the proxy, its clients and its origins in it. */
interface Held {
  readonly descriptors: number;
  readonly heapBytes: number;
  /** Sockets, servers and timers, counted by kind. */
  readonly resources: Readonly<Record<string, number>>;
}

async function rest(): Promise<Held> {
  await eventually(
    () => (plain.connections + secure.connections === 0 ? true : undefined),
    'the connections to the origins to close',
    30_000,
  );
  const resources: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1;
  const descriptors = (await readdir('/proc/self/fd')).length;
  return { descriptors, heapBytes: liveHeapBytes(), resources };
}

function isNoMore(after: Held, before: Held): boolean {
  const kinds = Object.keys(after.resources).filter((kind) => /Socket|TLS|Pipe|Server|Timeout|Connect/.test(kind));
  return (
    after.descriptors <= before.descriptors &&
    after.heapBytes - before.heapBytes < MEMORY_BOUND &&
    kinds.every((kind) => (after.resources[kind] ?? 0) <= (before.resources[kind] ?? 0))
  );
}

/** Answers by the path; reads no body. */
function answer(socket: Socket): void {
  socket.on('data', (chunk: Buffer) => {
    const path = /^[A-Z]+ (\/[a-z-]*)/.exec(chunk.toString('latin1'))?.[1];
    if (path === '/ok') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    if (path === '/half' || path === '/reset') socket.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
    if (path === '/reset') setImmediate(() => socket.resetAndDestroy());
    if (path === '/garbage') socket.write('this is not HTTP\r\n\r\n');
  });
}

/** Runs so many exchanges of all kinds, some at the same time. */
async function run(count: number): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    const kept = await front();
    while (begun < count) {
      const kind = begun % KINDS.length;
      begun += 1;
      await KINDS[kind]?.(kept);
    }
    kept.destroy();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

const head = (path: string, origin: RawOrigin, fields = ''): string =>
  `GET http://localhost:${origin.port}${path} HTTP/1.1\r\nHost: localhost:${origin.port}\r\n${fields}\r\n`;

/** One exchange each; `kept` is a connection that every kind leaves usable. */
const KINDS: readonly ((kept: Socket) => Promise<void>)[] = [
  ...Array.from({ length: 10 }, () => completed),
  ...Array.from({ length: 4 }, () => refusedForItsGrant),
  ...Array.from({ length: 4 }, () => brokenByTheOrigin),
  unreadable,
  unreadable,
  leftWithinTheHead,
  leftWithinTheBody,
  leftWithinTheBody,
  leftWithinTheAnswer,
  leftWithinTheAnswer,
  resetByTheOrigin,
  resetByTheOrigin,
  insideTls,
  leftWithinTheHandshake,
];

async function completed(kept: Socket): Promise<void> {
  await ask(kept, head('/ok', plain), 'HTTP/1.1 200 ');
}

async function refusedForItsGrant(kept: Socket): Promise<void> {
  await ask(kept, head('/ok', plain, `X-Alter-Grant: ${UNKNOWN_GRANT}\r\n`), 'HTTP/1.1 404 ');
}

async function brokenByTheOrigin(kept: Socket): Promise<void> {
  await ask(kept, head('/garbage', plain), 'HTTP/1.1 502 ');
}

async function unreadable(): Promise<void> {
  const client = await front();
  await ask(client, 'GET / HTTP/1.1\r\nHost : a.test\r\n\r\n', 'HTTP/1.1 400 ');
  await closed(client);
}

async function leftWithinTheHead(): Promise<void> {
  const client = await front();
  client.write('GET http://');
  client.destroy();
}

async function leftWithinTheBody(): Promise<void> {
  const client = await front();
  client.write(`${head('/hang', plain, 'Content-Length: 100\r\n')}half`);
  await new Promise((resolve) => setImmediate(resolve));
  client.resetAndDestroy();
}

async function leftWithinTheAnswer(): Promise<void> {
  const client = await front();
  await ask(client, head('/half', plain), 'HTTP/1.1 200 ');
  client.destroy();
}

/** The answer breaks off; or it is refused instead, when the reset comes before any of it has left. */
async function resetByTheOrigin(): Promise<void> {
  const client = await front();
  const over = Promise.race([once(client, 'data'), once(client, 'close')]);
  client.write(head('/reset', plain));
  await over;
  client.destroy();
}

async function insideTls(): Promise<void> {
  const client = await openTls(scene.proxy, `localhost:${secure.port}`);
  await ask(client, `GET /ok HTTP/1.1\r\nHost: localhost:${secure.port}\r\n\r\n`, 'HTTP/1.1 200 ');
  client.destroy();
}

async function leftWithinTheHandshake(): Promise<void> {
  const client = await openConnect(scene.proxy, `localhost:${secure.port}`);
  client.on('error', () => undefined);
  client.write(Buffer.from('1603010200010001fc0303', 'hex'));
  client.destroy();
}

async function front(): Promise<Socket> {
  const socket = net.connect(scene.proxy.port, scene.proxy.host);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Sends a request whose answer comes in one piece, and checks how it begins. */
async function ask(socket: Socket, request: string, begins: string): Promise<void> {
  const answered = once(socket, 'data') as Promise<[Buffer]>;
  socket.write(request);
  const [chunk] = await answered;
  if (!chunk.toString('latin1').startsWith(begins)) throw new Error(`not ${begins}: ${chunk.toString('latin1')}`);
}

async function closed(socket: Socket): Promise<void> {
  if (!socket.closed) await once(socket.resume(), 'close');
}
