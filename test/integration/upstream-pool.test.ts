/** Contract: how connections to an API are kept, shared out, given up, and when a request is sent a second time. */
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import test, { type ExecutionContext } from 'ava';
import type { AuditEvent } from '../../src/audit/event.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { problemCode, requestThrough, type ClientAnswer } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { Message } from '../support/h1-messages.ts';
import { startRecordingOrigin, type RecordingOrigin } from '../support/recording-origin.ts';
import { startScene, type Scene } from '../support/scene.ts';

const authority = makeTestAuthority();

/** An origin that does what the path says, and hands out its answers when told. */
interface TestOrigin extends RecordingOrigin {
  /** Answers that are held back for `/held…`, in the order of the requests. */
  readonly held: (() => void)[];
  /** For each connection, whether its TLS session was that of an earlier one. */
  readonly resumed: boolean[];
}

interface Setup {
  readonly scene: Scene;
  readonly origin: TestOrigin;
  request(path: string, options?: { readonly method?: string; readonly body?: string }): Promise<ClientAnswer>;
  /** Number of the connection, from 0, on which the request for `path` came. */
  connectionOf(path: string): number;
}

async function setUp(t: ExecutionContext, upstream: Readonly<Record<string, unknown>> = {}): Promise<Setup> {
  const scene = await startScene({ origin: { authority }, config: { upstream } });
  const origin = await startTestOrigin();
  t.teardown(async () => {
    await scene.stop();
    await origin.close();
  });
  return {
    scene,
    origin,
    request: (path, options = {}) => requestThrough(scene.proxy, { url: `${origin.url}${path}`, ...options }),
    connectionOf: (path) => origin.recorded.findIndex(({ requests }) => requests.some(({ start }) => start.includes(` ${path} `))),
  };
}

async function startTestOrigin(): Promise<TestOrigin> {
  const held: (() => void)[] = [];
  const resumed: boolean[] = [];
  const origin = await startRecordingOrigin(
    (request, socket) => {
      const isFirst = origin.recorded.find((connection) => connection.socket === socket)?.requests.length === 1;
      if (isFirst) resumed.push((socket as TLSSocket).isSessionReused());
      const answer = (): void => void socket.write(response(request));
      if (request.start.includes('/held')) held.push(answer);
      else if (request.start.includes('/stale') && !isFirst) closeWithout(socket, request);
      else if (request.start.includes('/always-stale')) socket.destroy();
      else answer();
    },
    { authority },
  );
  return Object.defineProperties({ held, resumed }, Object.getOwnPropertyDescriptors(origin)) as unknown as TestOrigin;
}

/** The end of a connection, before an answer or within its first byte. */
function closeWithout(socket: Socket, { start }: Message): void {
  if (start.includes('byte')) socket.end('H');
  else socket.destroy();
}

function response({ start }: Message): string {
  const fields = start.includes('/close')
    ? 'Connection: close\r\n'
    : (/keep-alive=(\d+)/.exec(start)?.[1] ?? '').replace(/.+/, 'Keep-Alive: timeout=$&\r\n');
  const body = start.startsWith('HEAD') ? '' : 'ok';
  return `HTTP/1.1 200 OK\r\n${fields}Content-Length: 2\r\n\r\n${body}`;
}

/** Starts requests for `paths` and resolves once the origin holds them all. */
async function hold({ request, origin }: Setup, paths: readonly string[]): Promise<readonly Promise<ClientAnswer>[]> {
  const answers: Promise<ClientAnswer>[] = [];
  for (const path of paths) {
    const before = origin.held.length;
    answers.push(request(path));
    await eventually(() => (origin.held.length > before ? true : undefined), path, 20_000);
  }
  return answers;
}

/** The only audit event for `path`. */
async function eventOf({ scene }: Setup, path: string): Promise<AuditEvent> {
  return eventually(async () => (await scene.proxy.events(0)).find((event) => event.path === path), `the event of ${path}`);
}

