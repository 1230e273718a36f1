import { inspect } from 'node:util';
import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { Secret } from '../../../src/secret/secret.ts';
import type { RecordRef } from '../../../src/store/store.ts';
import { loadKeyring } from '../../../src/vault/keyring.ts';
import type { ResolvedGrant } from '../../../src/vault/resolved.ts';
import { open, seal } from '../../../src/vault/sealing.ts';
import { START, VALUE, VaultFixture, acme, codeOf } from '../../support/vault-fixture.ts';
import type { FakeInjection } from '../../support/vault-fixture.ts';

const withFixture = test.macro(async (t, run: (fixture: VaultFixture, t: import('ava').ExecutionContext) => Promise<void>) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  await run(fixture, t);
});

const grantRef = (id: string, app = 'default'): RecordRef => ({ kind: 'grant', app, id });
const secretRef = (id: string, app = 'default'): RecordRef => ({ kind: 'secret', app, id });

/** Opens the record at `ref`, changes it and puts it back, as somebody with the master key could. */
async function tamper(fixture: VaultFixture, ref: RecordRef, changes: Record<string, unknown>): Promise<void> {
  const record = await open(fixture.keyring, ref, fixture.store.peek(ref) ?? '');
  fixture.store.plant(ref, await seal(fixture.keyring, ref, { ...record, ...changes }));
}

function valuesOf({ injection }: ResolvedGrant): Readonly<Record<string, string>> {
  return (injection as FakeInjection).reveals();
}

test(
  'a grant resolves to its record, the facts of its secret and an injection that has the values',
  withFixture,
  async (fixture: VaultFixture, t) => {
    const { grantId, secretId } = await fixture.grant();
    const resolved = await fixture.vault().resolveGrant('default', grantId);
    t.like(resolved.grant, { id: grantId, app: 'default', secretId, label: 'for tests', principal: { type: 'system' } });
    t.like(resolved.secret, { id: secretId, name: 'acme main', provider: 'acme', version: 1 });
    t.deepEqual(resolved.secret.origins, ['https://api.acme.test:443']);
    t.deepEqual(valuesOf(resolved), { token: VALUE });
  },
);

test(
  'a warm grant is the same frozen object, without a promise, a read or a new injection',
  withFixture,
  async (fixture: VaultFixture, t) => {
    const { grantId } = await fixture.grant();
    const vault = fixture.vault();
    const first = await vault.resolveGrant('default', grantId);
    const [reads, prepared] = [fixture.store.reads.length, fixture.prepared];
    const second = vault.resolveGrant('default', grantId);
    t.is(second, first);
    t.is(await vault.resolveGrant('default', grantId.toUpperCase()), first);
    t.true([first, first.grant, first.grant.policy, first.secret, first.secret.origins].every(Object.isFrozen));
    t.deepEqual([fixture.store.reads.length, fixture.prepared], [reads, prepared]);
  },
);

test('two grants on one secret share its injection', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId, secretId } = await fixture.grant();
  const another = await fixture.administration().issueGrant({ secret: secretId, label: 'another' });
  const vault = fixture.vault();
  const one = await vault.resolveGrant('default', grantId);
  const two = await vault.resolveGrant('default', another.id);
  t.not(one, two);
  t.is(one.injection, two.injection);
});

test('nothing that a vault hands out or is prints a value', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  const resolved = await vault.resolveGrant('default', grantId);
  for (const shown of [resolved, vault]) {
    t.false(inspect(shown, { depth: 20, showHidden: true, getters: true }).includes(VALUE));
    t.false(JSON.stringify(shown).includes(VALUE));
  }
});

test('an id that is no UUID is refused before the store is asked', withFixture, async (fixture: VaultFixture, t) => {
  const vault = fixture.vault();
  for (const id of ['', 'x', 'default:grant:1', '00000000-0000-4000-8000-00000000000:', '00000000-0000-4000-8000-0000000000001']) {
    t.is(await codeOf(() => vault.resolveGrant('default', id)), 'invalid_grant_id', id);
  }
  t.deepEqual(fixture.store.reads, []);
});

