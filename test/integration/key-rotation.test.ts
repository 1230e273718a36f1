/** Contract: of those who rotate one key at the same time exactly one wins, on each store, and of its name one key is active afterwards. */
import test from 'ava';
import { startRedis } from '../support/redis.ts';
import { startScene } from '../support/scene.ts';
import { codeOf } from '../support/vault-fixture.ts';

const TOGETHER = 4;

for (const kind of ['embedded', 'redis'] as const) {
  test(`${kind}: of those who rotate one key at the same time one wins`, async (t) => {
    const redis = kind === 'redis' ? await startRedis() : undefined;
    const scene = await startScene(redis === undefined ? {} : { config: { store: { kind, url: redis.url } } });
    t.teardown(async () => {
      await scene.stop();
      await redis?.stop();
    });
    const { administration } = scene.proxy;
    const { record } = await administration.createKey({ name: 'contested' });
    let waiting = 0;
    let release: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (release = resolve));
    // Nobody goes on before each has a new key.
    const handOver = async (): Promise<void> => {
      waiting += 1;
      if (waiting === TOGETHER) release();
      await all;
    };
    const outcomes = await Promise.all(
      Array.from({ length: TOGETHER }, () => codeOf(() => administration.rotateKey(record.id, 60_000, handOver))),
    );
    t.deepEqual(outcomes.sort(), ['none', ...Array.from({ length: TOGETHER - 1 }, () => 'record_conflict')]);
    const statuses = (await administration.listKeys()).filter(({ name }) => name === 'contested').map(({ status }) => status);
    t.deepEqual(statuses.sort(), ['active', 'deprecated', ...Array.from({ length: TOGETHER - 1 }, () => 'revoked')]);
  });
}
