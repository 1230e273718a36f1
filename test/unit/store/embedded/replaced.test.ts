/** Contract: a store whose file was replaced while it was open is not used any more, and says so: what others change is in another file by now. */
import { copyFileSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { openStore } from '../../../../src/store/open.ts';
import { StoreUnavailableError } from '../../../../src/store/store.ts';
import { eventually } from '../../../support/eventually.ts';

test('a file that was restored by renaming ends the use of the one that was open', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'alter-replaced-'));
  t.teardown(() => {
    rmSync(path, { recursive: true, force: true });
  });
  const troubles: string[] = [];
  const store = await openStore({ kind: 'embedded', path }, { auditMaxStream: 0, onTrouble: (message) => troubles.push(message) });
  t.teardown(() => store.close());
  const ref = { kind: 'grant', app: 'default', id: 'a' } as const;
  t.true(await store.put(ref, undefined, 'x'));
  const freshness = store.watch(['default'], () => undefined);
  t.true(freshness.alive());

  const file = join(path, 'data.mdb');
  copyFileSync(file, `${file}.backup`);
  renameSync(`${file}.backup`, file);
  // A write looks at once, so that nothing is acknowledged that nobody else sees.
  const replaced = { instanceOf: StoreUnavailableError, message: /was replaced while it was open: restart/ };
  await t.throwsAsync(store.put(ref, 'x', 'y'), replaced);
  await t.throwsAsync(store.ping(), replaced);
  t.throws(() => void store.get(ref), replaced);
  t.false(freshness.alive());
  t.is(troubles.length, 1);
});

test('a file that is gone is found without a write', async (t) => {
  const path = mkdtempSync(join(tmpdir(), 'alter-replaced-'));
  t.teardown(() => {
    rmSync(path, { recursive: true, force: true });
  });
  const store = await openStore({ kind: 'embedded', path }, { auditMaxStream: 0 });
  t.teardown(() => store.close());
  rmSync(join(path, 'data.mdb'));
  const refused = (): Promise<true | undefined> =>
    store.ping().then(
      () => undefined,
      () => true,
    );
  t.true(await eventually(refused, 'the store to be given up'));
});