test("an absent grant, another app's and one of an app that is not served answer alike", withFixture, async (fixture: VaultFixture, t) => {
  fixture.keyring.add('other');
  const other = fixture.administration({ app: 'other' });
  const secret = await other.addSecret({ name: 'x', provider: 'acme', fields: { token: new Secret(VALUE) }, hosts: [] });
  const theirs = await other.issueGrant({ secret: secret.id, label: 'theirs' });
  const vault = fixture.vault();
  t.is(await codeOf(() => vault.resolveGrant('default', '11111111-1111-4111-8111-111111111111')), 'grant_not_found');
  t.is(await codeOf(() => vault.resolveGrant('default', theirs.id)), 'grant_not_found');
  t.is(await codeOf(() => vault.resolveGrant('other', theirs.id)), 'grant_not_found');
  t.is(await codeOf(() => fixture.vault({ apps: ['default', 'other'] }).resolveGrant('other', theirs.id)), 'none');
  t.deepEqual(fixture.warnings, []);
});

test('a grant ends at the very millisecond, cold and warm', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant({ ttlMs: 1000 });
  const vault = fixture.vault();
  fixture.now = START + 999;
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'none');
  fixture.now = START + 1000;
  t.is(t.throws(() => vault.resolveGrant('default', grantId), { instanceOf: AlterError }).code, 'grant_expired');
  t.is(await codeOf(() => fixture.vault().resolveGrant('default', grantId)), 'grant_expired');
});

test('a grant without an end does not expire', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  fixture.now = START * 2;
  t.is(await codeOf(() => fixture.vault().resolveGrant('default', grantId)), 'none');
});

test('revocation and deletion hold from the next call on', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant({ ttlMs: 1000 });
  const vault = fixture.vault();
  await vault.resolveGrant('default', grantId);
  await fixture.administration().revokeGrant(grantId);
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_revoked');
  t.is(t.throws(() => vault.resolveGrant('default', grantId), { instanceOf: AlterError }).code, 'grant_revoked', 'warm');
  fixture.now = START + 5000;
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_revoked', 'revoked says more than expired');
  await tamper(fixture, grantRef(grantId), { status: 'deleted' });
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_deleted');
  fixture.store.plant(grantRef(grantId), undefined);
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found');
});

test('a deleted, revoked or absent secret is a revoked credential', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId, secretId } = await fixture.grant();
  const vault = fixture.vault();
  await vault.resolveGrant('default', grantId);
  await tamper(fixture, secretRef(secretId), { status: 'revoked' });
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'credential_revoked');
  t.is(t.throws(() => vault.resolveGrant('default', grantId), { instanceOf: AlterError }).code, 'credential_revoked', 'warm');
  await fixture.administration().deleteSecret(secretId);
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'credential_revoked');
  fixture.store.plant(secretRef(secretId), undefined);
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'credential_revoked');
});

test('rotation holds from the next call on; the values are prepared once a version', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId, secretId } = await fixture.grant();
  const vault = fixture.vault();
  const before = await vault.resolveGrant('default', grantId);
  await fixture.administration().rotateSecret(secretId, { token: new Secret('rotated-value') });
  fixture.prepared = 0;
  const after = await vault.resolveGrant('default', grantId);
  t.is(after.secret.version, 2);
  t.deepEqual(valuesOf(after), { token: 'rotated-value' });
  t.deepEqual(valuesOf(before), { token: VALUE });
  t.is(await vault.resolveGrant('default', grantId), after);
  t.is(fixture.prepared, 1);
});

test('a grant reaches only a secret of its own app', withFixture, async (fixture: VaultFixture, t) => {
  fixture.keyring.add('other');
  const other = fixture.administration({ app: 'other' });
  const theirs = await other.addSecret({ name: 'x', provider: 'acme', fields: { token: new Secret(VALUE) }, hosts: [] });
  const { grantId, secretId } = await fixture.grant();
  const vault = fixture.vault({ apps: ['default', 'other'] });
  await tamper(fixture, grantRef(grantId), { secretId: theirs.id });
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'credential_revoked');
  fixture.store.plant(secretRef(theirs.id), fixture.store.peek(secretRef(theirs.id, 'other')));
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found:record_unreadable');
  await tamper(fixture, grantRef(grantId), { secretId });
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'none');
});

