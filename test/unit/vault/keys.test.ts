import test from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { reveal } from '../../../src/secret/reveal.ts';
import { fingerprint } from '../../../src/vault/fingerprint.ts';
import type { NewKey } from '../../../src/vault/keys.ts';
import { START, VaultFixture, codeOf } from '../../support/vault-fixture.ts';

const DAY_MS = 86_400_000;

function fixtureOf(t: { teardown(clean: () => void): void }): VaultFixture {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  return fixture;
}

test('a key of an agent is of its own form, and only for an agent that lives', async (t) => {
  const administration = fixtureOf(t).administration();
  t.is(await codeOf(() => administration.createKey({ name: 'k', agent: 'reporter' })), 'not_found');
  await administration.agents.create({ name: 'reporter' });
  const { key, record } = await administration.createKey({ name: 'k', agent: 'reporter' });
  t.regex(reveal(key), /^alter_key_agent_/);
  t.is(fingerprint(key), record.id);
  t.like(record, { type: 'agent', agent: 'reporter' });
  await administration.agents.pause('reporter');
  t.is(await codeOf(() => administration.createKey({ name: 'k2', agent: 'reporter' })), 'none');
  await administration.agents.delete('reporter');
  t.is(await codeOf(() => administration.createKey({ name: 'k3', agent: 'reporter' })), 'not_allowed');
});

test('networks are kept in CIDR notation; the whole Internet is none', async (t) => {
  const administration = fixtureOf(t).administration();
  const { record } = await administration.createKey({ name: 'k', cidrs: ['10.0.0.0/8', '192.0.2.7', '2001:db8::1', '2001:db8::/32'] });
  t.deepEqual(record.cidrs, ['10.0.0.0/8', '192.0.2.7/32', '2001:db8::1/128', '2001:db8::/32']);
  for (const wrong of ['0.0.0.0/0', '::/0', '::ffff:0:0/96', '10.0.0.0/33', '10.1', 'example.com', '']) {
    t.is(await codeOf(() => administration.createKey({ name: 'k', cidrs: [wrong] })), 'record_invalid', wrong);
  }
});

test('keys for development end after 30 days at most, keys for production name their networks', async (t) => {
  const administration = fixtureOf(t).administration();
  const expiry = async (more: Partial<NewKey>): Promise<number | undefined> =>
    (await administration.createKey({ name: 'k', environment: 'development', ...more })).record.expiresAt;
  t.is(await expiry({}), START + 30 * DAY_MS);
  t.is(await expiry({ ttlMs: DAY_MS }), START + DAY_MS);
  t.is(await expiry({ ttlMs: 30 * DAY_MS }), START + 30 * DAY_MS);
  t.is(await codeOf(() => expiry({ ttlMs: 30 * DAY_MS + 1 })), 'record_invalid');
  t.is(await codeOf(() => administration.createKey({ name: 'k', environment: 'production' })), 'record_invalid');
  const { record } = await administration.createKey({ name: 'k', environment: 'production', cidrs: ['10.0.0.0/8'] });
  t.is(record.expiresAt, undefined);
  t.is(record.environment, 'production');
});

test('a rotated key has the settings and the length of life of the old one, which ends after the grace', async (t) => {
  const fixture = fixtureOf(t);
  const administration = fixture.administration();
  await administration.agents.create({ name: 'reporter' });
  const old = await administration.createKey({
    ...{ name: 'k', agent: 'reporter', environment: 'production', cidrs: ['10.0.0.0/8'], ttlMs: 90 * DAY_MS },
  });
  fixture.now += DAY_MS;
  const { key, record, previous } = await administration.rotateKey('k', 1000);
  t.not(reveal(key), reveal(old.key));
  const { type, agent, environment, name, cidrs, expiresAt, status } = record;
  t.deepEqual(
    { type, agent, environment, name, cidrs, expiresAt, status },
    {
      ...{ type: 'agent', agent: 'reporter', environment: 'production', name: 'k', cidrs: ['10.0.0.0/8'] },
      ...{ expiresAt: fixture.now + 90 * DAY_MS, status: 'active' },
    },
  );
  t.like(previous, { id: old.record.id, status: 'deprecated', expiresAt: fixture.now + 1000 });
  t.is((await administration.rotateKey('k', 1000)).previous.id, record.id);
});

