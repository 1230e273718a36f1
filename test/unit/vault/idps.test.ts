import test from 'ava';
import { addToHolder } from '../../../src/vault/holders.ts';
import { publicKeysOf } from '../../../src/vault/idps.ts';
import type { NewIdp } from '../../../src/vault/idps.ts';
import { SealedRecords } from '../../../src/vault/sealed-records.ts';
import { makeSigningKey } from '../../support/idp-keys.ts';
import { failureOf } from '../../support/refusal.ts';
import { START, VaultFixture, codeOf } from '../../support/vault-fixture.ts';

const CORP: NewIdp = { slug: 'corp', issuer: 'https://login.corp.test', audiences: ['my-app'], jwks: { kind: 'discovery' } };

function fixtureOf(t: { teardown(clean: () => void): void }): VaultFixture {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  return fixture;
}

test('an identity provider has safe defaults', async (t) => {
  const { idps } = fixtureOf(t).administration();
  const added = await idps.add(CORP);
  t.like(added, { id: 'corp', subjectClaim: 'sub', groupsClaim: 'groups', createdAt: START });
  t.false(added.algorithms.some((name) => name.startsWith('HS') || name === 'none'));
  t.deepEqual(await idps.show('corp'), added);
  t.deepEqual(await idps.list(), [added]);
});

test('what would take foreign tokens, or keys from anywhere, is refused', async (t) => {
  const { idps } = fixtureOf(t).administration();
  const changes: Partial<NewIdp>[] = [
    { slug: 'Corp' },
    { issuer: '' },
    { issuer: 'http://login.corp.test' },
    { issuer: 'https://user:password@login.corp.test' },
    { issuer: 'login.corp.test' },
    { audiences: [] },
    { audiences: [''] },
    { algorithms: [] },
    { algorithms: ['none'] },
    { algorithms: ['RS256', 'HS256'] },
    { jwks: { kind: 'url', url: 'http://login.corp.test/jwks' } },
    { jwks: { kind: 'url', url: 'file:///etc/passwd' } },
    { subjectClaim: '' },
    { groupsClaim: 'a..b' },
  ];
  for (const change of changes) t.is(await codeOf(() => idps.add({ ...CORP, ...change })), 'record_invalid', JSON.stringify(change));
  t.deepEqual(await idps.list(), []);
  t.is(await codeOf(() => idps.add({ ...CORP, issuer: 'corp', jwks: { kind: 'url', url: 'https://login.corp.test/jwks' } })), 'none');
});

test('a slug and an issuer are given once each', async (t) => {
  const { idps } = fixtureOf(t).administration();
  await idps.add(CORP);
  t.is(await codeOf(() => idps.add({ ...CORP, issuer: 'https://other.test' })), 'record_exists');
  t.is(await codeOf(() => idps.add({ ...CORP, slug: 'corp2' })), 'record_exists');
  t.is(await codeOf(() => idps.add({ ...CORP, slug: 'corp2', issuer: 'https://login.corp.test/' })), 'none');
});

test('a JWKS file gives its public keys, and is refused with any other', async (t) => {
  const { publicJwk, privateJwk } = await makeSigningKey('one');
  t.deepEqual(publicKeysOf({ keys: [publicJwk], more: 1 }), { kind: 'inline', keys: [publicJwk] });
  const secret = { kty: 'oct', k: 'c2VjcmV0', kid: 'mac' };
  for (const keys of [[privateJwk], [publicJwk, privateJwk], [secret], [], {}, [1], [{ kty: 'oct' }], [{}], undefined]) {
    const { code, message } = failureOf(() => publicKeysOf({ keys }));
    t.is(code, 'record_invalid', JSON.stringify(keys));
    t.false(message.includes('c2VjcmV0') || message.includes(String(privateJwk.d)));
  }
  for (const document of [null, [], 'text', 7]) t.is(failureOf(() => publicKeysOf(document)).code, 'record_invalid');
});

test('an identity provider whose users hold grants is deleted only by force', async (t) => {
  const fixture = fixtureOf(t);
  const { idps } = fixture.administration();
  await idps.add(CORP);
  const { grantId } = await fixture.grant({ ttlMs: 1000 });
  const records = new SealedRecords('default', fixture.store, fixture.keyring);
  const principal = { type: 'user', idp: 'corp', subject: 'alice' } as const;
  await addToHolder(records, principal, { id: grantId, provider: 'acme' }, START);
  await records.update('grant', grantId, (record) => ({ ...record, principal }));
  t.is(await codeOf(() => idps.delete('corp')), 'not_allowed');
  await idps.delete('corp', { force: true });
  t.is(await codeOf(() => idps.show('corp')), 'not_found');
  await idps.add(CORP);
  fixture.now += 1000;
  t.is(await codeOf(() => idps.delete('corp')), 'none');
  t.is(await codeOf(() => idps.delete('corp')), 'not_found');
});

test("another app's identity providers are not there, and their issuers are free", async (t) => {
  const fixture = fixtureOf(t);
  fixture.keyring.add('other');
  await fixture.administration({ app: 'other' }).idps.add(CORP);
  const { idps } = fixture.administration();
  t.deepEqual(await idps.list(), []);
  t.is(await codeOf(() => idps.delete('corp', { force: true })), 'not_found');
  t.is((await idps.add(CORP)).app, 'default');
});
