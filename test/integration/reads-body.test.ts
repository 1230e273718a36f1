/**
 * Contract: an injection that needs the body gets it whole or not at all. What was read leaves with its length known; over the cap, or when
 * the body ends early, nothing leaves. A body that flows through a transform keeps its back-pressure, and one that the transform refuses
 * arrives nowhere as complete. One audit event in every case.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import test, { type ExecutionContext } from 'ava';
import { AlterError } from '../../src/errors.ts';
import type { Draft, PreparedInjection } from '../../src/inject/injector.ts';
import type { BodyTransform } from '../../src/message/body.ts';
import { CONTINUE } from '../../src/pipeline/stage.ts';
import { openTls, problemCode, requestThrough } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { RawClient } from '../support/raw-client.ts';
import { startServed, type Served, type ServedOptions } from '../support/served.ts';

const CAP = 100_000;

async function served(
  t: ExecutionContext,
  apply: (draft: Draft) => void | Promise<void>,
  options: Partial<ServedOptions> = {},
): Promise<Served> {
  const injection: Partial<PreparedInjection> = { readsBody: true, apply, ...options.injection };
  const running = await startServed({ ...options, injection });
  t.teardown(() => running.stop());
  return running;
}

/** Signs the body as a provider would have it: with the hash of all of it. */
async function hashBody(draft: Draft): Promise<void> {
  const content = await draft.body?.read(CAP);
  draft.headers.set('X-Body-Hash', sha256(content ?? Buffer.alloc(0)));
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex');

async function raw(running: Served, lines: readonly string[]): Promise<RawClient> {
  const client = new RawClient(await openTls(running.proxy, `localhost:${String(running.origin.port)}`));
  client.methods.push('POST');
  client.send([...lines.slice(0, 1), `Host: localhost:${String(running.origin.port)}`, ...lines.slice(1), '', ''].join('\r\n'));
  return client;
}

test('a body that was read leaves as it came, with its length, whatever its framing was', async (t) => {
  const running = await served(t, hashBody);
  const body = Buffer.from('{"big": 12345678901234567890}'.repeat(1000));
  for (const framing of [
    ['Content-Length', String(body.length)],
    ['Transfer-Encoding', 'chunked'],
    ['content-length', String(body.length)],
  ]) {
    const answer = await requestThrough(running.proxy, { url: `${running.origin.url}/echo`, method: 'POST', headers: framing, body });
    t.is(answer.status, 200);
    const seen = running.origin.requests.at(-1);
    t.is(seen?.headers['x-body-hash'], sha256(body));
    t.is(seen?.bodySha256, sha256(body));
    t.is(seen?.headers['content-length'], String(body.length));
    t.is(seen?.headers['transfer-encoding'], undefined);
    t.like(await running.event(), { outcome: 'success', bytesIn: body.length, retries: 0 });
  }
});

test('an empty body and none at all', async (t) => {
  const running = await served(t, hashBody);
  for (const headers of [['Transfer-Encoding', 'chunked'], ['Content-Length', '0'], []]) {
    const answer = await requestThrough(running.proxy, { url: `${running.origin.url}/echo`, method: 'POST', headers, body: '' });
    t.is(answer.status, 200);
    t.is(running.origin.requests.at(-1)?.headers['x-body-hash'], sha256(''));
    t.is(running.origin.requests.at(-1)?.bodyBytes, 0);
    t.like(await running.event(), { outcome: 'success', bytesIn: 0 });
  }
});

test('a slow upload in small chunks with trailers, and Expect: 100-continue', async (t) => {
  const running = await served(t, hashBody);
  const client = await raw(running, ['POST /echo HTTP/1.1', 'Transfer-Encoding: chunked', 'Expect: 100-continue']);
  const [first] = await client.answered(1);
  t.regex(client.received, /^HTTP\/1\.1 100 Continue\r\n\r\n$/);
  t.truthy(first);
  t.is(running.origin.requests.length, 0);
  for (const piece of ['abc', 'd', 'ef']) {
    client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  client.send('0\r\nX-Checksum: 1\r\n\r\n');
  const answers = await client.answered(2);
  t.is(answers.length, 2);
  t.is(running.origin.requests.at(-1)?.body, 'abcdef');
  t.is(running.origin.requests.at(-1)?.headers.expect, undefined);
  t.like(await running.event(), { outcome: 'success', bytesIn: 6 });
  client.destroy();
});

test('over the cap nothing leaves: at once where the length says so, else as soon as it shows', async (t) => {
  const running = await served(t, hashBody);
  const announced = await raw(running, ['POST /echo HTTP/1.1', `Content-Length: ${String(CAP + 1)}`]);
  const answers = await announced.answered(1);
  t.regex(announced.received, /^HTTP\/1\.1 413 /);
  t.is(answers.length, 1);
  t.like(await running.event(), { code: 'body_too_large_to_sign', status: 413, bytesIn: 0 });
  announced.destroy();

  const told = await raw(running, ['POST /echo HTTP/1.1', `Content-Length: ${String(CAP + 1)}`, 'Expect: 100-continue']);
  await told.answered(1);
  t.regex(told.received, /^HTTP\/1\.1 413 /);
  t.is((await running.event()).code, 'body_too_large_to_sign');
  told.destroy();

  const headers = ['Transfer-Encoding', 'chunked'];
  const answer = await requestThrough(running.proxy, {
    url: `${running.origin.url}/echo`,
    method: 'POST',
    headers,
    body: Buffer.alloc(CAP + 1),
  });
  t.is(problemCode(answer), 'body_too_large_to_sign');
  t.like(await running.event(), { code: 'body_too_large_to_sign', status: 413 });

  const fits = await requestThrough(running.proxy, { url: `${running.origin.url}/echo`, method: 'POST', headers, body: Buffer.alloc(CAP) });
  t.is(fits.status, 200);
  t.is((await running.event()).bytesIn, CAP);
  t.is(running.origin.requests.length, 1);
});

test('a body that ends early, or breaks its framing, injects nothing', async (t) => {
  const running = await served(t, hashBody);
  const gone = await raw(running, ['POST /echo HTTP/1.1', 'Content-Length: 100', '', 'half']);
  await waitForUse(running);
  gone.destroy();
  t.like(await running.event(), { outcome: 'aborted', injected: [] });

  const broken = await raw(running, ['POST /echo HTTP/1.1', 'Transfer-Encoding: chunked', '', 'zz']);
  await broken.closed();
  t.regex(broken.received, /^HTTP\/1\.1 400 /);
  t.like(await running.event(), { code: 'malformed_request', injected: [] });
  t.is(running.origin.requests.length, 0);
  t.is(running.uses.size, 0);
});

test('a grant that ends while the body is read ends the request', async (t) => {
  const running = await served(t, hashBody);
  const client = await raw(running, ['POST /echo HTTP/1.1', 'Content-Length: 100', '', 'half']);
  const use = await waitForUse(running);
  use.interrupt(new AlterError('grant_revoked'));
  await client.answered(1);
  t.regex(client.received, /^HTTP\/1\.1 410 /);
  t.like(await running.event(), { outcome: 'interrupted', code: 'grant_revoked', injected: [] });
  client.send('x'.repeat(100));
  t.is(running.origin.requests.length, 0);
  t.is(running.uses.size, 0);
  client.destroy();
});

test('all bodies together have so much memory and no more, and it is given back', async (t) => {
  const running = await served(t, hashBody, { memoryBytes: 40_000 });
  const first = await raw(running, ['POST /echo HTTP/1.1', 'Content-Length: 32768', '', 'x'.repeat(20_000)]);
  await eventually(() => (running.bodyMemory.used >= 20_000 ? true : undefined), 'the first body');
  const url = `${running.origin.url}/echo`;
  const refused = await requestThrough(running.proxy, { url, method: 'POST', body: 'x'.repeat(30_000) });
  t.is(problemCode(refused), 'body_memory_full');
  t.is(refused.headers['retry-after'], '1');
  t.like(await running.event(), { code: 'body_memory_full', injected: [] });
  first.destroy();
  await running.event();
  t.is(running.bodyMemory.used, 0);
  for (let i = 0; i < 3; i += 1) {
    t.is((await requestThrough(running.proxy, { url, method: 'POST', body: 'x'.repeat(30_000) })).status, 200);
    await running.event();
    t.is(running.bodyMemory.used, 0);
  }
});

test('a body may be replaced by a longer or a shorter one', async (t) => {
  const running = await served(t, async (draft) => {
    const content = await draft.body?.read(CAP);
    draft.body?.replace(Buffer.from(`${String(content)}${draft.url.path === '/echo' ? '&key=secret' : ''}`.replace('drop', '')));
  });
  for (const [path, body, sent] of [
    ['/echo', 'a=1', 'a=1&key=secret'],
    ['/echo?shorter', 'drop this long text'.repeat(1), ' this long text&key=secret'],
  ] as const) {
    const answer = await requestThrough(running.proxy, { url: `${running.origin.url}${path}`, method: 'POST', body });
    t.is(answer.status, 200);
    t.is(running.origin.requests.at(-1)?.body, sent);
    t.is(running.origin.requests.at(-1)?.headers['content-length'], String(sent.length));
    t.is((await running.event()).bytesIn, body.length);
  }
});

test('what an earlier stage has read is there for injection, and leaves also when injection does not want it', async (t) => {
  for (const readsBody of [true, false]) {
    const running = await served(
      t,
      async (draft) => {
        if (readsBody) await hashBody(draft);
      },
      {
        injection: { readsBody },
        before: async ({ body }) => {
          const content = await body?.read(CAP);
          if (content?.includes('forbidden') === true) throw new AlterError('policy_violation', { rule: 'body' });
          return CONTINUE;
        },
      },
    );
    const url = `${running.origin.url}/echo`;
    const headers = ['Transfer-Encoding', 'chunked'];
    const passed = await requestThrough(running.proxy, { url, method: 'POST', headers, body: 'allowed' });
    t.is(passed.status, 200);
    t.is(running.origin.requests.at(-1)?.body, 'allowed');
    t.is(running.origin.requests.at(-1)?.headers['content-length'], '7');
    t.is((await running.event()).bytesIn, 7);
    const refused = await requestThrough(running.proxy, { url, method: 'POST', headers, body: 'forbidden' });
    t.is(problemCode(refused), 'policy_violation');
    t.like(await running.event(), { code: 'policy_violation', injected: [] });
  }
});

/** Doubles each byte, and refuses a body that holds `!`. */
class Doubling implements BodyTransform {
  write(chunk: Buffer): readonly Buffer[] {
    if (chunk.includes('!')) throw new AlterError('malformed_request', { detail: 'a chunk is not signed' });
    return [chunk, chunk];
  }
  end(): { pieces: readonly Buffer[]; trailers: undefined } {
    return { pieces: [Buffer.from('.')], trailers: undefined };
  }
}

test('a body flows through a transform, with the length it announces or chunked', async (t) => {
  const running = await served(t, (draft) => {
    draft.body?.transform(new Doubling(), draft.url.query === 'known' ? { kind: 'length', bytes: 7 } : { kind: 'chunked' });
  });
  for (const path of ['/echo?known', '/echo']) {
    const answer = await requestThrough(running.proxy, { url: `${running.origin.url}${path}`, method: 'POST', body: 'abc' });
    t.is(answer.status, 200);
    const seen = running.origin.requests.at(-1);
    t.is(seen?.body, 'abcabc.');
    t.is(seen?.headers['content-length'], path === '/echo' ? undefined : '7');
    t.is((await running.event()).bytesIn, 3);
  }
});

test('what a transform refuses arrives nowhere as complete, and is answered with its code', async (t) => {
  const running = await served(t, (draft) => {
    draft.body?.transform(new Doubling(), draft.url.query === 'wrong' ? { kind: 'length', bytes: 3 } : { kind: 'chunked' });
  });
  for (const [path, body, code] of [
    ['/echo', 'abc!', 'malformed_request'],
    ['/echo?wrong', 'abc', 'internal_error'],
  ] as const) {
    const answer = await requestThrough(running.proxy, { url: `${running.origin.url}${path}`, method: 'POST', body });
    t.is(problemCode(answer), code);
    t.like(await running.event(), { code, status: answer.status });
  }
  await running.origin.until(() => running.origin.connections === 0);
  t.true(running.origin.requests.every(({ complete }) => !complete));
});

test('a transform that refuses after the head of the answer cuts the answer off', async (t) => {
  const running = await served(
    t,
    (draft) => {
      draft.body?.transform(new Doubling(), { kind: 'chunked' });
    },
    {
      origin: {
        handler: (_, response) => {
          response.writeHead(200);
          response.write('begun');
          return true;
        },
      },
    },
  );
  const client = await raw(running, ['POST /early HTTP/1.1', 'Transfer-Encoding: chunked']);
  client.send('3\r\nabc\r\n');
  await once(client.socket, 'data');
  client.send('1\r\n!\r\n');
  const [answer] = await client.closed();
  t.regex(client.received, /^HTTP\/1\.1 200 /);
  t.not(answer?.ends, 'by-itself');
  t.like(await running.event(), { outcome: 'interrupted', code: 'malformed_request' });
  await running.origin.until(() => running.origin.connections === 0);
});

test('256 MiB through a transform to an API that reads slowly take no memory', async (t) => {
  const size = 256 * 1024 * 1024;
  const running = await served(
    t,
    (draft) => {
      draft.body?.transform({ write: (chunk) => [Buffer.from(chunk)], end: () => ({ pieces: [], trailers: undefined }) }, draft.bodyLength);
    },
    {
      origin: {
        handler: (message, response) => {
          let arrived = 0;
          message.on('data', (chunk: Buffer) => {
            arrived += chunk.length;
            message.pause();
            setImmediate(() => message.resume());
          });
          message.once('end', () => response.end(String(arrived)));
          return true;
        },
      },
    },
  );
  const client = await openTls(running.proxy, `localhost:${String(running.origin.port)}`);
  let received = '';
  client.on('data', (chunk: Buffer) => (received += chunk.toString()));
  client.write(`POST /slow HTTP/1.1\r\nHost: localhost:${String(running.origin.port)}\r\nContent-Length: ${String(size)}\r\n\r\n`);
  const piece = Buffer.alloc(256 * 1024, 'x');
  let peak = 0;
  for (let sent = 0; sent < size; sent += piece.length) {
    if (!client.write(piece)) await once(client, 'drain');
    peak = Math.max(peak, process.memoryUsage().arrayBuffers);
  }
  await eventually(() => (received.endsWith(String(size)) ? true : undefined), 'the answer', 60_000);
  // Client, proxy and origin share this process, each with the garbage of 8 MiB of bodies.
  t.true(peak < size / 2, `${String(Math.round(peak / 1024 / 1024))} MiB of buffers`);
  t.is((await running.event()).bytesIn, size);
  client.destroy();
});

async function waitForUse(running: Served): Promise<{ interrupt(error: AlterError): void }> {
  return eventually(() => [...running.uses][0], 'a use under way');
}
