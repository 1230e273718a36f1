/** Contract: one proxy at a time uses a refresh token, the new one is stored before anything else happens, and an operator's value always wins. */
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { AlterError } from '../../../src/errors.ts';
import type { CredentialOwner } from '../../../src/inject/prepare.ts';
import { Secret, reveal } from '../../../src/secret/reveal.ts';
import { ChangeTrail } from '../../../src/vault/change-trail.ts';
import { loadKeyring } from '../../../src/vault/keyring.ts';
import { lineageOf } from '../../../src/vault/lineage.ts';
import { Renewals } from '../../../src/vault/renewals.ts';
import { SealedRecords } from '../../../src/vault/sealed-records.ts';
import { eventually } from '../../support/eventually.ts';
import { codeOf, START, VALUE, VaultFixture } from '../../support/vault-fixture.ts';

/** A store with one secret whose field `token` is renewed. */
async function scene(t: ExecutionContext) {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  const { secretId, grantId } = await fixture.grant();
  const records = new SealedRecords('default', fixture.store, fixture.keyring);
  const record = async () => (await records.read('secret', secretId))!.record;
  const owner = async (): Promise<CredentialOwner> => ({ app: 'default', id: secretId, lineage: lineageOf(await record()) });
  /** As one proxy of several has them. */
  const proxy = (name: string, more: { readonly patienceMs?: number } = {}) =>
    new Renewals({
      records: new SealedRecords('default', fixture.store, loadKeyring(fixture.file)),
      trail: new ChangeTrail({ store: fixture.store, app: 'default', by: `proxy:${name}`, now: () => fixture.now }),
      log: { warn: (fields, message) => fixture.warnings.push({ fields, message }) },
      now: () => fixture.now,
      ...more,
    });
  return { fixture, secretId, grantId, record, owner: await owner(), proxy };
}

test('the new value stands in the record before the renewal ends; the version is the same, and the audit has the change without values', async (t) => {
  const { fixture, record, owner, proxy } = await scene(t);
  const before = await record();
  fixture.now += 1000;
  await proxy('one').renew(owner, 'token', async () => new Secret('renewed-1'));
  t.deepEqual(await record(), { ...before, fields: { token: 'renewed-1' }, renewedAt: START + 1000 });
  const change = (await fixture.changes()).at(-1);
  t.like(change, { action: 'secret.renew', target: owner.id, by: 'proxy:one', members: ['fields.token'] });
  t.false(JSON.stringify(change).includes('renewed-1'));
});

test('a provider that gives no new token changes nothing, and is no change', async (t) => {
  const { fixture, record, owner, proxy } = await scene(t);
  const before = await record();
  const changes = (await fixture.changes()).length;
  await proxy('one').renew(owner, 'token', async () => undefined);
  await proxy('one').renew(owner, 'token', async (current) => current);
  t.deepEqual(await record(), before);
  t.is((await fixture.changes()).length, changes);
});

test('of many proxies one at a time has the token, and each has the newest: none is used twice, none is lost', async (t) => {
  const { record, owner, proxy } = await scene(t);
  const used: string[] = [];
  let inside = 0;
  const work = async (current: Secret) => {
    inside += 1;
    t.is(inside, 1);
    used.push(reveal(current));
    await new Promise((resolve) => setTimeout(resolve, 5));
    inside -= 1;
    return new Secret(`renewed-${String(used.length)}`);
  };
  await Promise.all(['a', 'b', 'c', 'd', 'e'].map((name) => proxy(name).renew(owner, 'token', work)));
  t.is(new Set(used).size, 5);
  t.is((await record()).fields['token'], 'renewed-5');
  t.is((await record()).renewal, undefined);
});

test('work that fails gives the token back at once', async (t) => {
  const { record, owner, proxy } = await scene(t);
  const before = await record();
  await t.throwsAsync(
    proxy('one').renew(owner, 'token', () => Promise.reject(new Error('no'))),
    { message: 'no' },
  );
  t.deepEqual(await record(), before);
});

test('a proxy that died with the token keeps it for half a minute', async (t) => {
  const { fixture, record, owner, proxy } = await scene(t);
  const dead = proxy('dead').renew(owner, 'token', () => new Promise(() => undefined));
  void dead.catch(() => undefined);
  while ((await record()).renewal === undefined) await new Promise((resolve) => setImmediate(resolve));
  const waiting = proxy('other').renew(owner, 'token', async () => new Secret('renewed-1'));
  const first = await Promise.race([waiting.then(() => 'renewed'), new Promise((resolve) => setTimeout(() => resolve('waits'), 200))]);
  t.is(first, 'waits');
  fixture.now += 12_500;
  const error = await t.throwsAsync<AlterError>(
    proxy('impatient', { patienceMs: 100 }).renew(owner, 'token', async () => undefined),
    { instanceOf: AlterError },
  );
  t.like(error, { code: 'credential_unavailable', rule: 'renewal_unfinished', retryAfterS: 18 });
  fixture.now += 17_500;
  await waiting;
  t.is((await record()).fields['token'], 'renewed-1');
});

