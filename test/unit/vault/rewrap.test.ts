import test from 'ava';
import { Secret } from '../../../src/secret/secret.ts';
import type { RecordRef } from '../../../src/store/store.ts';
import { loadKeyring } from '../../../src/vault/keyring.ts';
import { open, seal, sealedUnder } from '../../../src/vault/sealing.ts';
import type { Sealable } from '../../../src/vault/sealing.ts';
import { VALUE, VaultFixture, acme, codeOf } from '../../support/vault-fixture.ts';
import type { FakeInjection } from '../../support/vault-fixture.ts';

const withFixture = test.macro(async (t, run: (fixture: VaultFixture, t: import('ava').ExecutionContext) => Promise<void>) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  await run(fixture, t);
});

/** One record of each kind. */
async function oneOfEach(fixture: VaultFixture): Promise<readonly RecordRef[]> {
  const { grantId, secretId } = await fixture.grant();
  const administration = fixture.administration();
  await administration.addProvider({ ...acme, slug: 'in-house' });
  const { record } = await administration.createKey({ name: 'ci' });
  const of = { app: 'default' };
  return [
    { kind: 'grant', id: grantId, ...of },
    { kind: 'secret', id: secretId, ...of },
    { kind: 'provider', id: 'in-house', ...of },
    { kind: 'key', id: record.id },
  ];
}

test(
  'every kind of record moves to the active key with its content unchanged, and a second pass does nothing',
  withFixture,
  async (fixture: VaultFixture, t) => {
    const refs = await oneOfEach(fixture);
    const { keyring, store } = fixture;
    const contents = await Promise.all(refs.map((ref) => open(keyring, ref, store.peek(ref) ?? '')));
    const [old, active] = [keyring.activeKid('default'), keyring.add('default')];
    t.deepEqual(await fixture.administration().rewrap(), { scanned: 4, rewrapped: 4, unreadable: 0 });
    for (const [index, ref] of refs.entries()) {
      const text = store.peek(ref) ?? '';
      t.is(sealedUnder(text), active);
      t.deepEqual(await open(keyring, ref, text), contents[index]);
    }
    t.deepEqual(await fixture.administration().rewrap(), { scanned: 4, rewrapped: 0, unreadable: 0 });
    await fixture.administration().dropKey(old);
    t.deepEqual(
      keyring.list().map(({ kid }) => kid),
      [active],
    );
  },
);

test('a key that still seals a record is not dropped', withFixture, async (fixture: VaultFixture, t) => {
  await oneOfEach(fixture);
  const old = fixture.keyring.activeKid('default');
  fixture.keyring.add('default');
  const administration = fixture.administration();
  t.is(await codeOf(() => administration.dropKey(old)), 'keyring_key_in_use');
  await administration.rewrap();
  t.is(await codeOf(() => administration.dropKey(old)), 'none');
  t.is(await codeOf(() => administration.dropKey(fixture.keyring.activeKid('default'))), 'keyring_key_in_use');
});

test(
  "a key of another app is dropped only when that app's records do not need it any more",
  withFixture,
  async (fixture: VaultFixture, t) => {
    const theirs = fixture.keyring.add('other');
    const other = fixture.administration({ app: 'other' });
    const { id } = await other.addSecret({ name: 'pay', provider: 'acme', fields: { token: new Secret(VALUE) }, hosts: [] });
    fixture.keyring.add('other');
    const administration = fixture.administration();
    const refusal = await t.throwsAsync(administration.dropKey(theirs), { code: 'keyring_key_in_use', message: /1 records of app other / });
    t.regex(String((refusal as { readonly hint?: string } | undefined)?.hint), /ALTER_APP=other alter-proxy keyring rewrap/);
    const ref: RecordRef = { kind: 'secret', app: 'other', id };
    t.is((await open(loadKeyring(fixture.file), ref, fixture.store.peek(ref) ?? '')).id, id);
    await other.rewrap();
    t.is(await codeOf(() => administration.dropKey(theirs)), 'none');
    t.is((await open(loadKeyring(fixture.file), ref, fixture.store.peek(ref) ?? '')).id, id);
  },
);

