/** Contract: agents, identity providers and holders are cached like grants, also that a holder is absent, and never served when they may be old. */
import test from 'ava';
import { addToHolder, holderId, removeFromHolder } from '../../../src/vault/holders.ts';
import { SealedRecords } from '../../../src/vault/sealed-records.ts';
import type { Vault } from '../../../src/vault/vault.ts';
import { VaultFixture, codeOf } from '../../support/vault-fixture.ts';

const ISSUER = 'https://login.corp.test';
const ALICE = { type: 'user', idp: 'corp', subject: 'alice' } as const;
const GRANT = { id: '11111111-1111-4111-8111-111111111111', provider: 'acme' };

interface Open {
  readonly fixture: VaultFixture;
  readonly vault: Vault;
  readonly records: SealedRecords;
}

function open(t: { teardown(clean: () => void): void }): Open {
  const fixture = new VaultFixture();
  const vault = fixture.vault();
  t.teardown(() => {
    vault.close();
    fixture.remove();
  });
  return { fixture, vault, records: new SealedRecords('default', fixture.store, fixture.keyring) };
}

test('an agent is found without a promise when it is warm, and anew after a change', async (t) => {
  const { fixture, vault } = open(t);
  const { agents } = fixture.administration();
  t.is(await vault.access.findAgent('default', 'reporter'), undefined);
  await agents.create({ name: 'reporter' });
  t.like(await vault.access.findAgent('default', 'reporter'), { status: 'active' });
  const reads = fixture.store.reads.length;
  t.like(vault.access.findAgent('default', 'reporter'), { status: 'active' });
  t.is(fixture.store.reads.length, reads);
  await agents.pause('reporter');
  t.like(await vault.access.findAgent('default', 'reporter'), { status: 'paused' });
});

test('what is not served, or cannot be a name, is not there', async (t) => {
  const { fixture, vault } = open(t);
  fixture.keyring.add('other');
  await fixture.administration({ app: 'other' }).agents.create({ name: 'theirs' });
  t.is(await vault.access.findAgent('other', 'theirs'), undefined);
  t.is(await vault.access.findAgent('default', 'theirs'), undefined);
  t.is(await vault.access.findAgent('default', 'a:b'), undefined);
  t.is(await vault.access.findIdp('default', 'a:b'), undefined);
  t.deepEqual(await vault.access.idpsOfIssuer('other', ISSUER), []);
});

test('identity providers are found by their issuer, anew after each change of one', async (t) => {
  const { fixture, vault } = open(t);
  const { idps } = fixture.administration();
  const slugs = async (): Promise<readonly string[]> => (await vault.access.idpsOfIssuer('default', ISSUER)).map(({ id }) => id);
  t.deepEqual(await slugs(), []);
  await idps.add({ slug: 'corp', issuer: ISSUER, audiences: ['a'], jwks: { kind: 'discovery' } });
  await idps.add({ slug: 'near', issuer: `${ISSUER}/`, audiences: ['a'], jwks: { kind: 'discovery' } });
  t.deepEqual(await slugs(), ['corp']);
  t.false(vault.access.idpsOfIssuer('default', ISSUER) instanceof Promise);
  t.is(vault.access.findIdp('default', 'corp'), await vault.access.findIdp('default', 'corp'));
  await idps.delete('corp');
  t.deepEqual(await slugs(), []);
});

test('that a holder is absent is remembered, until there is one', async (t) => {
  const { fixture, vault, records } = open(t);
  const id = holderId(ALICE);
  t.is(await vault.access.findHolder('default', id), undefined);
  const reads = fixture.store.reads.length;
  t.is(vault.access.findHolder('default', id), undefined);
  t.is(fixture.store.reads.length, reads);
  await addToHolder(records, ALICE, GRANT, 1);
  t.deepEqual((await vault.access.findHolder('default', id))?.grants, [GRANT]);
  await removeFromHolder(records, ALICE, GRANT.id, 2);
  t.deepEqual((await vault.access.findHolder('default', id))?.grants, []);
});

test('a holder that appears while its absence is on the way is not hidden by it', async (t) => {
  const { fixture, vault, records } = open(t);
  const id = holderId(ALICE);
  const release = fixture.store.holdAnswers();
  const first = vault.access.findHolder('default', id);
  release();
  await addToHolder(records, ALICE, GRANT, 1);
  await first;
  t.deepEqual((await vault.access.findHolder('default', id))?.grants, [GRANT]);
});

test('without the channel each look-up asks the store, and without the store it denies', async (t) => {
  const { fixture, vault, records } = open(t);
  await fixture.administration().agents.create({ name: 'reporter' });
  await addToHolder(records, ALICE, GRANT, 1);
  const lookups = [
    () => vault.access.findAgent('default', 'reporter'),
    () => vault.access.findHolder('default', holderId(ALICE)),
    () => vault.access.findHolder('default', holderId({ ...ALICE, subject: 'bob' })),
    () => vault.access.idpsOfIssuer('default', ISSUER),
  ];
  for (const lookup of lookups) await lookup();
  fixture.store.alive = false;
  for (const lookup of lookups) {
    const asked = lookup();
    t.true(asked instanceof Promise);
    await asked;
  }
  fixture.store.failing = true;
  for (const lookup of lookups) t.is(await codeOf(lookup), 'store_unavailable');
});

test('a record that does not open is not there, and the log says so', async (t) => {
  const { fixture, vault } = open(t);
  fixture.store.plant({ kind: 'agent', app: 'default', id: 'reporter' }, 'not a sealed record');
  t.is(await vault.access.findAgent('default', 'reporter'), undefined);
  t.is(fixture.warnings[0]?.fields['record'], 'default:agent:reporter');
});
