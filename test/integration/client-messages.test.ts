/** Contract: what HTTP/1.1 lets a client do beside one request and one answer: pipelining, 100-continue, trailers, 1xx, and HTTP/1.0. */
import net from 'node:net';
import test from 'ava';
import { openTls } from '../support/client.ts';
import { fieldOf, isAnswer } from '../support/h1-messages.ts';
import { startOrigin, type Origin, type RecordedRequest } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { startScene, type Scene } from '../support/scene.ts';

const UNKNOWN_GRANT = '00000000-0000-4000-8000-000000000000';
const PIPELINED = 100;

let scene: Scene;
let plain: Origin;
test.before(async () => {
  [scene, plain] = await Promise.all([startScene(), startOrigin({ tls: false })]);
});
test.after.always(async () => {
  await scene.stop();
  await plain.close();
});

const inside = async (): Promise<RawClient> => new RawClient(await openTls(scene.proxy, scene.authority));
const front = (): RawClient => new RawClient(net.connect(scene.proxy.port, scene.proxy.host));

const head = (line: string, fields: readonly string[] = []): string =>
  [`${line} HTTP/1.1`, `Host: ${scene.authority}`, ...fields, '', ''].join('\r\n');
const echoed = (body: string): RecordedRequest => JSON.parse(body) as RecordedRequest;
const seen = (path: string): RecordedRequest | undefined => scene.origin.requests.find(({ url }) => url === path);

test('requests that are pipelined in one write are answered in their order', async (t) => {
  const client = await inside();
  const paths = Array.from({ length: PIPELINED }, (_, i) => `/pipelined/${i}`);
  client.send(paths.map((path) => head(`GET ${path}`)).join(''));
  const answers = await client.answered(PIPELINED);
  t.deepEqual(
    answers.map(({ body }) => echoed(body).url),
    paths,
  );
  client.destroy();
});