test('the connection that was used last is used first', async (t) => {
  const setup = await setUp(t);
  const answers = await hold(setup, ['/held/a', '/held/b']);
  const [a, b] = [setup.connectionOf('/held/a'), setup.connectionOf('/held/b')];
  t.not(a, b);
  // The one that was opened first is used last.
  setup.origin.held[1]?.();
  t.is((await answers[1])?.status, 200);
  setup.origin.held[0]?.();
  t.is((await answers[0])?.status, 200);
  for (const path of ['/one', '/two', '/three']) {
    await setup.request(path);
    t.is(setup.connectionOf(path), a);
  }
  t.is(setup.origin.accepted, 2);
});

test('a new connection resumes the TLS session of an earlier one', async (t) => {
  const setup = await setUp(t);
  for (const path of ['/close/1', '/close/2', '/close/3']) t.is((await setup.request(path)).status, 200);
  t.deepEqual(setup.origin.resumed, [false, true, true]);
});

test('past max_connections requests wait in order, and past max_queue they are refused', async (t) => {
  const setup = await setUp(t, { max_connections: 1, max_queue: 1, connect_timeout_ms: 30_000 });
  const [first] = await hold(setup, ['/held/first']);
  const others = [setup.request('/other/1'), setup.request('/other/2')];
  const refused = await Promise.race(others);
  t.is(`${refused.status} ${problemCode(refused)}`, '429 too_many_connections');
  t.truthy(refused.headers['retry-after']);
  setup.origin.held[0]?.();
  t.is((await first)?.status, 200);
  t.deepEqual((await Promise.all(others)).map(({ status }) => status).sort(), [200, 429]);
  t.is(setup.origin.accepted, 1);
});

test('a request that waits too long for a connection times out, and its place is free again', async (t) => {
  const setup = await setUp(t, { max_connections: 1, max_queue: 1, connect_timeout_ms: 1000 });
  const [first] = await hold(setup, ['/held/first']);
  for (const path of ['/late/1', '/late/2']) {
    const begun = performance.now();
    const late = await setup.request(path);
    t.true(performance.now() - begun >= 1000, 'never before its time');
    t.is(`${late.status} ${problemCode(late)}`, '504 upstream_timeout');
  }
  setup.origin.held[0]?.();
  t.is((await first)?.status, 200);
  t.is((await setup.request('/in-time')).status, 200);
});

test('those that wait for a place are told when the origin cannot be reached', async (t) => {
  const setup = await setUp(t, { max_connections: 1, connect_timeout_ms: 10_000 });
  // It speaks no TLS: the first connection hangs in its handshake until it is closed, and the others wait for its place.
  const deaf = await startRecordingOrigin(() => undefined, { tls: false });
  const url = `https://localhost:${deaf.port}/`;
  const answers = Array.from({ length: 3 }, () => requestThrough(setup.scene.proxy, { url }));
  const refusing = setInterval(() => deaf.dropConnections(), 200);
  for (const answer of await Promise.all(answers)) t.is(`${answer.status} ${problemCode(answer)}`, '502 upstream_unreachable');
  clearInterval(refusing);
  await deaf.close();
});

for (const [setting, what] of [
  ['keep_alive_ms', 'an idle connection is closed after its time'],
  ['max_lifetime_ms', 'a connection is closed when it is too old, also one that was just used'],
] as const) {
  test(what, async (t) => {
    const setup = await setUp(t, { [setting]: 300 });
    t.is((await setup.request('/')).status, 200);
    await setup.origin.until(() => setup.origin.connections === 0);
    t.is((await setup.request('/')).status, 200);
    t.is(setup.origin.accepted, 2);
  });
}

test('a connection that is in use is not closed by its age', async (t) => {
  const setup = await setUp(t, { max_lifetime_ms: 300 });
  const opened = performance.now();
  const [answer] = await hold(setup, ['/held']);
  await eventually(() => (performance.now() - opened > 1000 ? true : undefined), 'old age');
  setup.origin.held[0]?.();
  t.is((await answer)?.status, 200);
  await setup.origin.until(() => setup.origin.connections === 0);
});

test('an origin that says when it closes an idle connection is believed', async (t) => {
  const setup = await setUp(t);
  const other = await startTestOrigin();
  await requestThrough(setup.scene.proxy, { url: `${other.url}/keep-alive=1000` });
  await setup.request('/keep-alive=1');
  await setup.origin.until(() => setup.origin.connections === 0);
  t.is(other.connections, 1);
  await other.close();
});

