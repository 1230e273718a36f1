/**
 * Contract: where an injection says that an answer speaks of its credential and a better one is there, the same request is injected anew and
 * sent once more, and the client sees one answer; but only a request that can be repeated, and never a third time.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import { AlterError } from '../../src/errors.ts';
import type { Draft, PreparedInjection } from '../../src/inject/injector.ts';
import type { MaybePromise } from '../../src/message/maybe-promise.ts';
import type { ResponseHead } from '../../src/message/response.ts';
import { openTls, problemCode, requestThrough } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import type { RecordedRequest } from '../support/origin.ts';
import { startServed, type Served } from '../support/served.ts';

/** A credential that is wrong until it was refreshed. */
class Token {
  asked = 0;
  value = 'old';
  answer: (head: ResponseHead) => MaybePromise<boolean> = ({ status }) => {
    if (status === 401) this.value = 'new';
    return status === 401;
  };
  injection: Partial<PreparedInjection> = {
    apply: (draft) => this.apply(draft),
    refreshAfter: (head) => {
      this.asked += 1;
      return this.answer(head);
    },
  };
  apply = (draft: Draft): MaybePromise<void> => {
    draft.headers.append('X-Token', this.value);
  };
}

/** 401 for the old token, with a body of some size; 200 for the new one. */
function guarded(message: IncomingMessage, response: ServerResponse, _: RecordedRequest): boolean {
  const url = message.url ?? '';
  const token = message.headers['x-token'];
  message.resume();
  message.once('end', () => {
    if (token === 'new' && !url.includes('never')) response.writeHead(200).end(`hello ${String(message.headers['x-own'])}`);
    else response.writeHead(401, { 'WWW-Authenticate': 'Bearer' }).end('x'.repeat(url.includes('large') ? 1_000_000 : 100));
  });
  return true;
}

async function served(t: ExecutionContext, token: Token, injection: Partial<PreparedInjection> = {}): Promise<Served> {
  const running = await startServed({ injection: { ...token.injection, ...injection }, origin: { handler: guarded } });
  t.teardown(() => running.stop());
  return running;
}

const tokens = ({ origin }: Served): unknown[] => origin.requests.map(({ headers }) => headers['x-token']);

test('a GET is sent again with the new credential, whatever the size of the first answer', async (t) => {
  for (const path of ['/', '/large']) {
    for (const later of [false, true]) {
      const token = new Token();
      const { answer } = token;
      if (later) token.answer = async (head) => Promise.resolve(answer(head));
      const running = await served(t, token);
      const got = await requestThrough(running.proxy, { url: `${running.origin.url}${path}`, headers: ['X-Own', 'mine'] });
      t.is(`${String(got.status)} ${got.body}`, '200 hello mine');
      t.deepEqual(tokens(running), ['old', 'new'], 'one credential in each try');
      t.like(await running.event(), { outcome: 'success', status: 200, retries: 1, bytesOut: got.body.length });
      t.is(token.asked, 1);
      t.is(running.uses.size, 0);
    }
  }
});

test('a small answer that is dropped costs no connection', async (t) => {
  const running = await served(t, new Token());
  await requestThrough(running.proxy, { url: `${running.origin.url}/` });
  await running.event();
  t.is(running.origin.accepted, 1);
});

test('a second 401 is passed on: there is no third try', async (t) => {
  const token = new Token();
  const running = await served(t, token);
  const answer = await requestThrough(running.proxy, { url: `${running.origin.url}/never` });
  t.is(answer.status, 401);
  t.is(answer.headers['www-authenticate'], 'Bearer');
  t.is(answer.body.length, 100);
  t.deepEqual(tokens(running), ['old', 'new']);
  t.like(await running.event(), { outcome: 'provider_error', status: 401, retries: 1 });
  t.is(token.asked, 1);
});

