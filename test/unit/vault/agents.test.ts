import test from 'ava';
import { START, VaultFixture, codeOf } from '../../support/vault-fixture.ts';

function fixtureOf(t: { teardown(clean: () => void): void }): VaultFixture {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  return fixture;
}

test('names are lower case, and each is given once, also after a deletion', async (t) => {
  const { agents } = fixtureOf(t).administration();
  t.like(await agents.create({ name: 'mail-sorter.2', description: 'sorts' }), {
    id: 'mail-sorter.2',
    status: 'active',
    description: 'sorts',
  });
  for (const wrong of ['', 'Reporter', 'a b', 'a:b', '-a', 'ä', 'a'.repeat(65)]) {
    t.is(await codeOf(() => agents.create({ name: wrong })), 'record_invalid', wrong);
  }
  t.is(await codeOf(() => agents.create({ name: 'mail-sorter.2' })), 'record_exists');
  await agents.delete('mail-sorter.2');
  t.is(await codeOf(() => agents.create({ name: 'mail-sorter.2' })), 'record_exists');
  t.is(await codeOf(() => agents.create({ name: 'x', description: '\n' })), 'record_invalid');
});

test('an agent is paused and resumed, and a deleted one neither', async (t) => {
  const fixture = fixtureOf(t);
  const { agents } = fixture.administration();
  await agents.create({ name: 'reporter' });
  fixture.now += 1;
  t.like(await agents.pause('reporter'), { status: 'paused', updatedAt: START + 1 });
  fixture.now += 1;
  t.like(await agents.pause('reporter'), { status: 'paused', updatedAt: START + 1 });
  t.is((await agents.resume('reporter')).status, 'active');
  t.is((await agents.delete('reporter')).status, 'deleted');
  t.is((await agents.delete('reporter')).status, 'deleted');
  for (const action of [() => agents.pause('reporter'), () => agents.resume('reporter')]) t.is(await codeOf(action), 'not_allowed');
  t.is((await agents.show('reporter')).status, 'deleted');
  for (const action of [() => agents.show('nobody'), () => agents.pause('nobody'), () => agents.delete('No:body')]) {
    t.is(await codeOf(action), 'not_found');
  }
});

test('with an agent go its keys, and no others', async (t) => {
  const administration = fixtureOf(t).administration();
  for (const name of ['reporter', 'reporter2']) await administration.agents.create({ name });
  const names = [
    { name: 'one', agent: 'reporter' },
    { name: 'two', agent: 'reporter' },
    { name: 'near', agent: 'reporter2' },
    { name: 'reporter' },
  ];
  for (const key of names) await administration.createKey(key);
  await administration.deprecateKey('two');
  await administration.agents.delete('reporter');
  const states = (await administration.listKeys()).map(({ name, status }) => `${name} ${status}`);
  t.deepEqual(states.sort(), ['near active', 'one revoked', 'reporter active', 'two revoked']);
});

test("another app's agents are not there", async (t) => {
  const fixture = fixtureOf(t);
  fixture.keyring.add('other');
  await fixture.administration({ app: 'other' }).agents.create({ name: 'theirs' });
  const { agents } = fixture.administration();
  t.deepEqual(await agents.list(), []);
  t.is(await codeOf(() => agents.show('theirs')), 'not_found');
  t.is(await codeOf(() => agents.delete('theirs')), 'not_found');
  t.is((await agents.create({ name: 'theirs' })).app, 'default');
});
