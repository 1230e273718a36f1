/**
 * Contract: a client that keeps the proxy waiting loses its connection after the time-out that the configuration names, and with it goes
 * whatever was held for it; a client that has only closed its own side is answered.
 */
import { once } from 'node:events';
import net from 'node:net';
import test from 'ava';
import { openConnect, openTls } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { isAnswer } from '../support/h1-messages.ts';
import { startOrigin, type Origin } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { startScene, type Scene } from '../support/scene.ts';

const UNKNOWN_GRANT = '00000000-0000-4000-8000-000000000000';

let scene: Scene;
let plain: Origin;
test.before(async () => {
  const limits = { head_timeout_ms: 1500, idle_timeout_ms: 700, stall_timeout_ms: 700 };
  [scene, plain] = await Promise.all([startScene({ config: { limits } }), startOrigin({ tls: false })]);
});
test.after.always(async () => {
  await scene.stop();
  await plain.close();
});

const front = (): RawClient => new RawClient(net.connect(scene.proxy.port, scene.proxy.host));
const inside = async (): Promise<RawClient> => new RawClient(await openTls(scene.proxy, scene.authority));

/** Head of a request to the origin in TLS. */
const head = (line: string, fields: readonly string[] = []): string =>
  [`${line} HTTP/1.1`, `Host: ${scene.authority}`, ...fields, '', ''].join('\r\n');

/** The audit event of the request for `path`. */
async function eventOf(path: string): Promise<{ readonly outcome: string; readonly code: string | null }> {
  return eventually(async () => (await scene.proxy.events(0)).find((event) => event.path === path), `the event of ${path}`);
}

test.serial('a head has its whole time also right after the start', async (t) => {
  // The time-out is shorter than the life of this process: a clock that starts at 0 would find it over.
  await eventually(() => (performance.now() > 3000 ? true : undefined), 'a process that is older than the time-out');
  const young = await startScene({ config: { limits: { head_timeout_ms: 2500 } } });
  const client = new RawClient(net.connect(young.proxy.port, young.proxy.host));
  client.send('GET ');
  const begun = performance.now();
  await client.closed();
  t.true(performance.now() - begun >= 2500);
  t.regex(client.received, /^HTTP\/1\.1 408 /);
  await young.stop();
});

for (const [where, connect] of [
  ['on the front', async () => front()],
  ['inside CONNECT', async () => new RawClient(await openConnect(scene.proxy, scene.authority))],
  ['inside TLS', inside],
] as const) {
  test(`a head that comes byte by byte ${where} is refused with 408 once its time is over, however often a byte comes`, async (t) => {
    const client = await connect();
    const bytes = head('GET /echo', [`X-Slow: ${'x'.repeat(1000)}`]);
    let sent = 0;
    const trickle = setInterval(() => {
      if (client.socket.writable) client.send(bytes[sent] ?? '');
      sent += 1;
    }, 25);
    const answers = await client.closed();
    clearInterval(trickle);
    t.is(answers.length, 1);
    t.true(isAnswer(answers[0], 408));
    t.true(answers[0]?.fields.includes('X-Alter-Error: request_timeout'));
  });

  test(`a client ${where} that sends nothing is closed without an answer`, async (t) => {
    const client = await connect();
    t.deepEqual(await client.closed(), []);
  });
}

test('a client that says nothing after its answer is closed without another one', async (t) => {
  const client = await inside();
  client.send(head('GET /echo'));
  const answers = await client.closed();
  t.is(answers.length, 1);
  t.true(isAnswer(answers[0], 200));
});

for (const [kind, fields, body] of [
  ['Content-Length', ['Content-Length: 10'], 'half'],
  ['chunks', ['Transfer-Encoding: chunked'], '4\r\nhalf\r\n'],
] as const) {
  test(`a body in ${kind} that stalls is refused with 408, and the API hears no more of it`, async (t) => {
    const path = `/stalled-${kind}`;
    const client = await inside();
    client.send(head(`POST ${path}`, fields) + body);
    const answers = await client.closed();
    t.is(answers.length, 1);
    t.true(isAnswer(answers[0], 408));
    t.true(answers[0]?.fields.includes('X-Alter-Error: request_timeout'));
    await scene.origin.until(() => scene.origin.aborted.some(({ url }) => url === path));
    t.is((await eventOf(path)).code, 'request_timeout');
  });
}

