/**
 * Contract: bodies flow both ways as they come, with back-pressure and in bounded memory; when one side leaves, the
 * other side's connection is closed.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import { once } from 'node:events';
import test from 'ava';
import { openTls, requestThrough } from '../support/client.ts';
import type { ProxyTarget } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { bigBodySha256 } from '../support/origin.ts';
import { memoryRise, startProxyProcess } from '../support/proxy-process.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const GIB = 1024 ** 3;

let scene: Scene;
test.before(async () => {
  scene = await startScene();
});
test.after.always(async () => {
  await scene.stop();
});

async function open(
  path: string,
  options: { method?: string; headers?: readonly string[]; grant?: string } = {},
): Promise<http.ClientRequest> {
  const grant = options.grant ?? (await scene.grant());
  const socket = await openTls(scene.proxy, scene.authority);
  const headers = ['Host', scene.authority, 'X-Alter-Grant', grant, ...(options.headers ?? [])];
  return http.request({
    createConnection: () => socket,
    path,
    method: options.method ?? 'GET',
    headers: headers as unknown as http.OutgoingHttpHeaders,
  });
}

test.serial('1 GiB down and 1 GiB up raise the memory of the proxy by less than 32 MiB', async (t) => {
  t.timeout(180_000);
  const proxy = await startProxyProcess(scene.proxy.home, [], { ALTER_KEY: scene.proxy.key });
  try {
    // The first requests pay for code and pools that every later one uses.
    for (let i = 0; i < 20; i += 1) await requestThrough(proxy, { url: `${scene.origin.url}/big?bytes=1000000` });
    const rise = await memoryRise(proxy, async () => {
      t.is(await download(proxy, GIB), bigBodySha256(GIB));
      await upload(proxy, GIB);
      t.is(scene.origin.requests.at(-1)?.bodyBytes, GIB);
    });
    t.log(`memory rose by ${rise} MiB`);
    t.true(rise < 32, `memory rose by ${rise} MiB`);
  } finally {
    await proxy.stop();
  }
});

test.serial('server-sent events arrive one by one', async (t) => {
  const request = await open('/sse');
  request.end();
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  await scene.origin.until(() => scene.origin.eventStreams === 1);
  for (const word of ['first', 'second', 'third']) {
    scene.origin.emit(word);
    let text = '';
    while (!text.includes(word)) text += ((await once(answer, 'data')) as [Buffer])[0].toString();
    t.regex(text, new RegExp(`data: ?${word}`));
  }
  request.destroy();
});

test.serial('an answer that is under way ends when its grant is revoked, and the connection to the API is closed', async (t) => {
  const grant = await scene.grant();
  const request = await open('/sse', { grant });
  request.end();
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  const before = scene.origin.aborted.length;
  const broken = once(answer, 'error');
  answer.resume();
  await scene.proxy.administration.revokeGrant(grant);
  await broken;
  await scene.origin.until(() => scene.origin.aborted.length > before);
  const { outcome, code } = await scene.proxy.eventOf(answer);
  t.deepEqual({ outcome, code }, { outcome: 'interrupted', code: 'grant_revoked' });
});

test.serial('a client that leaves closes the connection to the API, and the audit says aborted', async (t) => {
  const request = await open('/sse');
  request.end();
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  const before = scene.origin.aborted.length;
  request.on('error', () => undefined);
  request.destroy();
  await scene.origin.until(() => scene.origin.aborted.length > before);
  t.is((await scene.proxy.eventOf(answer)).outcome, 'aborted');
});

test.serial('a client that leaves within its upload, or before the answer, does so too', async (t) => {
  for (const path of ['/stall-upload', '/slow-headers']) {
    const before = { aborted: scene.origin.aborted.length, seen: scene.origin.requests.length };
    const request = await open(path, { method: 'POST', headers: ['Transfer-Encoding', 'chunked'] });
    request.on('error', () => undefined);
    request.write('some of it');
    await scene.origin.until(() => scene.origin.requests.length > before.seen);
    request.destroy();
    await scene.origin.until(() => scene.origin.aborted.length > before.aborted);
    scene.origin.release();
  }
  t.pass();
});

test.serial('an API that breaks off within its answer breaks the answer to the client', async (t) => {
  const request = await open('/reset?after=body');
  request.end();
  const error = await t.throwsAsync(async () => {
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    for await (const chunk of answer) t.truthy(chunk);
  });
  t.truthy(error);
});

test.serial('a slow reader holds the API back', async (t) => {
  const request = await open('/big?bytes=200000000');
  request.end();
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  const sent = (): number => scene.origin.requests.at(-1)?.responseBytes ?? 0;
  let last = -1;
  await eventually(
    async () => {
      const now = sent();
      const still = now === last;
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return still ? true : undefined;
    },
    'the origin to stand still',
    20_000,
  );
  t.true(sent() < 100_000_000, `the origin could send ${sent()} bytes to a client that reads nothing`);
  answer.destroy();
});

test.serial('Expect: 100-continue is answered, and the body follows', async (t) => {
  const request = await open('/echo', { method: 'POST', headers: ['Expect', '100-continue', 'Content-Length', '5'] });
  request.flushHeaders();
  await once(request, 'continue');
  request.end('hello');
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  answer.resume();
  await once(answer, 'end');
  t.is(scene.origin.requests.at(-1)?.body, 'hello');
});

test.serial('early hints and trailers are passed on', async (t) => {
  const hints = await open('/early-hints');
  const informed = once(hints, 'information') as Promise<[{ statusCode: number }]>;
  hints.end();
  t.is((await informed)[0].statusCode, 103);
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/trailers` });
  t.true(Object.keys(answer.trailers).length > 0);
});

async function requestOn(proxy: ProxyTarget, path: string, bytes?: number): Promise<http.ClientRequest> {
  const grant = await scene.grant();
  const socket = await openTls(proxy, scene.authority);
  const headers = ['Host', scene.authority, 'X-Alter-Grant', grant, ...(bytes === undefined ? [] : ['Content-Length', String(bytes)])];
  const method = bytes === undefined ? 'GET' : 'POST';
  return http.request({ createConnection: () => socket, path, method, headers: headers as unknown as http.OutgoingHttpHeaders });
}

/** SHA-256 of what was received. */
async function download(proxy: ProxyTarget, bytes: number): Promise<string> {
  const request = await requestOn(proxy, `/big?bytes=${bytes}`);
  request.end();
  const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
  const hash = createHash('sha256');
  for await (const chunk of answer as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}

async function upload(proxy: ProxyTarget, bytes: number): Promise<void> {
  const request = await requestOn(proxy, '/echo', bytes);
  const chunk = Buffer.alloc(256 * 1024, 'u');
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    if (!request.write(chunk)) await once(request, 'drain');
  }
  request.end();
  const [answer] = await answered;
  answer.resume();
  await once(answer, 'end');
}