test(
  'records of a newer version move as they are; damaged ones are counted and left alone',
  withFixture,
  async (fixture: VaultFixture, t) => {
    const [grant, secret] = await oneOfEach(fixture);
    if (grant === undefined || secret === undefined) return void t.fail();
    const { keyring, store } = fixture;
    const newer = { ...(await open(keyring, grant, store.peek(grant) ?? '')), v: 2, future: ['x'] };
    store.plant(grant, await seal(keyring, grant, newer));
    store.plant(secret, 'garbage');
    keyring.add('default');
    t.deepEqual(await fixture.administration().rewrap(), { scanned: 4, rewrapped: 3, unreadable: 1 });
    t.deepEqual(await open(keyring, grant, store.peek(grant) ?? ''), newer as Sealable);
    t.is(store.peek(secret), 'garbage');
  },
);

test("another app's records and keys stay under their own key", withFixture, async (fixture: VaultFixture, t) => {
  await oneOfEach(fixture);
  const stranger = new VaultFixture();
  t.teardown(() => {
    stranger.remove();
  });
  const theirs = fixture.keyring.add('other');
  const { record: known } = await fixture.administration({ app: 'other' }).createKey({ name: 'other' });
  const { record: unknown } = await stranger.administration({ store: fixture.store }).createKey({ name: 'stranger' });
  fixture.keyring.add('default');
  t.deepEqual(await fixture.administration().rewrap(), { scanned: 4, rewrapped: 4, unreadable: 0 });
  t.is(sealedUnder(fixture.store.peek({ kind: 'key', id: known.id }) ?? ''), theirs);
  t.is(sealedUnder(fixture.store.peek({ kind: 'key', id: unknown.id }) ?? ''), stranger.keyring.activeKid('default'));
});

test('a record that somebody changes meanwhile keeps that change', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const { store } = fixture;
  fixture.keyring.add('default');
  const put = store.put.bind(store);
  let meddled = false;
  store.put = async (ref, expected, value) => {
    if (ref.kind === 'grant' && !meddled) {
      meddled = true;
      await fixture.administration().revokeGrant(grantId);
    }
    return put(ref, expected, value);
  };
  await fixture.administration().rewrap();
  t.true(meddled);
  t.is((await fixture.administration().showGrant(grantId)).status, 'revoked');
});

test('a record that changes again and again ends the pass with a conflict', withFixture, async (fixture: VaultFixture, t) => {
  await fixture.grant();
  fixture.keyring.add('default');
  fixture.store.put = () => Promise.resolve(false);
  t.is(await codeOf(() => fixture.administration().rewrap()), 'record_conflict');
});

test(
  'the master key rotates while requests and operators go on: nothing fails, nothing is lost',
  withFixture,
  async (fixture: VaultFixture, t) => {
    const grants: Awaited<ReturnType<VaultFixture['grant']>>[] = [];
    for (let i = 0; i < 10; i++) grants.push(await fixture.grant({ name: `secret ${String(i)}` }));
    const [first] = grants;
    if (first === undefined) return void t.fail();
    const vaults = [fixture.vault(), fixture.vault({ cache: { maxEntries: 2, maxStaleMs: 0 } })];
    let done = false;
    const failures: unknown[] = [];
    let resolved = 0;
    const read = async (): Promise<void> => {
      while (!done) {
        for (const { grantId } of grants) {
          for (const vault of vaults) {
            try {
              await vault.resolveGrant('default', grantId);
              resolved++;
            } catch (error) {
              failures.push(error);
            }
          }
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    let version = 1;
    const write = async (): Promise<void> => {
      const operator = fixture.administration({ keyring: loadKeyring(fixture.file) });
      while (!done) {
        await operator.rotateSecret(first.secretId, { token: new Secret(`value-${String(++version)}`) });
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const background = [read(), read(), write()];
    const dropped: string[] = [];
    for (let round = 0; round < 3; round++) {
      const keyring = loadKeyring(fixture.file);
      dropped.push(keyring.activeKid('default'));
      keyring.add('default');
      t.is((await fixture.administration({ keyring }).rewrap()).unreadable, 0);
    }
    done = true;
    await Promise.all(background);
    t.deepEqual(failures, []);
    t.true(resolved > 20);
    const operator = fixture.administration({ keyring: loadKeyring(fixture.file) });
    await operator.rewrap();
    for (const kid of dropped) await operator.dropKey(kid);
    const fresh = fixture.vault();
    t.deepEqual(((await fresh.resolveGrant('default', first.grantId)).injection as FakeInjection).reveals(), {
      token: `value-${String(version)}`,
    });
    for (const { grantId } of grants.slice(1))
      t.deepEqual(((await fresh.resolveGrant('default', grantId)).injection as FakeInjection).reveals(), { token: VALUE });
  },
);
