/**
 * Contract: on Redis the proxy does the same as on the embedded store; when Redis is gone it denies within a second, and
 * when Redis is back it serves again without a restart; what another process changes holds on the next request.
 */
import test from 'ava';
import { ConnectRefused, problemCode, requestThrough } from '../support/client.ts';
import type { ClientAnswer } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import type { RedisServer } from '../support/redis.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

let redis: RedisServer;
let scene: Scene;
test.before(async () => {
  redis = await startRedis({ config: ['appendonly yes', 'appendfsync always'] });
  scene = await startScene({ config: { store: { kind: 'redis', url: redis.url } } });
});
test.after.always(async () => {
  await scene.stop();
  await redis.stop();
});

/** The answer to the request, or to the CONNECT before it: the key is looked up in the store as well. */
async function get(grant: string, path = '/echo'): Promise<ClientAnswer> {
  try {
    return await requestThrough(scene.proxy, { url: `${scene.origin.url}${path}`, grant });
  } catch (error) {
    if (error instanceof ConnectRefused) return error.answer;
    throw error;
  }
}

test.serial('a credential is injected, and the event is in the Redis stream', async (t) => {
  const grant = await scene.grant({ value: 'sk-on-redis-000001' });
  const answer = await get(grant);
  t.is(answer.status, 200);
  t.true(scene.origin.requests.at(-1)?.rawHeaders.includes('Bearer sk-on-redis-000001'));
  t.is((await scene.proxy.eventOf(answer)).outcome, 'success');
});

test.serial('a revocation and a rotation hold on the next request', async (t) => {
  const grant = await scene.grant({ value: 'sk-before-rotation' });
  t.is((await get(grant)).status, 200);
  const { secretId } = await scene.proxy.administration.showGrant(grant);
  const { Secret } = await import('../../src/secret/secret.ts');
  await scene.proxy.administration.rotateSecret(secretId, { token: new Secret('sk-after-rotation') });
  await eventually(
    async () =>
      (await get(grant)).status === 200 && scene.origin.requests.at(-1)?.rawHeaders.includes('Bearer sk-after-rotation') === true
        ? true
        : undefined,
    'the new value',
    1000,
  );
  await scene.proxy.administration.revokeGrant(grant);
  const refused = await eventually(
    async () => {
      const answer = await get(grant);
      return answer.status === 410 ? answer : undefined;
    },
    'the revocation',
    1000,
  );
  t.is(problemCode(refused), 'grant_revoked');
});

for (const [what, stop, start] of [
  ['killed', () => redis.kill(), () => redis.restart()],
  ['frozen', () => redis.pause(), () => redis.resume()],
] as const) {
  test.serial(`Redis that is ${what} means 503 within a second, and recovery without a restart`, async (t) => {
    const before = await scene.grant();
    t.is((await get(before)).status, 200);
    await stop();
    // The invalidation channel is known to be alive for up to a second after the last proof; then nothing is served from the cache.
    await eventually(async () => ((await get(before)).status === 503 ? true : undefined), 'the cache to be refused', 3000);
    const from = performance.now();
    const answer = await get(before);
    const elapsed = performance.now() - from;
    t.is(`${answer.status} ${problemCode(answer)}`, '503 store_unavailable');
    t.true(elapsed < 1000, `answered after ${Math.round(elapsed)} ms`);
    await start();
    await eventually(
      () =>
        scene.proxy.store.ping().then(
          () => true,
          () => undefined,
        ),
      'Redis to answer',
      10_000,
    );
    const grant = await eventually(() => scene.grant().catch(() => undefined), 'a new grant', 10_000);
    await eventually(async () => ((await get(grant)).status === 200 ? true : undefined), 'the proxy to serve again', 10_000);
    t.pass();
  });
}

test.serial('Redis that dies while a request is under way does not break it, and its event is delivered later', async (t) => {
  const grant = await scene.grant();
  const slow = get(grant);
  const answered = get(grant, '/slow-headers');
  t.is((await slow).status, 200);
  await scene.origin.until(() => scene.origin.requests.some(({ url }) => url === '/slow-headers'));
  redis.pause();
  scene.origin.release();
  const answer = await answered;
  t.is(answer.status, 200);
  redis.resume();
  await eventually(
    () =>
      scene.proxy.store.ping().then(
        () => true,
        () => undefined,
      ),
    'Redis to answer',
    10_000,
  );
  t.is((await scene.proxy.eventOf(answer)).path, '/slow-headers');
});