test('what an operator does meanwhile wins: a rotation stays, a revocation stays and keeps the newer token', async (t) => {
  const { fixture, secretId, record, owner, proxy } = await scene(t);
  const administration = fixture.administration();
  await proxy('one').renew(owner, 'token', async () => {
    fixture.now += 1;
    await administration.rotateSecret(secretId, { token: new Secret('by-operator') });
    return new Secret('renewed-1');
  });
  t.like(await record(), { fields: { token: 'by-operator' }, version: 2, renewal: undefined });
  const next = { ...owner, lineage: lineageOf(await record()) };
  await proxy('one').renew(next, 'token', async () => {
    fixture.now += 1;
    await administration.revokeSecret(secretId);
    return new Secret('renewed-2');
  });
  t.like(await record(), { fields: { token: 'renewed-2' }, status: 'revoked', renewal: undefined });
});

test('another field that an operator rotates alone meanwhile, and the renewed token, are both kept', async (t) => {
  const { fixture, proxy } = await scene(t);
  const administration = fixture.administration();
  const pair = { id: { label: 'id', secret: false }, token: { label: 'token', secret: true } };
  const inject = [{ kind: 'basic', username: '{id}', password: '{token}' }] as const;
  const facts = { slug: 'pair', name: 'Pair', category: 'test', hosts: ['api.pair.test'], confidence: 'high' } as const;
  await administration.addProvider({ ...facts, fields: pair, inject });
  const fields = { id: new Secret('i'), token: new Secret('t') };
  const { id } = await administration.addSecret({ name: 'pair', provider: 'pair', fields, hosts: [] });
  const record = async () => (await new SealedRecords('default', fixture.store, fixture.keyring).read('secret', id))!.record;
  await proxy('one').renew({ app: 'default', id, lineage: lineageOf(await record()) }, 'token', async () => {
    await administration.rotateSecret(id, { id: new Secret('i2') }, { others: 'kept' });
    return new Secret('t2');
  });
  t.like(await record(), { fields: { id: 'i2', token: 't2' }, version: 2, renewal: undefined });
});

test('a secret that was changed, revoked or deleted since gives nothing away', async (t) => {
  const { fixture, secretId, owner, proxy } = await scene(t);
  const administration = fixture.administration();
  const attempt = () =>
    codeOf(() =>
      proxy('one').renew(owner, 'token', async () => {
        t.fail('used');
        return undefined;
      }),
    );
  fixture.now += 1;
  await administration.rotateSecret(secretId, { token: new Secret('by-operator') });
  t.is(await attempt(), 'credential_unavailable:secret_changed');
  await administration.revokeSecret(secretId);
  t.is(await attempt(), 'credential_revoked');
  await administration.deleteSecret(secretId);
  t.is(await attempt(), 'credential_revoked');
});

test('a new value that the store does not take is kept, and used and stored as soon as it does', async (t) => {
  const { fixture, record, owner, proxy } = await scene(t);
  const one = proxy('one');
  const code = await codeOf(() =>
    one.renew(owner, 'token', async () => {
      fixture.store.failing = true;
      return new Secret('renewed-1');
    }),
  );
  t.is(code, 'store_unavailable');
  fixture.store.failing = false;
  fixture.now += 30_000;
  const used: string[] = [];
  await one.renew(owner, 'token', async (current) => {
    used.push(reveal(current));
    return undefined;
  });
  t.deepEqual(used, ['renewed-1']);
  t.is((await record()).fields['token'], 'renewed-1');
});

/** A renewal by `one` whose new value, or failure, meets a store that is down. */
async function renewedWithoutStore({ fixture, owner, proxy }: Awaited<ReturnType<typeof scene>>, failing = false) {
  const one = proxy('one');
  await codeOf(() =>
    one.renew(owner, 'token', async () => {
      fixture.store.failing = true;
      if (failing) throw new AlterError('upstream_timeout');
      return new Secret('renewed-1');
    }),
  );
  return one;
}

test('a new value that the store did not take is stored as soon as it does, before another proxy uses the value before', async (t) => {
  const own = await scene(t);
  const { fixture, record, owner, proxy } = own;
  await renewedWithoutStore(own);
  fixture.store.failing = false;
  await eventually(async () => ((await record()).renewal === undefined ? true : undefined), 'the end of the claim');
  t.like(await record(), { fields: { token: 'renewed-1' }, renewedAt: START });
  t.like((await fixture.changes()).at(-1), { action: 'secret.renew', target: owner.id, by: 'proxy:one', members: ['fields.token'] });
  fixture.now += 31_000;
  const used: string[] = [];
  await proxy('two').renew(owner, 'token', async (current) => void used.push(reveal(current)));
  t.deepEqual(used, ['renewed-1']);
});