test('a refused request whose body does not come holds no connection', async (t) => {
  const client = await inside();
  client.send(head('POST /refused', ['Content-Length: 10', `X-Alter-Grant: ${UNKNOWN_GRANT}`]) + 'half');
  const answers = await client.closed();
  t.is(answers.length, 1);
  t.true(isAnswer(answers[0], 404));
});

for (const [what, name, request, more] of [
  ['sends nothing', 'unread', 'GET', ''],
  ['sends a next request byte by byte', 'unread-next', 'GET', 'GET /next HTTP/1.1'],
  ['goes on with its body byte by byte', 'unread-body', 'POST', 'x'],
] as const) {
  test(`a client that does not read its answer and ${what} is cut, and the API no longer sends`, async (t) => {
    const client = await inside();
    client.send(head(`${request} /big?bytes=100000000&${name}`, request === 'POST' ? ['Content-Length: 1000000'] : []));
    client.socket.pause();
    let sent = 0;
    const trickle = setInterval(() => {
      if (more !== '' && client.socket.writable) client.send(more[sent % more.length] ?? '');
      sent += 1;
    }, 50);
    await scene.origin.until(() => scene.origin.aborted.some(({ url }) => url.endsWith(name)), 20_000);
    clearInterval(trickle);
    const event = await eventually(
      async () => (await scene.proxy.events(0)).find(({ queryNames }) => queryNames.includes(name)),
      'the event of what nobody read',
    );
    t.is(event.outcome, 'aborted');
    client.destroy();
  });
}

test('a client that pipelines and does not read its answers is read no further, and cut', async (t) => {
  const client = front();
  client.socket.pause();
  const requests = 4000;
  client.send(`GET ${plain.url}/big?bytes=15000 HTTP/1.1\r\nHost: localhost:${plain.port}\r\n\r\n`.repeat(requests));
  const seen = (): number => plain.requests.filter(({ url }) => url.startsWith('/big')).length;
  let last = -1;
  await eventually(
    async () => {
      const still = seen() === last && last > 0;
      last = seen();
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return still ? true : undefined;
    },
    'the API to hear no more',
    60_000,
  );
  t.true(seen() < requests / 2, `${seen()} requests were sent for a client that reads nothing`);
  client.socket.resume();
  t.true((await client.closed()).length < requests / 2);
});

test('a client that has closed its side is answered: in absolute form, and inside TLS', async (t) => {
  const absolute = front();
  absolute.socket.end(`GET ${plain.url}/echo HTTP/1.1\r\nHost: localhost:${plain.port}\r\n\r\n`);
  const secure = await inside();
  secure.socket.end(head('POST /echo', ['Content-Length: 5']) + 'hello');
  for (const client of [absolute, secure]) {
    const answers = await client.closed();
    t.is(answers.length, 1);
    t.true(isAnswer(answers[0], 200));
    t.true(answers[0]?.fields.includes('Connection: close'));
  }
});

test('a client that has closed its side is answered as long as something comes', async (t) => {
  const client = await inside();
  client.socket.end(head('GET /sse?n=80&interval=25'));
  const answers = await client.closed();
  t.true(isAnswer(answers[0], 200));
  t.regex(answers[0]?.body ?? '', /data: 80\n\n$/);
});

test('a client that has closed its side and reads with pauses gets its whole answer: in absolute form, and inside TLS', async (t) => {
  const patient = await startScene();
  const bytes = 20_000_000;
  const absolute = new RawClient(net.connect(patient.proxy.port, patient.proxy.host));
  absolute.socket.end(`GET ${plain.url}/big?bytes=${bytes} HTTP/1.1\r\nHost: localhost:${plain.port}\r\n\r\n`);
  const secure = new RawClient(await openTls(patient.proxy, patient.authority));
  secure.socket.end(`GET /big?bytes=${bytes} HTTP/1.1\r\nHost: ${patient.authority}\r\n\r\n`);
  for (const client of [absolute, secure]) client.socket.pause();
  // Clients that get nothing tell when one that takes nothing would have counted as gone.
  for (let i = 0; i < 3; i += 1) {
    const witness = new RawClient(await openTls(patient.proxy, patient.authority));
    witness.socket.end(`GET /slow-headers HTTP/1.1\r\nHost: ${patient.authority}\r\n\r\n`);
    t.deepEqual(await witness.closed(), []);
  }
  for (const client of [absolute, secure]) {
    client.socket.resume();
    await client.closed();
    t.regex(client.received.slice(0, 20), /^HTTP\/1\.1 200 /);
    t.is(client.received.length - client.received.indexOf('\r\n\r\n') - 4, bytes);
  }
  await patient.stop();
});

