import test from 'ava';
import { addToHolder, holderId, removeFromHolder } from '../../../src/vault/holders.ts';
import { SealedRecords } from '../../../src/vault/sealed-records.ts';
import { START, VaultFixture } from '../../support/vault-fixture.ts';

const ALICE = { type: 'user', idp: 'corp', subject: 'alice' } as const;
const FIRST = { id: '11111111-1111-4111-8111-111111111111', provider: 'acme' };
const SECOND = { id: '22222222-2222-4222-8222-222222222222', provider: 'acme' };

async function held(records: SealedRecords): Promise<readonly string[] | undefined> {
  return (await records.read('holder', holderId(ALICE)))?.record.grants.map(({ id }) => id);
}

test('the grants of a user are listed once each, and taken off again', async (t) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  const records = new SealedRecords('default', fixture.store, fixture.keyring);
  t.is(await held(records), undefined);
  await addToHolder(records, ALICE, FIRST, START);
  await addToHolder(records, ALICE, SECOND, START + 1);
  await addToHolder(records, ALICE, FIRST, START + 2);
  t.deepEqual(await held(records), [FIRST.id, SECOND.id]);
  await removeFromHolder(records, ALICE, FIRST.id, START + 3);
  await removeFromHolder(records, ALICE, FIRST.id, START + 4);
  t.deepEqual(await held(records), [SECOND.id]);
});

test('grants that are issued at the same time are all listed', async (t) => {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  const records = new SealedRecords('default', fixture.store, fixture.keyring);
  const grants = [FIRST, SECOND, { ...FIRST, id: '33333333-3333-4333-8333-333333333333' }];
  await Promise.all(grants.map((grant) => addToHolder(records, ALICE, grant, START)));
  t.deepEqual([...((await held(records)) ?? [])].sort(), grants.map(({ id }) => id).sort());
});

test('users, groups and identity providers do not share a list; system and agent grants have none', (t) => {
  const ids = [
    holderId(ALICE),
    holderId({ ...ALICE, subject: 'alice2' }),
    holderId({ ...ALICE, idp: 'corp2' }),
    holderId({ type: 'group', idp: 'corp', group: 'alice' }),
    holderId({ type: 'user', idp: 'corpa', subject: 'lice' }),
  ];
  t.is(new Set(ids).size, ids.length);
  t.true(ids.every((id) => /^[0-9a-f]{64}$/.test(id)));
  t.is(holderId({ type: 'system' }), undefined);
  t.is(holderId({ type: 'agent', agent: 'alice' }), undefined);
});