test('a grace does not lengthen the life of a key, and no grace ends it at once', async (t) => {
  const fixture = fixtureOf(t);
  const administration = fixture.administration();
  await administration.createKey({ name: 'short', ttlMs: 500 });
  t.is((await administration.rotateKey('short', 1000)).previous.expiresAt, START + 500);
  await administration.createKey({ name: 'leaked' });
  t.is((await administration.rotateKey('leaked', 0)).previous.status, 'revoked');
  t.is(await codeOf(() => administration.rotateKey('leaked', -1)), 'record_invalid');
});

test('a key that has ended is not rotated', async (t) => {
  const fixture = fixtureOf(t);
  const administration = fixture.administration();
  await administration.createKey({ name: 'revoked' });
  await administration.revokeKey('revoked');
  t.is(await codeOf(() => administration.rotateKey('revoked', 1000)), 'not_allowed');
  await administration.createKey({ name: 'expired', ttlMs: 10 });
  fixture.now += 10;
  t.is(await codeOf(() => administration.rotateKey('expired', 1000)), 'not_allowed');
  t.is(await codeOf(() => administration.rotateKey('nobody', 1000)), 'not_found');
});

test('a deprecated key can be deprecated again and revoked, a revoked one stays revoked', async (t) => {
  const administration = fixtureOf(t).administration();
  await administration.createKey({ name: 'k' });
  t.is((await administration.deprecateKey('k')).status, 'deprecated');
  t.is((await administration.deprecateKey('k')).status, 'deprecated');
  t.is((await administration.revokeKey('k')).status, 'revoked');
  t.is((await administration.deprecateKey('k')).status, 'revoked');
});

test("another app's keys cannot be touched, by whatever name", async (t) => {
  const fixture = fixtureOf(t);
  fixture.keyring.add('other');
  const { record } = await fixture.administration({ app: 'other' }).createKey({ name: 'theirs' });
  const administration = fixture.administration();
  for (const name of ['theirs', record.id, record.prefix]) {
    for (const action of [
      () => administration.revokeKey(name),
      () => administration.deprecateKey(name),
      () => administration.rotateKey(name, 1),
    ]) {
      t.is(await codeOf(action), 'not_found', name);
    }
  }
});

test('a new key that cannot be handed over is revoked, and its rotation has not been', async (t) => {
  const fixture = fixtureOf(t);
  const administration = fixture.administration();
  const old = (await administration.createKey({ name: 'k' })).record;
  fixture.now += 1;
  const lost = new CommandError('file_unwritable', 'no room', { hint: 'Make room.' });
  const failed = async (more: () => void = () => undefined) =>
    t.throwsAsync<CommandError>(
      administration.rotateKey('k', 0, ({ previous }) => {
        t.is(previous.status, 'revoked');
        more();
        return Promise.reject(lost);
      }),
      { instanceOf: CommandError, code: 'file_unwritable' },
    );
  const error = await failed();
  const [, made] = await administration.listKeys();
  t.is(error.message, `no room; the new key ${made?.prefix} was revoked`);
  t.is(error.hint, 'Make room.');
  t.deepEqual(
    (await administration.listKeys()).map(({ status }) => status),
    ['active', 'revoked'],
  );
  t.deepEqual(await administration.deprecateKey(old.id).then(({ createdAt }) => createdAt), old.createdAt);
  fixture.now += 1;
  const alive = await failed(() => (fixture.store.failing = true));
  fixture.store.failing = false;
  const left = (await administration.listKeys()).at(-1);
  t.is(left?.status, 'active');
  t.true(alive.message.startsWith(`no room; the new key ${left?.prefix} still works: it could not be revoked: the store`), alive.message);
  t.is(alive.hint, `Revoke it with: alter-proxy key revoke ${left?.prefix}`);
});

test('of those who rotate one key at the same time one wins', async (t) => {
  const administration = fixtureOf(t).administration();
  await administration.createKey({ name: 'k' });
  for (const graceMs of [1000, 0]) {
    const outcomes = await Promise.all([1, 2, 3].map(() => codeOf(() => administration.rotateKey('k', graceMs))));
    t.deepEqual(outcomes.sort(), ['none', 'record_conflict', 'record_conflict']);
    t.is((await administration.listKeys()).filter(({ status }) => status === 'active').length, 1);
  }
});

test('what is done to a key while it is rotated holds', async (t) => {
  const administration = fixtureOf(t).administration();
  const { record } = await administration.createKey({ name: 'k' });
  const rotating = administration.rotateKey('k', 1000, async () => {
    await administration.revokeKey(record.id);
  });
  t.is(await codeOf(() => rotating), 'record_conflict');
  t.deepEqual(
    (await administration.listKeys()).map(({ status }) => status),
    ['revoked', 'revoked'],
  );
});