for (const [method, body, retried] of [
  ['GET', undefined, true],
  ['HEAD', undefined, true],
  ['DELETE', undefined, true],
  ['DELETE', '', true],
  ['PUT', '', true],
  ['POST', '', false],
  ['PATCH', undefined, false],
  ['POST', undefined, false],
  ['POST', 'hello', false],
  ['PUT', 'hello', false],
] as const) {
  const kind = body === undefined ? 'without a body' : `with a body of ${String(body.length)} bytes`;
  const what = `${method} ${kind} is ${retried ? '' : 'not '}sent again`;
  test(`${what} when the kept connection was closed before an answer`, async (t) => {
    const setup = await setUp(t);
    await setup.request('/first');
    const answer = await setup.request('/stale', { method, ...(body === undefined ? {} : { body }) });
    t.is(answer.status, retried ? 200 : 502);
    const event = await eventOf(setup, '/stale');
    t.is(event.retries, retried ? 1 : 0);
    t.is(setup.origin.accepted, retried ? 2 : 1);
    const sent = setup.origin.recorded.flatMap(({ requests }) => requests).filter(({ start }) => start.includes('/stale'));
    t.is(sent.length, retried ? 2 : 1);
    const length = body === undefined ? [] : [`Content-Length: ${String(body.length)}`];
    for (const { fields } of sent) t.deepEqual(fields.filter((line) => line.startsWith('Content-Length')), length); // prettier-ignore
  });
}

test('what is sent again goes on a new connection, also where a used one becomes free for it', async (t) => {
  const setup = await setUp(t, { max_connections: 1, max_queue: 2, connect_timeout_ms: 30_000 });
  const { origin } = setup;
  await setup.request('/first');
  const [again] = await hold(setup, ['/held/again']);
  const waiting = ['/waits/1', '/waits/2', '/waits/3'].map((path) => setup.request(path));
  // Who is refused says that the two others wait.
  t.is((await Promise.race(waiting)).status, 429);
  // They come first, one after the other on the connection that replaces this one.
  origin.recorded[0]?.socket.destroy();
  t.deepEqual((await Promise.all(waiting)).map(({ status }) => status).sort(), [200, 200, 429]);
  await eventually(() => (origin.held.length === 2 ? true : undefined), 'the second attempt', 20_000);
  origin.held[1]?.();
  t.is((await again)?.status, 200);
  t.is((await eventOf(setup, '/held/again')).retries, 1);
  t.deepEqual(
    origin.recorded.map(({ requests }) => requests.length),
    [2, 2, 1],
  );
  t.is(origin.recorded[2]?.requests[0]?.start, 'GET /held/again HTTP/1.1');
});

test('nothing is sent a third time, or again when the connection was new', async (t) => {
  const setup = await setUp(t);
  t.is((await setup.request('/always-stale/new')).status, 502);
  t.is((await eventOf(setup, '/always-stale/new')).retries, 0);
  await setup.request('/first');
  t.is((await setup.request('/always-stale/kept')).status, 502);
  t.is((await eventOf(setup, '/always-stale/kept')).retries, 1);
  t.is(setup.origin.accepted, 3);
});

test('nothing is sent again after a byte of an answer', async (t) => {
  const setup = await setUp(t);
  await setup.request('/first');
  const answer = await setup.request('/stale-byte');
  t.is(`${answer.status} ${problemCode(answer)}`, '502 upstream_unreachable');
  t.is((await eventOf(setup, '/stale-byte')).retries, 0);
  t.is(setup.origin.accepted, 1);
});

test('a stop waits for the answer under way, and leaves no connection', async (t) => {
  const setup = await setUp(t);
  const answers = await hold(setup, ['/held/1', '/held/2']);
  setup.origin.held[1]?.();
  t.is((await answers[1])?.status, 200);
  const stopped = setup.scene.proxy.running.stop();
  setup.origin.held[0]?.();
  t.is((await answers[0])?.status, 200);
  await stopped;
  await setup.origin.until(() => setup.origin.connections === 0);
});
