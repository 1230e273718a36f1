/** Contract: what is attached to the app and the provider holds with the grant; that there is nothing is cached, and forgotten when there is. */
import test from 'ava';
import { eventually } from '../../support/eventually.ts';
import type { RecordRef } from '../../../src/store/store.ts';
import type { ResolvedGrant } from '../../../src/vault/resolved.ts';
import { open, seal } from '../../../src/vault/sealing.ts';
import { START, VaultFixture, codeOf } from '../../support/vault-fixture.ts';

const APP: RecordRef = { kind: 'policy', app: 'default', id: 'app' };

const withFixture = test.macro(async (t, run: (fixture: VaultFixture, t: import('ava').ExecutionContext) => Promise<void>) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  await run(fixture, t);
});

const named = (name: string) => [{ kind: 'methods', allow: ['GET'], name }];
const labels = ({ policy }: ResolvedGrant): string => policy.rules.map(({ label }) => label).join(' ');

test('the rules of app, provider, secret and grant are combined in this order', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId, secretId } = await fixture.grant();
  const administration = fixture.administration();
  await administration.setPolicy({ at: 'grant', grant: grantId }, named('d'));
  await administration.setPolicy({ at: 'secret', secret: secretId }, named('c'));
  await administration.setPolicy({ at: 'provider', slug: 'acme' }, named('b'));
  await administration.setPolicy({ at: 'app' }, named('a'));
  t.is(labels(await fixture.vault().resolveGrant('default', grantId)), 'app:a provider:b secret:c grant:d');
});

test('without any, a warm grant asks nothing, and its policy is empty', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  const first = await vault.resolveGrant('default', grantId);
  t.deepEqual(first.policy.rules, []);
  const reads = fixture.store.reads.length;
  t.is(vault.resolveGrant('default', grantId), first);
  t.is(fixture.store.reads.length, reads);
});

test(
  'a policy that is created, changed and cleared while the cache is hot holds on the next request',
  withFixture,
  async (fixture: VaultFixture, t) => {
    const { grantId } = await fixture.grant();
    const administration = fixture.administration();
    const vault = fixture.vault();
    const now = async (): Promise<string> => labels(await vault.resolveGrant('default', grantId));
    t.is(await now(), '');
    for (const target of [{ at: 'app' }, { at: 'provider', slug: 'acme' }] as const) {
      await administration.setPolicy(target, named('first'));
      t.is(await now(), `${target.at}:first`);
      t.false(vault.resolveGrant('default', grantId) instanceof Promise, 'warm again');
      await administration.setPolicy(target, named('second'));
      t.is(await now(), `${target.at}:second`);
      await administration.setPolicy(target, []);
      t.is(await now(), '');
    }
  },
);

test('absence that was read while a policy was being created is not kept', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  await vault.resolveGrant('default', grantId);
  const record = { v: 1, id: 'app', app: 'default', createdAt: START, updatedAt: START, policy: named('late') };
  const text = await seal(fixture.keyring, APP, record);
  fixture.store.plant(APP, undefined);
  const release = fixture.store.holdAnswers();
  const overtaken = Promise.resolve(vault.resolveGrant('default', grantId));
  const readsApp = () => (fixture.store.reads.at(-1) === 'default:policy:app' ? true : undefined);
  await eventually(readsApp, 'the read of the policy');
  fixture.store.plant(APP, text);
  release();
  await overtaken;
  t.is(labels(await vault.resolveGrant('default', grantId)), 'app:late');
});

test('without the channel every request reads the store, also for what is absent', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  await vault.resolveGrant('default', grantId);
  fixture.store.alive = false;
  const reads = fixture.store.reads.length;
  await vault.resolveGrant('default', grantId);
  t.deepEqual(
    fixture.store.reads.slice(reads).filter((ref) => ref.includes(':policy:')),
    ['default:policy:app', 'default:policy:provider.acme'],
  );
  await fixture.administration().setPolicy({ at: 'app' }, named('untold'));
  t.is(labels(await vault.resolveGrant('default', grantId)), 'app:untold');
  fixture.store.alive = true;
  fixture.store.announce(undefined);
  t.is(labels(await vault.resolveGrant('default', grantId)), 'app:untold');
});

test('a policy record that does not open denies with policy_unavailable', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const administration = fixture.administration();
  await administration.setPolicy({ at: 'app' }, named('a'));
  const text = fixture.store.peek(APP) ?? '';
  for (const broken of ['', 'x', text.slice(0, -2)]) {
    fixture.store.plant(APP, broken);
    t.is(
      await codeOf(async () => fixture.vault().resolveGrant('default', grantId)),
      'policy_unavailable:record_unreadable',
      broken.slice(0, 5),
    );
  }
  t.true(fixture.warnings.length > 0);
  const record = await open(fixture.keyring, APP, text);
  fixture.store.plant(APP, await seal(fixture.keyring, APP, { ...record, ...{ v: 99 } }));
  t.is(await codeOf(async () => fixture.vault().resolveGrant('default', grantId)), 'policy_unavailable:record_unreadable');
});

test('rules of a later version stay in the record and deny', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const policy = [
    { kind: 'quota', max: 3 },
    { kind: 'methods', allow: 'GET' },
  ];
  const record = { v: 1, id: 'app', app: 'default', createdAt: START, updatedAt: START, policy };
  fixture.store.plant(APP, await seal(fixture.keyring, APP, record));
  const resolved = await fixture.vault().resolveGrant('default', grantId);
  t.deepEqual(
    resolved.policy.rules.map(({ label, check }) => [label, check]),
    [
      ['app:quota', undefined],
      ['app:methods', undefined],
    ],
  );
});