test(
  'a damaged grant or secret is denied, logged without content, and mended without a restart',
  withFixture,
  async (fixture: VaultFixture, t) => {
    const { grantId, secretId } = await fixture.grant();
    const vault = fixture.vault();
    for (const ref of [grantRef(grantId), secretRef(secretId)]) {
      const good = fixture.store.peek(ref) ?? '';
      const parts = good.split('.');
      const damaged = {
        bad_seal: [...parts.slice(0, 3), `${parts[3]?.startsWith('A') === true ? 'B' : 'A'}${parts[3]?.slice(1) ?? ''}`, parts[4]].join(
          '.',
        ),
        truncated: good.slice(0, -10),
        unknown_kid: await sealElsewhere(ref),
        wrong_kind: fixture.store.peek(ref.kind === 'grant' ? secretRef(secretId) : grantRef(grantId)) ?? '',
      };
      for (const [reason, text] of Object.entries(damaged)) {
        fixture.warnings.length = 0;
        fixture.store.plant(ref, text);
        t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found:record_unreadable', reason);
        t.is(fixture.warnings.length, 1);
        t.is(fixture.warnings[0]?.fields['reason'], reason);
        t.true(fixture.warnings[0]?.message.includes(ref.id));
        t.false(inspect(fixture.warnings, { depth: 9 }).includes(VALUE));
      }
      fixture.store.plant(ref, good);
      t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'none');
    }
  },
);

async function sealElsewhere(ref: RecordRef): Promise<string> {
  const elsewhere = new VaultFixture();
  const text = await seal(elsewhere.keyring, ref, { id: ref.id, app: 'default' });
  elsewhere.remove();
  return text;
}

test("one grant's record under another grant's id is denied", withFixture, async (fixture: VaultFixture, t) => {
  const { grantId, secretId } = await fixture.grant();
  const other = await fixture.administration().issueGrant({ secret: secretId, label: 'short', ttlMs: 1 });
  fixture.store.plant(grantRef(other.id), fixture.store.peek(grantRef(grantId)));
  t.is(await codeOf(() => fixture.vault().resolveGrant('default', other.id)), 'grant_not_found:record_unreadable');
  t.is(fixture.warnings[0]?.fields['reason'], 'wrong_ref');
});

test('records of a newer version or another shape are denied', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  await tamper(fixture, grantRef(grantId), { v: 2 });
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found:record_unreadable');
  await tamper(fixture, grantRef(grantId), { v: 1, status: 'paused' });
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found:record_unreadable');
  t.deepEqual(
    fixture.warnings.map(({ fields }) => fields['reason']),
    ['newer_version', 'bad_shape'],
  );
});

test('a rule that this version does not know stays in the grant, for the policy to deny', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  await tamper(fixture, grantRef(grantId), { policy: [{ kind: 'moon_phase', allow: ['full'] }] });
  const { grant } = await fixture.vault().resolveGrant('default', grantId);
  t.deepEqual(grant.policy as unknown, [{ kind: 'moon_phase', allow: ['full'] }]);
});

test('a custom provider of the app is found, and followed when it changes', withFixture, async (fixture: VaultFixture, t) => {
  const administration = fixture.administration();
  const template = { ...acme, slug: 'in-house', name: 'In-house' };
  await administration.addProvider(template);
  const secret = await administration.addSecret({ name: 'x', provider: 'in-house', fields: { token: new Secret(VALUE) }, hosts: [] });
  const { id } = await administration.issueGrant({ secret: secret.id, label: 'x' });
  const vault = fixture.vault();
  const first = await vault.resolveGrant('default', id);
  t.is(vault.resolveGrant('default', id), first, 'warm');
  await tamper(fixture, { kind: 'provider', app: 'default', id: 'in-house' }, { template: { ...template, name: 'Moved' } });
  t.deepEqual((await vault.resolveGrant('default', id)).injection.writes, ['template:Moved']);
});