test('requests with bodies that are pipelined in one write keep their bodies, and refusals among them keep their places', async (t) => {
  const client = await inside();
  const kinds = ['length', 'chunks', 'refused', 'none'] as const;
  const requests = Array.from({ length: PIPELINED }, (_, i) => {
    const path = `/bodies/${i}`;
    const body = `the body of ${i}`;
    switch (kinds[i % 4]) {
      case 'length':
        return head(`POST ${path}`, [`Content-Length: ${body.length}`]) + body;
      case 'chunks':
        return `${head(`POST ${path}`, ['Transfer-Encoding: chunked'])}${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      case 'refused':
        return head(`POST ${path}`, [`Content-Length: ${body.length}`, `X-Alter-Grant: ${UNKNOWN_GRANT}`]) + body;
      default:
        return head(`DELETE ${path}`);
    }
  });
  client.send(requests.join(''));
  const answers = await client.answered(PIPELINED);
  t.is(answers.length, PIPELINED);
  for (const [i, answer] of answers.entries()) {
    if (i % 4 === 2) t.true(isAnswer(answer, 404));
    else t.is(echoed(answer.body).url, `/bodies/${i}`);
    t.is(seen(`/bodies/${i}`)?.body, [`the body of ${i}`, `the body of ${i}`, undefined, ''][i % 4]);
  }
  client.destroy();
});

test('nothing behind a request that asks to close is answered or forwarded', async (t) => {
  const client = await inside();
  client.send(head('GET /last', ['Connection: close']) + head('GET /behind-the-last'));
  const answers = await client.closed();
  t.deepEqual(
    answers.map(({ body }) => echoed(body).url),
    ['/last'],
  );
  t.is(seen('/behind-the-last'), undefined);
});

test('a client that expects 100 gets it when its request is admitted, once, and before the answer', async (t) => {
  const client = await inside();
  client.send(head('POST /expected', ['Content-Length: 5', 'Expect: 100-continue']));
  t.deepEqual(
    (await client.answered(1)).map(({ start }) => start),
    ['HTTP/1.1 100 Continue'],
  );
  client.send(`hello${head('GET /after-expected')}`);
  const answers = await client.answered(3);
  t.deepEqual(
    answers.map(({ start }) => start.slice(0, 12)),
    ['HTTP/1.1 100', 'HTTP/1.1 200', 'HTTP/1.1 200'],
  );
  t.is(seen('/expected')?.body, 'hello');
  t.is(seen('/expected')?.headers.expect, undefined);
  client.destroy();
});

test('a client that expects 100 gets none when its request is refused, and its connection is not used again', async (t) => {
  const client = await inside();
  client.send(head('POST /unexpected', ['Content-Length: 5', 'Expect: 100-continue', `X-Alter-Grant: ${UNKNOWN_GRANT}`]));
  const answers = await client.closed();
  t.is(answers.length, 1);
  t.true(isAnswer(answers[0], 404));
  t.true(answers[0]?.fields.includes('Connection: close'));
});

test('a client that does not wait for its 100 gets none', async (t) => {
  const client = await inside();
  client.send(`${head('POST /impatient', ['Content-Length: 5', 'Expect: 100-continue'])}hello`);
  const answers = await client.answered(1);
  t.true(isAnswer(answers[0], 200));
  t.is(seen('/impatient')?.body, 'hello');
  client.destroy();
});

test('an answer in chunks ends with the connection for an HTTP/1.0 client', async (t) => {
  const client = front();
  client.send(`GET ${plain.url}/big?bytes=100000&chunked HTTP/1.0\r\nHost: localhost:${plain.port}\r\n\r\n`);
  const [answer, ...more] = await client.closed();
  t.deepEqual(more, []);
  t.regex(answer?.start ?? '', /^HTTP\/1\.1 200 /);
  t.is(answer?.ends, 'with-connection');
  t.is(answer?.body.length, 100_000);
  t.true(answer?.fields.includes('Connection: close'));
});

test('an HTTP/1.0 client is not kept, whatever it asks for, and gets no 1xx', async (t) => {
  const client = front();
  client.send(`GET ${plain.url}/early-hints HTTP/1.0\r\nHost: localhost:${plain.port}\r\nConnection: keep-alive\r\n\r\n`);
  const answers = await client.closed();
  t.is(answers.length, 1);
  t.regex(answers[0]?.start ?? '', /^HTTP\/1\.1 200 /);
});

test('1xx responses of the API are passed on, and the answer follows them', async (t) => {
  const client = await inside();
  client.send(head('GET /early-hints'));
  const [hints, answer] = await client.answered(2);
  t.is(hints?.start, 'HTTP/1.1 103 Early Hints');
  t.regex(fieldOf(hints!, 'link') ?? '', /style\.css/);
  t.true(isAnswer(answer, 200));
  client.destroy();
});

test('trailers reach the API, but not those of the proxy, of the connection, or that stand in the head', async (t) => {
  const grant = await scene.grant({ provider: 'custom-api-key', fields: { api_key: 'sk-trailer-credential-1' } });
  const client = await inside();
  const fields = [`X-Alter-Grant: ${grant}`, 'Transfer-Encoding: chunked', 'X-Stated: in the head', 'Trailer: X-Sum'];
  const trailers = [
    ...['X-Sum: 42', 'X-API-Key: sk-of-the-client', 'x-api-key: again', 'X-Stated: in the trailers', 'Authorization: Bearer mine'],
    ...['X-HTTP-Method-Override: DELETE', 'X_Method_Override: DELETE', 'X_API_Key: again', 'X-Amz-Target: Service.Delete'],
    ...['X-Alter-Reason: because', 'Proxy-Authorization: Basic eDp5', 'Connection: X-Sum-2', 'Keep-Alive: timeout=5', 'Cookie: a=b'],
  ];
  client.send(`${head('POST /trailers-of-requests', fields)}5\r\nhello\r\n0\r\n${trailers.join('\r\n')}\r\n\r\n`);
  t.true(isAnswer((await client.answered(1))[0], 200));
  const request = seen('/trailers-of-requests');
  t.is(request?.body, 'hello');
  t.deepEqual(request?.rawTrailers, ['X-Sum', '42']);
  t.is(request?.headers['x-api-key'], 'sk-trailer-credential-1');
  client.destroy();
});

test('that a client takes trailers reaches the API as the word of the proxy, and nothing else of TE does', async (t) => {
  const grant = await scene.grant({});
  const hop = async (path: string, ...fields: string[]): Promise<readonly string[]> => {
    const client = await inside();
    client.send(head(`GET ${path}`, fields));
    t.true(isAnswer((await client.answered(1))[0], 200));
    client.destroy();
    const raw = seen(path)?.rawHeaders ?? [];
    return raw.flatMap((name, i) => (i % 2 === 0 && /^(?:te|connection)$/i.test(name) ? [`${name}: ${raw[i + 1]}`] : []));
  };
  const own = ['TE: trailers', 'Connection: TE'];
  t.deepEqual(await hop('/te', 'TE: gzip, trailers;q=0.1, trailers, deflate;q=0.5', 'Connection: keep-alive, TE'), own);
  t.deepEqual(await hop('/te-alone', 'te: trailers', `X-Alter-Grant: ${grant}`), own);
  t.deepEqual(await hop('/te-other', 'TE: deflate;q=0.5', 'Connection: TE'), []);
  t.deepEqual(await hop('/te-none', 'Connection: TE'), []);
});

test('a trailer that would change the framing or the routing costs the request its answer of the API', async (t) => {
  for (const trailer of ['Content-Length: 5', 'Transfer-Encoding: chunked', 'Host: internal.example', 'transfer_encoding: chunked']) {
    const client = await inside();
    client.send(`${head('POST /framing-trailers', ['Transfer-Encoding: chunked'])}5\r\nhello\r\n0\r\n${trailer}\r\n\r\n`);
    const answers = await client.closed();
    t.is(answers.length, 1);
    t.true(isAnswer(answers[0], 400), trailer);
  }
  t.false(scene.origin.requests.some(({ url, complete }) => url === '/framing-trailers' && complete));
});
