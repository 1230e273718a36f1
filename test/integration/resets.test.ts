/**
 * Contract: a connection may be reset after any byte of a request or of a response. The proxy lives on, whatever became an exchange has
 * exactly one audit event, no connection is left behind, and no broken answer looks like a complete one.
 */
import { once } from 'node:events';
import net, { type Socket } from 'node:net';
import tls from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { AuditEvent } from '../../src/audit/event.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { openConnect } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { isAnswer } from '../support/h1-messages.ts';
import { startRawOrigin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { startRecordingOrigin, type RecordingOrigin } from '../support/recording-origin.ts';
import { startScene, type Scene } from '../support/scene.ts';

/** Positions that are tried at the same time, and the connections that the proxy allows: one that is left behind takes a place for good. */
const AT_ONCE = 16;
const MAX_CONNECTIONS = 20;

const authority = makeTestAuthority();
let scene: Scene;
test.before(async () => {
  scene = await startScene({ origin: { authority }, config: { limits: { max_connections: MAX_CONNECTIONS } } });
});
test.after.always(async () => {
  await scene.stop();
});
test.afterEach('every place is free again', async (t) => {
  await eventually(async () => {
    const clients = Array.from({ length: MAX_CONNECTIONS }, front);
    const request = 'GET / HTTP/1.1\r\nHost: a.test\r\n\r\n';
    for (const client of clients) client.send(request);
    const answers = await Promise.all(clients.map((client) => client.closed()));
    return answers.every(([answer]) => isAnswer(answer, 400)) ? true : undefined;
  }, 'free places for all');
  t.pass();
});

const front = (): RawClient => new RawClient(net.connect(scene.proxy.port, scene.proxy.host));

/** A client, and the TCP connection under it: inside TLS to `to`, or on the front. */
async function connect(to: string | undefined): Promise<{ readonly raw: Socket; readonly client: RawClient }> {
  if (to === undefined) {
    const raw = net.connect(scene.proxy.port, scene.proxy.host);
    await once(raw, 'connect');
    return { raw, client: new RawClient(raw) };
  }
  const raw = await openConnect(scene.proxy, to);
  const secure = tls.connect({ socket: raw, ca: scene.proxy.ca, servername: 'localhost' });
  await once(secure, 'secureConnect');
  return { raw, client: new RawClient(secure) };
}

const BODIES = {
  'a body of known length': (path: string) => `POST ${path} HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\n\r\nhello`,
  'a chunked body': (path: string) =>
    `POST ${path} HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n`,
};

for (const [what, write] of Object.entries(BODIES)) {
  for (const where of ['in absolute form', 'inside TLS'] as const) {
    test.serial(`a client resets after any byte of a request with ${what}, ${where}`, async (t) => {
      const secure = where === 'inside TLS';
      // Nothing is answered, so every exchange ends by the reset.
      const origin = await startRecordingOrigin(() => undefined, secure ? { authority } : { tls: false });
      const to = `localhost:${origin.port}`;
      const name = `/${what} ${where}/`.replaceAll(' ', '-');
      const path = (n: number): string => name + String(n).padStart(3, '0');
      const request = (n: number): string => write(`${secure ? '' : `http://${to}`}${path(n)}`).replace('HOST', to);
      const headEnd = request(0).indexOf('\r\n\r\n') + 4;
      const positions = Array.from({ length: request(0).length + 1 }, (_, n) => n);
      await inParallel(positions, async (n) => {
        const { raw, client } = await connect(secure ? to : undefined);
        client.send(request(n).slice(0, n));
        if (n < headEnd) await turns();
        else await eventually(() => origin.recorded.find(({ bytes }) => bytes.startsWith(`POST ${path(n)} `)), path(n), 20_000);
        raw.resetAndDestroy();
      });
      const events = await eventsOf(name, positions.length - headEnd);
      t.deepEqual(
        events.map((event) => `${event.path} ${event.outcome}`).sort(),
        positions.slice(headEnd).map((n) => `${path(n)} aborted`),
      );
      await origin.until(() => origin.connections === 0);
      await origin.close();
    });
  }
}

const RESPONSES = {
  'a body of known length': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: y\r\n\r\nhello',
  'a chunked body': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n',
  'a body up to the end of the connection': 'HTTP/1.1 200 OK\r\nX: y\r\n\r\nhello',
};

for (const [what, response] of Object.entries(RESPONSES)) {
  for (const how of ['resets', 'closes'] as const) {
    test.serial(`an origin ${how} after any byte of a response with ${what}`, async (t) => {
      const origin = await startRecordingOrigin(
        ({ start }, socket) => {
          void breakOff(socket, response.slice(0, Number(/\/(\d+) /.exec(start)?.[1])), how);
        },
        { tls: false },
      );
      const name = `/${what} ${how}/`.replaceAll(' ', '-');
      const positions = Array.from({ length: response.length + 1 }, (_, n) => n);
      await inParallel(positions, async (n) => {
        const client = front();
        client.send(`GET http://localhost:${origin.port}${name}${n} HTTP/1.1\r\nHost: localhost:${origin.port}\r\n\r\n`);
        const [answer] = await client.answered(1);
        client.destroy();
        const isEnd = n >= lengthOfWhole(what, how, response);
        if (!isEnd) t.false(isAnswer(answer, 200), `a whole answer after ${n} bytes`);
        // A reset may overtake the last bytes.
        else if (how === 'closes') t.true(isAnswer(answer, 200), `no answer after ${n} bytes`);
      });
      await judgeEvents(t, name, positions.length);
      await origin.until(() => origin.connections === 0);
      await origin.close();
    });
  }
}

test.serial('an API that resets within an upload is said to have done so', async (t) => {
  const origin = await startRawOrigin((socket) => socket.once('data', () => socket.resetAndDestroy()), { tls: false });
  t.teardown(() => origin.close());
  const { client } = await connect(undefined);
  const authority = `localhost:${String(origin.port)}`;
  client.send(`POST http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nContent-Length: 10\r\n\r\nhello`);
  const [answer] = await client.answered(1);
  client.destroy();
  t.true(isAnswer(answer, 502), answer?.body);
  t.regex(answer?.body ?? '', /closed the connection while the request was being sent \(ECONNRESET\)/);
});

test.serial('an answer in chunks that breaks off is reset for an HTTP/1.0 client, to whom its end would look complete', async (t) => {
  const origin = await startBrokenOrigin();
  const client = front();
  const failed = once(client.socket, 'error') as Promise<[NodeJS.ErrnoException]>;
  client.send(`GET http://localhost:${origin.port}/ HTTP/1.0\r\nHost: localhost:${origin.port}\r\n\r\n`);
  t.is((await failed)[0].code, 'ECONNRESET');
  await origin.close();
});

/** Sends a chunk, and resets once the test has had the time to see it. */
function startBrokenOrigin(): Promise<RecordingOrigin> {
  return startRecordingOrigin(
    (_, socket) => {
      void breakOff(socket, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 'resets');
    },
    { tls: false },
  );
}

async function breakOff(socket: Socket, bytes: string, how: 'resets' | 'closes'): Promise<void> {
  socket.write(Buffer.from(bytes, 'latin1'));
  await turns();
  if (how === 'resets') socket.resetAndDestroy();
  else socket.end();
}

/** From how many bytes on the response is whole; a reset is never the end of a connection that ends a body. */
function lengthOfWhole(what: string, how: 'resets' | 'closes', response: string): number {
  if (!what.includes('end of the connection')) return response.length;
  return how === 'resets' ? Number.POSITIVE_INFINITY : response.indexOf('\r\n\r\n') + 4;
}

/** Runs for all positions, a few at a time. */
async function inParallel(positions: readonly number[], run: (n: number) => Promise<void>): Promise<void> {
  const left = [...positions];
  const worker = async (): Promise<void> => {
    for (let n = left.shift(); n !== undefined; n = left.shift()) await run(n);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** Some turns of the event loop, in which what was written is read by the proxy in this process. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** One event for each position, with an outcome that says what happened. */
async function judgeEvents(t: ExecutionContext, name: string, count: number): Promise<void> {
  const events = await eventsOf(name, count);
  t.is(new Set(events.map(({ path }) => path)).size, count);
  t.is(events.length, count);
  t.true(events.every(({ outcome }) => ['success', 'network_error', 'interrupted'].includes(outcome)));
}

async function eventsOf(name: string, count: number): Promise<readonly AuditEvent[]> {
  return eventually(
    async () => {
      const events = (await scene.proxy.events(0)).filter(({ path }) => path.startsWith(name));
      return events.length >= count ? events : undefined;
    },
    `${count} events of ${name}`,
    20_000,
  );
}
