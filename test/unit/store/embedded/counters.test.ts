import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { takePlace } from '../../../../src/store/embedded/counters.ts';
import { openEnvironment } from '../../../../src/store/embedded/environment.ts';
import type { Environment } from '../../../../src/store/embedded/environment.ts';

const NOW = 1_790_000_000_000;
const ONE = { bytes: 100, record: false };
const TAKE = { name: 'x', limit: 2, windowMs: 1000 };

const withEnvironment = test.macro(async (t, run: (environment: Environment, t: import('ava').ExecutionContext) => Promise<void>) => {
  const folder = mkdtempSync(join(tmpdir(), 'alter-counters-'));
  const environment = await openEnvironment(folder);
  t.teardown(async () => {
    await environment.close();
    rmSync(folder, { recursive: true, force: true });
  });
  await run(environment, t);
});

test('a window ends exactly when its time is over', withEnvironment, async (environment: Environment, t) => {
  const at = (now: number) => environment.write(ONE, () => takePlace(environment, 'a', TAKE, now));
  t.deepEqual(await at(NOW), { taken: true, used: 1, resetMs: 1000 });
  t.deepEqual(await at(NOW + 400), { taken: true, used: 2, resetMs: 600 });
  t.deepEqual(await at(NOW + 999), { taken: false, used: 2, resetMs: 1 });
  t.deepEqual(await at(NOW + 1000), { taken: true, used: 1, resetMs: 1000 });
});

test('a clock that was put back does not lock a counter for longer than a window', withEnvironment, async (environment: Environment, t) => {
  const at = (now: number) => environment.write(ONE, () => takePlace(environment, 'a', TAKE, now));
  await at(NOW);
  await at(NOW);
  t.false((await at(NOW)).taken);
  t.deepEqual(await at(NOW - 86_400_000), { taken: true, used: 1, resetMs: 1000 });
});

test('counters that are over are swept away as new windows begin', withEnvironment, async (environment: Environment, t) => {
  for (const name of ['a', 'b', 'c', 'd']) await environment.write(ONE, () => takePlace(environment, name, TAKE, NOW));
  await environment.write(ONE, () => takePlace(environment, 'c', TAKE, NOW + 1500));
  await environment.write(ONE, () => takePlace(environment, 'a', TAKE, NOW + 2000));
  t.deepEqual([...environment.counters.getKeys()], ['a', 'c']);
});