test('an answer that is none of its business is passed on whole, also after a while', async (t) => {
  for (const no of [() => false, async () => Promise.resolve(false), async () => Promise.reject(new Error('defect'))]) {
    const token = new Token();
    token.answer = no;
    const running = await served(t, token);
    const answer = await requestThrough(running.proxy, { url: `${running.origin.url}/large` });
    t.is(answer.status, 401);
    t.is(answer.body.length, 1_000_000);
    t.like(await running.event(), { status: 401, retries: 0, bytesOut: 1_000_000 });
  }
});

test('a POST is not repeated, nor a PUT whose body flowed through; a PUT whose body was read is', async (t) => {
  for (const [method, body] of [['POST', 'content'], ['PATCH', 'content'], ['PUT', 'content'], ['POST']] as const) {
    const token = new Token();
    const running = await served(t, token);
    const request = { url: `${running.origin.url}/`, method, ...(body === undefined ? {} : { body }) };
    t.is((await requestThrough(running.proxy, request)).status, 401);
    t.like(await running.event(), { retries: 0, status: 401 });
    t.is(token.asked, 1, 'so that the next request has a better one');
    t.is((await requestThrough(running.proxy, request)).status, 200);
  }

  const reading = new Token();
  const inject = reading.apply;
  reading.apply = async (draft) => {
    const content = await draft.body?.read(1000);
    draft.body?.replace(Buffer.concat([content ?? Buffer.alloc(0), Buffer.from('+')]));
    await inject(draft);
  };
  const again = await served(t, reading, { readsBody: true });
  const answer = await requestThrough(again.proxy, {
    url: `${again.origin.url}/`,
    method: 'PUT',
    headers: ['Transfer-Encoding', 'chunked'],
    body: 'content',
  });
  t.is(answer.status, 200);
  t.deepEqual(tokens(again), ['old', 'new']);
  t.deepEqual(
    again.origin.requests.map(({ body, headers }) => [body, headers['content-length']]),
    [
      ['content+', '8'],
      ['content+', '8'],
    ],
  );
  t.like(await again.event(), { status: 200, retries: 1, bytesIn: 7 });
});

test('an injection that fails the second time is the answer', async (t) => {
  const token = new Token();
  const inject = token.apply;
  token.apply = (draft) => {
    if (token.value === 'new') throw new AlterError('idp_unavailable');
    return inject(draft);
  };
  const running = await served(t, token);
  const answer = await requestThrough(running.proxy, { url: `${running.origin.url}/` });
  t.is(problemCode(answer), 'idp_unavailable');
  t.like(await running.event(), { code: 'idp_unavailable', retries: 1 });
  t.is(running.origin.requests.length, 1);
});

for (const [name, path] of [
  ['small', '/'],
  ['large', '/large'],
] as const) {
  test(`client gone, or grant revoked, while a ${name} answer is held back: nothing follows`, async (t) => {
    for (const end of ['gone', 'revoked'] as const) {
      let decide: (again: boolean) => void = () => undefined;
      const token = new Token();
      token.answer = () => new Promise((resolve) => (decide = resolve));
      const running = await served(t, token);
      const client = await openTls(running.proxy, `localhost:${String(running.origin.port)}`);
      let received = '';
      client.on('data', (chunk: Buffer) => (received += chunk.toString()));
      client.on('error', () => undefined);
      client.write(`GET ${path} HTTP/1.1\r\nHost: localhost:${String(running.origin.port)}\r\n\r\n`);
      await eventually(() => (token.asked === 1 ? true : undefined), 'the question');
      if (end === 'gone') client.destroy();
      else [...running.uses][0]?.interrupt(new AlterError('grant_revoked'));
      t.like(
        await running.event(),
        end === 'gone' ? { outcome: 'aborted', status: null } : { outcome: 'interrupted', code: 'grant_revoked' },
      );
      decide(true);
      if (end === 'revoked') await eventually(() => (received.includes('grant_revoked') ? true : undefined), 'the refusal');
      t.is(running.origin.requests.length, 1);
      t.is(running.uses.size, 0);
      t.is(running.events.length, 0);
      client.destroy();
    }
  });
}