test('a client that has closed its side and gets nothing for a second counts as gone: in absolute form, and inside TLS', async (t) => {
  const absolute = front();
  absolute.socket.end(`GET ${plain.url}/slow-headers HTTP/1.1\r\nHost: localhost:${plain.port}\r\n\r\n`);
  const secure = await inside();
  secure.socket.end(head('GET /slow-headers?inside'));
  for (const client of [absolute, secure]) t.deepEqual(await client.closed(), []);
  for (const origin of [plain, scene.origin]) await origin.until(() => origin.aborted.some(({ url }) => url.startsWith('/slow-headers')));
  t.is((await eventOf('/slow-headers')).outcome, 'aborted');
});

for (const bytes of [5, 1_000_000]) {
  test(`a client that leaves after a request with a body of ${bytes} bytes is noticed before the API answers`, async (t) => {
    // An origin of its own: the body comes before there is a connection for it.
    const origin = await startOrigin({ tls: false });
    const client = front();
    client.send(`POST ${origin.url}/slow-headers HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: ${bytes}\r\n\r\n`);
    client.send('x'.repeat(bytes));
    await origin.until(() => origin.requests[0]?.complete === true);
    client.destroy();
    await origin.until(() => origin.aborted.length === 1);
    t.is(origin.requests[0]?.bodyBytes, bytes);
    await origin.close();
  });
}

test('a client that leaves after another request, while the one before waits for its answer, is noticed', async (t) => {
  const origin = await startOrigin({ tls: false });
  const client = front();
  const request = `POST ${origin.url}/slow-headers HTTP/1.1\r\nHost: localhost:${origin.port}\r\nContent-Length: 5\r\n\r\nhello`;
  client.send(request);
  await origin.until(() => origin.requests[0]?.complete === true);
  client.send(request);
  client.socket.end();
  await origin.until(() => origin.aborted.length === 1);
  t.is(origin.requests.length, 1);
  await origin.close();
});

test('connections past the limit are refused with 429 while the others go on working, and a free place is taken again', async (t) => {
  const small = await startScene({ config: { limits: { max_connections: 3 } } });
  const open = (): RawClient => new RawClient(net.connect(small.proxy.port, small.proxy.host));
  const request = `GET ${plain.url}/echo HTTP/1.1\r\nHost: localhost:${plain.port}\r\n\r\n`;
  const held = [open(), open(), open()];
  for (const client of held) client.send(request);
  for (const client of held) t.true(isAnswer((await client.answered(1))[0], 200));
  for (const client of [open(), open()]) {
    client.send(request);
    const answers = await client.closed();
    t.true(isAnswer(answers[0], 429));
    t.true(answers[0]?.fields.includes('X-Alter-Error: too_many_connections'));
  }
  for (const client of held) client.send(request);
  for (const client of held) t.true(isAnswer((await client.answered(2))[1], 200));
  held[0]?.destroy();
  await eventually(async () => {
    const next = open();
    next.send(request);
    const [answer] = await next.answered(1);
    next.destroy();
    return isAnswer(answer, 200) ? true : undefined;
  }, 'a free place');
  await small.stop();
});

test('a flood past the limit is answered up to a bound, and closed without an answer from there on', async (t) => {
  const small = await startScene({ config: { limits: { max_connections: 1 } } });
  const open = async (): Promise<RawClient> => {
    // It stays after its answer, so that the proxy keeps the connection for as long as it ever does.
    const socket = net.connect({ port: small.proxy.port, host: small.proxy.host, allowHalfOpen: true });
    const client = new RawClient(socket);
    await once(socket, 'connect');
    return client;
  };
  const held = await open();
  held.send('GET');
  const flood = await Promise.all(Array.from({ length: 400 }, open));
  const ended = ({ socket }: RawClient): boolean => socket.readableEnded || socket.destroyed;
  await eventually(() => (flood.every(ended) ? true : undefined), 'the end of all');
  const answered = flood.filter(({ received }) => received !== '');
  t.true(answered.every(({ answers }) => isAnswer(answers[0], 429)));
  t.true(answered.length >= 100 && answered.length < flood.length, `${answered.length} were answered`);
  for (const client of [held, ...flood]) client.destroy();
  await small.stop();
});
