/**
 * Contract: a client that knows only a grant id gets an answer from a real HTTPS API that saw the credential; the
 * client never sees the credential, and one audit event tells what happened.
 */
import test from 'ava';
import { problemCode, requestThrough } from '../support/client.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const CREDENTIAL = 'sk-main-job-credential-9f2b';

let scene: Scene;
test.before(async () => {
  scene = await startScene();
});
test.after.always(async () => {
  await scene.stop();
});

test.serial('the API sees the credential, the client does not, and the audit event names where it went', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL, label: 'main job' });
  const answer = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo?page=2`,
    headers: [
      'Authorization',
      'Bearer mine',
      'authorization',
      'Bearer twice',
      'Accept',
      'application/json',
      'X-Alter-Reason',
      'nightly report',
    ],
    grant,
  });
  t.is(answer.status, 200);
  const seen = scene.origin.requests.at(-1);
  t.deepEqual(valuesOf(seen?.rawHeaders, 'authorization'), [`Bearer ${CREDENTIAL}`]);
  t.false(seen?.rawHeaders.some((name) => /^x-alter|^proxy-/i.test(name)));
  const event = await scene.proxy.eventOf(answer);
  t.like(event, {
    type: 'request',
    outcome: 'success',
    status: 200,
    method: 'GET',
    host: 'localhost',
    path: '/echo',
    queryNames: ['page'],
    provider: 'custom-bearer',
    grantId: grant,
    grantLabel: 'main job',
    reason: 'nightly report',
    injected: ['header:authorization'],
    stages: ['grant', 'principal', 'destination', 'policy', 'inject'],
  });
  t.false(JSON.stringify(event).includes(CREDENTIAL));
  t.false(scene.proxy.logged().includes(CREDENTIAL));
});

test.serial('the same grant against another host is refused before anything leaves', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const before = scene.origin.requests.length;
  const answer = await requestThrough(scene.proxy, { url: `https://127.0.0.1:${scene.origin.port}/echo`, grant });
  t.is(answer.status, 403);
  t.is(problemCode(answer), 'host_not_allowed');
  t.is(answer.headers['x-alter-error'], 'host_not_allowed');
  t.is(answer.headers['content-type'], 'application/problem+json');
  t.regex(answer.headers['proxy-status'] as string, /^alter-proxy; error=http_request_denied/);
  t.is(scene.origin.requests.length, before);
});

test.serial('a request without a grant is forwarded untouched', async (t) => {
  const answer = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo`,
    headers: ['Authorization', 'Bearer own', 'X-Case', 'Kept'],
  });
  t.is(answer.status, 200);
  const seen = scene.origin.requests.at(-1);
  t.deepEqual(valuesOf(seen?.rawHeaders, 'authorization'), ['Bearer own']);
  t.true(seen?.rawHeaders.includes('X-Case'));
});

test.serial('a body goes through both ways', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, method: 'POST', body: 'x'.repeat(50_000), grant });
  t.is(answer.status, 200);
  t.is(scene.origin.requests.at(-1)?.bodyBytes, 50_000);
  const event = await scene.proxy.eventOf(answer);
  t.is(event.bytesIn, 50_000);
  t.is(event.bytesOut, Buffer.byteLength(answer.body));
});

function valuesOf(rawHeaders: readonly string[] | undefined, name: string): string[] {
  const list = rawHeaders ?? [];
  return list.filter((_, index) => index % 2 === 1 && list[index - 1]?.toLowerCase() === name);
}
