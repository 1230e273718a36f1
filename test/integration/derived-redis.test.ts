/**
 * Contract: proxies that share a Redis share a refresh token that changes, and need no right for it but to write secrets; without that right
 * the token is not used.
 */
import { Redis } from 'ioredis';
import test from 'ava';
import { makeTestAuthority } from '../support/certificates.ts';
import { problemCode, requestThrough } from '../support/client.ts';
import { CLIENT_SECRET, refreshTokenTemplate } from '../support/derived.ts';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { startRedis } from '../support/redis.ts';
import { startScene } from '../support/scene.ts';
import { startAuthorizationServer } from '../support/token-endpoint.ts';

/** What docs/security.md gives a proxy, for rotating refresh tokens and without. */
const RIGHTS =
  '~alter:default:* ~alter:key:* &__redis__:invalidate +get +zrangebylex +xadd +ping +client|id +client|tracking +subscribe +evalsha +eval +hincrby +hget +hset +hmget';
const RENEWING = '(~alter:default:secret:* +get +set +evalsha +eval)';

test('proxies on one Redis renew a refresh token one at a time, with the rights of the documentation and not without', async (t) => {
  t.timeout(60_000);
  const authority = makeTestAuthority();
  const redis = await startRedis({ users: ['root on >root ~* &* +@all'] });
  t.teardown(() => redis.stop());
  const auth = await startAuthorizationServer(authority, 2);
  t.teardown(() => auth.stop());
  const scene = await startScene({ origin: { authority }, config: { store: { kind: 'redis', url: redis.url } } });
  t.teardown(() => scene.stop());
  const fields = { client_id: 'app', client_secret: CLIENT_SECRET, refresh_token: await auth.refreshToken() };
  const grant = await scene.grant({ template: refreshTokenTemplate(`${auth.url}/token`), fields });
  const fleet = await startFleet(scene.proxy, 2);
  t.teardown(() => fleet.stop());
  const ask = (proxy: Parameters<typeof requestThrough>[0] = scene.proxy) =>
    requestThrough(proxy, { url: `${scene.origin.url}/echo`, grant, key: scene.proxy.key });

  const root = new Redis(redis.url.replace('redis://', 'redis://root:root@'));
  t.teardown(() => {
    root.disconnect();
  });
  const restrict = (...rights: readonly string[]) => root.call('ACL', 'SETUSER', 'default', 'reset', 'on', 'nopass', ...rights);
  await restrict(...RIGHTS.split(' '));
  const refused = await ask();
  t.is(`${String(refused.status)} ${problemCode(refused)}`, '503 store_unavailable');
  t.is(auth.tokenCalls(), 0, 'what cannot be stored is not asked for');

  await restrict(...RIGHTS.split(' '), RENEWING);
  await eventually(async () => ((await ask()).status === 200 ? true : undefined), 'the right to hold');
  const proxies = [scene.proxy, ...fleet.proxies];
  const statuses = new Set<number>();
  const until = performance.now() + 3000;
  await Promise.all(
    [...proxies, ...proxies].map(async (proxy) => {
      while (performance.now() < until) statuses.add((await ask(proxy)).status);
    }),
  );
  t.deepEqual([...statuses], [200]);
  t.true(auth.tokenCalls() >= 4, String(auth.tokenCalls()));
});