test('the proxy whose claim the store did not take back does not wait for itself, whether there is a new value or none', async (t) => {
  for (const [failing, value] of [
    [false, 'renewed-1'],
    [true, VALUE],
  ] as const) {
    const own = await scene(t);
    const one = await renewedWithoutStore(own, failing);
    t.truthy(own.fixture.store.failing);
    own.fixture.store.failing = false;
    const used: string[] = [];
    await one.renew(own.owner, 'token', async (current) => void used.push(reveal(current)));
    t.deepEqual(used, [value]);
  }
});

test('what an operator stores before the new value could be stored wins', async (t) => {
  const own = await scene(t);
  const { fixture, secretId, record } = own;
  const one = await renewedWithoutStore(own);
  fixture.store.failing = false;
  fixture.now += 1;
  await fixture.administration().rotateSecret(secretId, { token: new Secret('by-operator') });
  await one.close(60_000);
  t.like(await record(), { fields: { token: 'by-operator' }, version: 2, renewal: undefined });
});

test('a stop waits for the store to take a new value; a secret that is gone takes none', async (t) => {
  const own = await scene(t);
  const { fixture, secretId, record } = own;
  const one = await renewedWithoutStore(own);
  const closed = one.close(60_000);
  fixture.store.failing = false;
  await closed;
  t.is((await record()).fields['token'], 'renewed-1');
  const two = await renewedWithoutStore(own);
  fixture.store.failing = false;
  fixture.now += 1;
  await fixture.administration().revokeSecret(secretId);
  await fixture.administration().deleteSecret(secretId);
  await two.close(60_000);
  t.is(fixture.warnings.length, 0);
});

test('a stop waits for the renewal under way and its new value; who waits for another proxy ends, and nobody begins', async (t) => {
  const { record, owner, proxy } = await scene(t);
  const [one, other] = [proxy('one'), proxy('other')];
  const asked: ((value: Secret) => void)[] = [];
  const renewal = one.renew(owner, 'token', () => new Promise((resolve) => asked.push(resolve)));
  while (asked.length === 0) await new Promise((resolve) => setImmediate(resolve));
  const waiting = codeOf(() => other.renew(owner, 'token', async () => undefined));
  await other.close(60_000);
  t.is(await waiting, 'shutting_down');
  const closed = one.close(60_000).then(() => record());
  t.is(await codeOf(() => one.renew(owner, 'token', async () => undefined)), 'shutting_down');
  asked[0]!(new Secret('renewed-1'));
  t.like(await closed, { fields: { token: 'renewed-1' }, renewal: undefined });
  await renewal;
});

test('a stop does not wait for ever, and says what may be lost', async (t) => {
  const { fixture, record, owner, proxy } = await scene(t);
  const one = proxy('one');
  void one.renew(owner, 'token', () => new Promise(() => undefined));
  while ((await record()).renewal === undefined) await new Promise((resolve) => setImmediate(resolve));
  await one.close(1);
  t.like(fixture.warnings.at(-1), { fields: { app: owner.app, secret: owner.id } });
});

test('a store that is down is told as such, and the token is not used', async (t) => {
  const { fixture, owner, proxy } = await scene(t);
  fixture.store.failing = true;
  const error = await t.throwsAsync<AlterError>(
    proxy('one').renew(owner, 'token', async () => new Secret('x')),
    { instanceOf: AlterError },
  );
  t.is(error.code, 'store_unavailable');
});

test('a renewed token keeps what was prepared; a change by an operator, and a revocation that was taken back, do not', async (t) => {
  const { fixture, secretId, grantId, owner, proxy } = await scene(t);
  const lineages: (string | undefined)[] = [];
  const vault = fixture.vault({
    prepare: (template, fields, given) => {
      lineages.push(given?.lineage);
      return fixture.prepare(template, fields);
    },
  });
  t.teardown(() => {
    vault.close();
  });
  await vault.resolveGrant('default', grantId);
  fixture.now += 1;
  await proxy('one').renew(owner, 'token', async () => new Secret('renewed-1'));
  await vault.resolveGrant('default', grantId);
  const administration = fixture.administration();
  fixture.now += 1;
  await administration.revokeSecret(secretId);
  fixture.now += 1;
  await administration.reactivateSecret(secretId);
  await vault.resolveGrant('default', grantId);
  t.is(lineages[0], lineages[1]);
  t.not(lineages[1], lineages[2]);
});
