import { inspect } from 'node:util';
import test from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { reveal } from '../../../src/secret/reveal.ts';
import type { RecordRef } from '../../../src/store/store.ts';
import type { Administration } from '../../../src/vault/administration.ts';
import { fingerprint } from '../../../src/vault/fingerprint.ts';
import { open, seal } from '../../../src/vault/sealing.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { START, VALUE, VaultFixture, acme, codeOf, tenants } from '../../support/vault-fixture.ts';

type Run = (fixture: VaultFixture, t: import('ava').ExecutionContext, administration: Administration) => Promise<void>;

const withFixture = test.macro(async (t, run: Run) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  await run(fixture, t, fixture.administration());
});

const token = { token: new Secret(VALUE) };
const acmeSecret = (name: string): Parameters<Administration['addSecret']>[0] => ({ name, provider: 'acme', fields: token, hosts: [] });

async function messageOf(action: Promise<unknown>): Promise<string> {
  try {
    await action;
  } catch (error) {
    if (error instanceof CommandError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

test('a secret is stored sealed and answered as facts', withFixture, async (fixture: VaultFixture, t, administration) => {
  const facts = await administration.addSecret(acmeSecret('Acme main'));
  t.regex(facts.id, /^ms_[0-9A-HJKMNP-TV-Z]{26}$/);
  t.deepEqual(facts, {
    v: 1,
    id: facts.id,
    app: 'default',
    name: 'Acme main',
    provider: 'acme',
    origins: ['https://api.acme.test:443'],
    policy: [],
    status: 'active',
    version: 1,
    createdAt: START,
    rotatedAt: START,
    updatedAt: START,
  });
  const text = fixture.store.peek({ kind: 'secret', app: 'default', id: facts.id }) ?? '';
  t.is(text.split('.').length, 5);
  t.false(text.includes(VALUE));
  t.deepEqual(await administration.showSecret('Acme main'), facts);
  t.deepEqual(await administration.showSecret(facts.id), facts);
});

test('no answer and no error holds a value', withFixture, async (_fixture, t, administration) => {
  const secret = await administration.addSecret(acmeSecret('one'));
  const bad = (fields: Record<string, Secret>): Promise<unknown> =>
    administration.addSecret({ ...acmeSecret('two'), fields }).catch((error: unknown) => error);
  const answers = [
    administration,
    secret,
    await administration.listSecrets(),
    await administration.rotateSecret('one', token),
    await administration.issueGrant({ secret: 'one', label: 'x' }),
    await administration.deleteSecret('one'),
    await bad({ token: new Secret(`${VALUE}\r\nX-Evil: 1`) }),
    await bad({ token: new Secret(VALUE), other: new Secret(VALUE) }),
    await bad({ token: new Secret(VALUE.repeat(3000)) }),
    (await administration.createKey({ name: 'k' })).record,
  ];
  for (const answer of answers) {
    t.false(inspect(answer, { depth: 20, showHidden: true }).includes(VALUE));
    t.false(JSON.stringify(answer).includes(VALUE));
  }
});

test('names are unique among living secrets of the app', withFixture, async (fixture: VaultFixture, t, administration) => {
  const first = await administration.addSecret(acmeSecret('one'));
  t.is(await codeOf(() => administration.addSecret(acmeSecret('one'))), 'record_exists');
  t.is(await codeOf(() => administration.addSecret(acmeSecret('One'))), 'none');
  fixture.keyring.add('other');
  t.is(await codeOf(() => fixture.administration({ app: 'other' }).addSecret(acmeSecret('one'))), 'none');
  fixture.now++;
  await administration.deleteSecret('one');
  const second = await administration.addSecret(acmeSecret('one'));
  t.is((await administration.showSecret('one')).id, second.id);
  t.is((await administration.showSecret(first.id)).status, 'deleted');
});

test('two operators who take one name at the same time do not both get it', withFixture, async (_fixture, t, administration) => {
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => codeOf(() => administration.addSecret(acmeSecret('one')))));
  const living = (await administration.listSecrets()).filter(({ status }) => status === 'active');
  t.true(living.length <= 1);
  t.is(outcomes.filter((code) => code === 'none').length, living.length);
  t.is(outcomes.filter((code) => code === 'record_exists').length, 4 - living.length);
});

test('names that could be mistaken are refused', withFixture, async (_fixture, t, administration) => {
  for (const name of ['', ' x', '-x', 'a/b', 'a:b', 'a\n', 'é', 'x'.repeat(65), `ms_${'0'.repeat(26)}`]) {
    t.is(await codeOf(() => administration.addSecret(acmeSecret(name))), 'record_invalid', name);
  }
  for (const name of ['x', '0', 'A b.c_d-e', 'ms_short', 'x'.repeat(64)])
    t.is(await codeOf(() => administration.addSecret(acmeSecret(name))), 'none', name);
});

test('the fields must be exactly those of the provider', withFixture, async (_fixture, t, administration) => {
  const add = (fields: Record<string, Secret>): Promise<string> =>
    messageOf(administration.addSecret({ name: 'x', provider: 'tenants', fields, hosts: ['a.tenants.test'] }));
  t.is(await add({ user: new Secret('me') }), 'record_invalid: the field token is missing; provider tenants expects: user, token');
  t.is(
    await add({ ...token, user: new Secret('me'), pin: new Secret('1') }),
    'record_invalid: there is no field "pin"; provider tenants expects: user, token',
  );
  t.is(
    await add({ ...token, toString: new Secret('1'), user: new Secret('me') }),
    'record_invalid: there is no field "toString"; provider tenants expects: user, token',
  );
  t.is(await add({ ...token, user: new Secret('me') }), 'none');
  t.is(await messageOf(administration.addSecret({ ...acmeSecret('y'), provider: 'nobody' })), 'not_found: there is no provider "nobody"');
});

test(
  'a value that could not stand in a request is refused when it is stored and when it is rotated',
  withFixture,
  async (_fixture, t, administration) => {
    await administration.addSecret(acmeSecret('kept'));
    for (const value of ['a\rb', 'a\nb', 'a\0b', 'a\tb', 'a\x7fb', 'a\x85b', '\n', '', 'x'.repeat(65_537), '€'.repeat(21_846)]) {
      const fields = { token: new Secret(value) };
      t.regex(await messageOf(administration.addSecret({ ...acmeSecret('x'), fields })), /^record_invalid: the value of token /);
      t.regex(await messageOf(administration.rotateSecret('kept', fields)), /^record_invalid: the value of token /);
    }
    t.is((await administration.showSecret('kept')).version, 1);
    t.is(await codeOf(() => administration.addSecret({ ...acmeSecret('x'), fields: { token: new Secret('x'.repeat(65_536)) } })), 'none');
  },
);

test('a credential whose injection does not compile is not stored', withFixture, async (fixture: VaultFixture, t, administration) => {
  fixture.catalogue.set('hollow', { ...acme, slug: 'hollow', inject: [] });
  t.regex(
    await messageOf(administration.addSecret({ ...acmeSecret('x'), provider: 'hollow' })),
    /^record_invalid: the credential cannot be injected/,
  );
  t.deepEqual(await administration.listSecrets(), []);
});

test('rotation replaces all values in one version and keeps the rest', withFixture, async (fixture: VaultFixture, t, administration) => {
  const before = await administration.addSecret(acmeSecret('one'));
  fixture.now += 5;
  const after = await administration.rotateSecret('one', { token: new Secret('new-value') });
  t.deepEqual(after, { ...before, version: 2, rotatedAt: START + 5, updatedAt: START + 5 });
  const ref: RecordRef = { kind: 'secret', app: 'default', id: before.id };
  t.like(await open(fixture.keyring, ref, fixture.store.peek(ref) ?? ''), { fields: { token: 'new-value' } });
  t.is(await codeOf(() => administration.rotateSecret('one', {})), 'record_invalid');
  t.is(await codeOf(() => administration.rotateSecret('two', token)), 'not_found');
});

test('rotations at the same time each count', withFixture, async (_fixture, t, administration) => {
  await administration.addSecret(acmeSecret('one'));
  await Promise.all(Array.from({ length: 4 }, (_, i) => administration.rotateSecret('one', { token: new Secret(`value-${String(i)}`) })));
  t.is((await administration.showSecret('one')).version, 5);
});

test('who loses every race is told so', withFixture, async (fixture: VaultFixture, t, administration) => {
  const secret = await administration.addSecret(acmeSecret('one'));
  const { id } = await administration.issueGrant({ secret: secret.id, label: 'x' });
  fixture.store.put = () => Promise.resolve(false);
  t.is(await codeOf(() => administration.rotateSecret('one', token)), 'record_conflict');
  t.is(await codeOf(() => administration.revokeGrant(id)), 'record_conflict');
});

test('deletion leaves a tombstone without values, and may be repeated', withFixture, async (fixture: VaultFixture, t, administration) => {
  const { id } = await administration.addSecret(acmeSecret('one'));
  fixture.now += 5;
  const deleted = await administration.deleteSecret('one');
  t.like(deleted, { id, status: 'deleted', updatedAt: START + 5 });
  const ref: RecordRef = { kind: 'secret', app: 'default', id };
  t.like(await open(fixture.keyring, ref, fixture.store.peek(ref) ?? ''), { fields: {}, status: 'deleted' });
  fixture.now += 5;
  t.deepEqual(await administration.deleteSecret(id), deleted);
  t.deepEqual(await administration.deleteSecret('one'), deleted);
  t.is(await codeOf(() => administration.rotateSecret(id, token)), 'not_found');
  t.is(await codeOf(() => administration.deleteSecret('nobody')), 'not_found');
});

test('a grant is a UUID on a living secret, by id or name', withFixture, async (fixture: VaultFixture, t, administration) => {
  const secret = await administration.addSecret(acmeSecret('one'));
  const grant = await administration.issueGrant({
    secret: 'one',
    label: 'CI',
    ttlMs: 60_000,
    policy: [{ kind: 'methods', allow: ['GET'] }],
  });
  t.regex(grant.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.like(grant, { secretId: secret.id, label: 'CI', status: 'active', expiresAt: START + 60_000, principal: { type: 'system' } });
  t.deepEqual(await administration.showGrant(grant.id.toUpperCase()), grant);
  t.false('expiresAt' in (await administration.issueGrant({ secret: secret.id, label: 'x' })));
  fixture.now++;
  await administration.deleteSecret('one');
  for (const named of ['one', secret.id, 'nobody', `ms_${'0'.repeat(26)}`])
    t.is(await codeOf(() => administration.issueGrant({ secret: named, label: 'x' })), 'not_found', named);
});

test('labels and times to live are checked', withFixture, async (_fixture, t, administration) => {
  await administration.addSecret(acmeSecret('one'));
  for (const label of ['', ' ', 'a\nb', 'a\u202eb', 'x'.repeat(129)])
    t.is(await codeOf(() => administration.issueGrant({ secret: 'one', label })), 'record_invalid', label);
  t.is(await codeOf(() => administration.issueGrant({ secret: 'one', label: '日本 ✓'.repeat(25) })), 'none');
  for (const ttlMs of [0, -1, 0.5, NaN, Infinity]) {
    t.is(await codeOf(() => administration.issueGrant({ secret: 'one', label: 'x', ttlMs })), 'record_invalid', String(ttlMs));
    t.is(await codeOf(() => administration.createKey({ name: 'x', ttlMs })), 'record_invalid', String(ttlMs));
  }
  const broken = [{ kind: 'methods' }] as unknown as readonly { kind: 'methods'; allow: string[] }[];
  t.is(
    await messageOf(administration.issueGrant({ secret: 'one', label: 'x', policy: broken })),
    'record_invalid: rules[0].allow is missing: the list of methods that pass',
  );
});

test('revoking a grant may be repeated', withFixture, async (fixture: VaultFixture, t, administration) => {
  await administration.addSecret(acmeSecret('one'));
  const { id } = await administration.issueGrant({ secret: 'one', label: 'x' });
  fixture.now += 5;
  const revoked = await administration.revokeGrant(id);
  t.like(revoked, { id, status: 'revoked', updatedAt: START + 5 });
  fixture.now += 5;
  t.deepEqual(await administration.revokeGrant(id), revoked);
  for (const unknown of ['11111111-1111-4111-8111-111111111111', 'x', `${id}:x`]) {
    t.is(await codeOf(() => administration.revokeGrant(unknown)), 'not_found');
    t.is(await codeOf(() => administration.showGrant(unknown)), 'not_found');
  }
});

test('listings are in the order of creation, over many pages', withFixture, async (fixture: VaultFixture, t, administration) => {
  await administration.addSecret(acmeSecret('one'));
  const ids: string[] = [];
  for (let i = 0; i < 130; i++) {
    fixture.now++;
    ids.push((await administration.issueGrant({ secret: 'one', label: `grant ${String(i)}` })).id);
  }
  t.deepEqual(
    (await administration.listGrants()).map(({ id }) => id),
    ids,
  );
});

test('a listing leaves out what does not open, and says so when asked', withFixture, async (fixture: VaultFixture, t, administration) => {
  await administration.addSecret(acmeSecret('one'));
  const good = await administration.issueGrant({ secret: 'one', label: 'good' });
  const bad = await administration.issueGrant({ secret: 'one', label: 'bad' });
  fixture.store.plant({ kind: 'grant', app: 'default', id: bad.id }, 'garbage');
  t.deepEqual(
    (await administration.listGrants()).map(({ id }) => id),
    [good.id],
  );
  t.deepEqual(await administration.unreadable(), [`default:grant:${bad.id}: truncated`]);
  t.is(await messageOf(administration.showGrant(bad.id)), `record_unreadable: record default:grant:${bad.id} cannot be read: truncated`);
});

test('a key is answered once and stored under its fingerprint', withFixture, async (fixture: VaultFixture, t, administration) => {
  const { key, record } = await administration.createKey({ name: 'ci', ttlMs: 1000 });
  t.is(fingerprint(key), record.id);
  t.like(record, { app: 'default', type: 'app', name: 'ci', status: 'active', expiresAt: START + 1000 });
  t.true(reveal(key).startsWith(record.prefix));
  t.true(record.prefix.length <= 20);
  const text = fixture.store.peek({ kind: 'key', id: record.id }) ?? '';
  const stored = JSON.stringify(await open(fixture.keyring, { kind: 'key', id: record.id }, text));
  t.false(stored.includes(reveal(key)));
  t.deepEqual(await administration.listKeys(), [record]);
  t.is(await codeOf(() => administration.createKey({ name: 'a\nb' })), 'record_invalid');
});

test(
  'a key is revoked by id, prefix or name; an ambiguous name is refused',
  withFixture,
  async (fixture: VaultFixture, t, administration) => {
    const [one, two, three] = [
      await administration.createKey({ name: 'a' }),
      await administration.createKey({ name: 'b' }),
      await administration.createKey({ name: 'b' }),
    ];
    fixture.now += 5;
    t.like(await administration.revokeKey('a'), { id: one.record.id, status: 'revoked', updatedAt: START + 5 });
    fixture.now += 5;
    t.like(await administration.revokeKey(one.record.id), { updatedAt: START + 5 });
    t.is(await codeOf(() => administration.revokeKey('b')), 'record_invalid');
    t.like(await administration.revokeKey(two.record.prefix), { id: two.record.id });
    t.like(await administration.revokeKey('b'), { id: three.record.id }, 'one of the name is left');
    t.is(await codeOf(() => administration.revokeKey('nobody')), 'not_found');
    t.is(await codeOf(() => administration.revokeKey('0'.repeat(64))), 'not_found');
  },
);

test('a key that was typed in place of its name is not repeated', withFixture, async (fixture: VaultFixture, t) => {
  const elsewhere = await fixture.administration({ store: new MemoryStore() }).createKey({ name: 'x' });
  t.false((await messageOf(fixture.administration().revokeKey(reveal(elsewhere.key)))).includes(reveal(elsewhere.key).slice(14)));
});

test("another app's keys, secrets and grants are as good as none", withFixture, async (fixture: VaultFixture, t, administration) => {
  fixture.keyring.add('other');
  const other = fixture.administration({ app: 'other' });
  const { record } = await other.createKey({ name: 'theirs' });
  const secret = await other.addSecret(acmeSecret('theirs'));
  const grant = await other.issueGrant({ secret: secret.id, label: 'theirs' });
  t.deepEqual([await administration.listKeys(), await administration.listSecrets(), await administration.listGrants()], [[], [], []]);
  t.is(await codeOf(() => administration.revokeKey(record.id)), 'not_found');
  t.is(await codeOf(() => administration.revokeKey('theirs')), 'not_found');
  t.is(await codeOf(() => administration.showSecret(secret.id)), 'not_found');
  t.is(await codeOf(() => administration.revokeGrant(grant.id)), 'not_found');
  t.deepEqual(await administration.unreadable(), []);
});

test('a custom provider is added once, and beside the shipped ones', withFixture, async (_fixture, t, administration) => {
  const template = { ...acme, slug: 'in-house' };
  t.deepEqual(await administration.addProvider(template), template);
  t.is(await codeOf(() => administration.addProvider(template)), 'record_exists');
  t.is(await codeOf(() => administration.addProvider(acme)), 'record_exists');
  t.deepEqual(await administration.showProvider('in-house'), { template, custom: true });
  t.deepEqual(await administration.showProvider('acme'), { template: acme, custom: false });
  t.deepEqual(
    (await administration.listProviders()).map(({ template: { slug }, custom }) => `${slug} ${String(custom)}`),
    ['acme false', 'custom-bearer false', 'in-house true', 'tenants false'],
  );
  for (const slug of ['nobody', 'a:b', '../x']) t.is(await codeOf(() => administration.showProvider(slug)), 'not_found');
});

test('a provider that could not be used is not stored', withFixture, async (_fixture, t, administration) => {
  const add = (changes: Record<string, unknown>): Promise<string> =>
    codeOf(() => administration.addProvider({ ...acme, slug: 'x', ...changes }));
  for (const changes of [
    { slug: 'A' },
    { slug: 'a:b' },
    { hosts: ['*.test'] },
    { hosts: ['a b'] },
    { inject: [] },
    { inject: [{ kind: 'teleport' }] },
  ]) {
    t.is(await add(changes), 'record_invalid', JSON.stringify(changes));
  }
  t.is(await add({}), 'none');
});

test('a store that is down is said to be', withFixture, async (fixture: VaultFixture, t, administration) => {
  fixture.store.failing = true;
  const calls = [
    () => administration.addSecret(acmeSecret('x')),
    () => administration.listSecrets(),
    () => administration.showGrant('11111111-1111-4111-8111-111111111111'),
    () => administration.createKey({ name: 'x' }),
    () => administration.rewrap(),
  ];
  for (const call of calls) t.is(await codeOf(call), 'store_unreachable');
});

test('without an active key of the app nothing is stored', withFixture, async (fixture: VaultFixture, t) => {
  t.is(await codeOf(() => fixture.administration({ app: 'other' }).addSecret(acmeSecret('x'))), 'not_found');
});

test('what is stored can be read by whoever seals for the place', withFixture, async (fixture: VaultFixture, t, administration) => {
  const secret = await administration.addSecret(acmeSecret('one'));
  const ref: RecordRef = { kind: 'secret', app: 'default', id: secret.id };
  const record = await open(fixture.keyring, ref, fixture.store.peek(ref) ?? '');
  fixture.store.plant(ref, await seal(fixture.keyring, ref, { ...record, name: 'renamed' } as typeof record));
  t.is((await administration.showSecret('renamed')).id, secret.id);
});

test('the field that named the host stays when a secret is rotated', async (t) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  fixture.catalogue.set('named', { ...tenants, slug: 'named', hosts: ['{user}.named.test'] });
  const administration = fixture.administration();
  const fields = (user: string, token = 'one') => ({ user: new Secret(user), token: new Secret(token) });
  const stored = await administration.addSecret({ name: 'n', provider: 'named', fields: fields('Acme'), hosts: [] });
  t.deepEqual(stored.origins, ['https://acme.named.test:443']);
  t.like(await administration.rotateSecret('n', { token: new Secret('two') }), { version: 2, origins: stored.origins });
  t.like(await administration.rotateSecret('n', fields('acme', 'three')), { version: 3, origins: stored.origins });
  t.is(await codeOf(() => administration.rotateSecret('n', fields('other', 'four'))), 'record_invalid');
  t.is(await codeOf(() => administration.rotateSecret('n', {})), 'record_invalid');
});
