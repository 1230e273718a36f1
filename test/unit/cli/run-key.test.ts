/** Contract: the key of a run outlives no run by more than a day, and no run outlives its key, however long it takes. */
import test from 'ava';
import { createRunKey } from '../../../src/cli/run-key.ts';
import type { KeyRecord } from '../../../src/vault/records.ts';
import { eventually } from '../../support/eventually.ts';
import { peopled } from '../../support/with-fixture.ts';

const HOUR_MS = 3_600_000;

test('the key is prolonged while the run goes on, and revoked at its end', peopled, async (t, administration, fixture) => {
  const runKey = await createRunKey({ administration, name: 'run', now: () => fixture.now, checkMs: 1 });
  const record = async (): Promise<KeyRecord | undefined> => (await administration.listKeys()).find(({ name }) => name === 'run');
  t.is((await record())?.expiresAt, fixture.now + 24 * HOUR_MS);
  // The last step is that of a machine that slept for longer than the key lives.
  for (const hours of [7, 7, 7, 7, 40]) {
    fixture.now += hours * HOUR_MS;
    const end = fixture.now + 24 * HOUR_MS;
    await eventually(async () => ((await record())?.expiresAt === end ? true : undefined), 'a longer life');
  }
  await runKey.end();
  t.is((await record())?.status, 'revoked');
  const ends = (await fixture.changes()).filter(({ label }) => label === 'run').map(({ action }) => action);
  t.deepEqual(ends, ['key.create', ...Array<string>(5).fill('key.prolong'), 'key.revoke']);
});

test('a store that is away is asked again', peopled, async (t, administration, fixture) => {
  const { store } = fixture;
  const runKey = await createRunKey({ administration, name: 'run', now: () => fixture.now, checkMs: 1 });
  store.failing = true;
  let attempts = 0;
  const get = store.get.bind(store);
  store.get = (ref) => {
    attempts += 1;
    return get(ref);
  };
  fixture.now += 7 * HOUR_MS;
  await eventually(() => (attempts > 1 ? true : undefined), 'a second attempt');
  store.failing = false;
  const end = fixture.now + 24 * HOUR_MS;
  await eventually(async () => ((await administration.listKeys())[0]?.expiresAt === end ? true : undefined), 'a longer life');
  await t.notThrowsAsync(runKey.end());
});

test('a key that the operator revoked stays so', peopled, async (t, administration, fixture) => {
  const runKey = await createRunKey({ administration, name: 'run', now: () => fixture.now });
  await administration.revokeKey('run');
  const { id = '' } = (await administration.listKeys())[0] ?? {};
  await t.throwsAsync(administration.prolongKey(id, HOUR_MS), { code: 'not_allowed' });
  await t.notThrowsAsync(runKey.end());
});