test('a shipped template that was exchanged holds from the next call on', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  await vault.resolveGrant('default', grantId);
  fixture.catalogue.set('acme', { ...acme, name: 'Reloaded' });
  t.deepEqual((await vault.resolveGrant('default', grantId)).injection.writes, ['template:Reloaded']);
});

test('an unknown provider, an unreadable one and one that the fields do not fit deny', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  fixture.catalogue.set('acme', { ...acme, inject: [] });
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found:provider_mismatch');
  fixture.catalogue.delete('acme');
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found:provider_unknown');
  fixture.store.plant({ kind: 'provider', app: 'default', id: 'acme' }, 'garbage');
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'grant_not_found:record_unreadable');
  t.is(fixture.warnings.length, 3);
});

test('an API key is found by its fingerprint; what this keyring cannot open is no key', withFixture, async (fixture: VaultFixture, t) => {
  const { record } = await fixture.administration().createKey({ name: 'ci' });
  const vault = fixture.vault();
  t.like(await vault.findKey(record.id), { name: 'ci', app: 'default' });
  const warm = vault.findKey(record.id);
  t.false(warm instanceof Promise);
  t.is(await vault.findKey('0'.repeat(64)), undefined);
  const reads = fixture.store.reads.length;
  for (const id of ['', 'x:y', record.id.toUpperCase(), `${record.id}0`]) t.is(await vault.findKey(id), undefined);
  t.is(fixture.store.reads.length, reads, 'malformed ids do not reach the store');

  fixture.store.plant({ kind: 'key', id: '1'.repeat(64) }, await sealElsewhere({ kind: 'key', id: '1'.repeat(64) }));
  t.is(await vault.findKey('1'.repeat(64)), undefined);
  t.deepEqual(fixture.warnings, [], 'keys of other apps are nothing unusual');
  fixture.store.plant({ kind: 'key', id: '2'.repeat(64) }, fixture.store.peek({ kind: 'key', id: record.id }));
  t.is(await vault.findKey('2'.repeat(64)), undefined);
  t.is(fixture.warnings[0]?.fields['reason'], 'wrong_ref');
});

test('a key that did not exist is found as soon as it does', withFixture, async (fixture: VaultFixture, t) => {
  const elsewhere = new VaultFixture();
  t.teardown(() => {
    elsewhere.remove();
  });
  const { record } = await elsewhere.administration({ keyring: fixture.keyring }).createKey({ name: 'late' });
  const vault = fixture.vault();
  t.is(await vault.findKey(record.id), undefined);
  fixture.store.plant({ kind: 'key', id: record.id }, elsewhere.store.peek({ kind: 'key', id: record.id }));
  t.is((await vault.findKey(record.id))?.name, 'late');
});

test('revoking a key holds from the next call on', withFixture, async (fixture: VaultFixture, t) => {
  const { record } = await fixture.administration().createKey({ name: 'ci' });
  const vault = fixture.vault();
  t.is((await vault.findKey(record.id))?.status, 'active');
  await fixture.administration().revokeKey(record.prefix);
  t.is((await vault.findKey(record.id))?.status, 'revoked');
});

test('a kid that another process added is learned without a failed call', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  await vault.resolveGrant('default', grantId);
  for (let i = 0; i < 3; i++) {
    const operator = loadKeyring(fixture.file);
    operator.add('default');
    await fixture.administration({ keyring: operator }).rewrap();
    t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'none');
  }
  t.deepEqual(fixture.warnings, []);
});

test('by a clock that stands a minute before the grant was made, nothing can be judged', withFixture, async (fixture: VaultFixture, t) => {
  const { grantId } = await fixture.grant();
  const vault = fixture.vault();
  fixture.now = START - 60_000;
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'none');
  fixture.now -= 1;
  t.is(await codeOf(() => vault.resolveGrant('default', grantId)), 'policy_unavailable:clock', 'cold or warm');
});
