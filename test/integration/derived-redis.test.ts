/**
 * Contract: proxies that share a Redis share a refresh token that changes, and need no right for it but to write secrets; without that right
 * the token is not used.
 */
import test from 'ava';
import { makeTestAuthority } from '../support/certificates.ts';
import { problemCode, requestThrough } from '../support/client.ts';
import { CLIENT_SECRET, refreshTokenTemplate } from '../support/derived.ts';
import { READING_RIGHTS, RENEWING_RIGHTS, restrictedRedis } from '../support/documented-rights.ts';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { startScene } from '../support/scene.ts';
import { startAuthorizationServer } from '../support/token-endpoint.ts';

test('proxies on one Redis renew a refresh token one at a time, with the rights of the documentation and not without', async (t) => {
  t.timeout(60_000);
  const authority = makeTestAuthority();
  const { url, restrict } = await restrictedRedis(t);
  const auth = await startAuthorizationServer(authority, 2);
  t.teardown(() => auth.stop());
  const scene = await startScene({ origin: { authority }, config: { store: { kind: 'redis', url } } });
  t.teardown(() => scene.stop());
  const fields = { client_id: 'app', client_secret: CLIENT_SECRET, refresh_token: await auth.refreshToken() };
  const grant = await scene.grant({ template: refreshTokenTemplate(`${auth.url}/token`), fields });
  const fleet = await startFleet(scene.proxy, 2);
  t.teardown(() => fleet.stop());
  const ask = (proxy: Parameters<typeof requestThrough>[0] = scene.proxy) =>
    requestThrough(proxy, { url: `${scene.origin.url}/echo`, grant, key: scene.proxy.key });

  await restrict(...READING_RIGHTS);
  const refused = await ask();
  t.is(`${String(refused.status)} ${problemCode(refused)}`, '503 store_unavailable');
  t.is(auth.tokenCalls(), 0, 'what cannot be stored is not asked for');

  await restrict(...READING_RIGHTS, ...RENEWING_RIGHTS);
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
