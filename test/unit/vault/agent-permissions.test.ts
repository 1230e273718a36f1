import test from 'ava';
import { START, codeOf } from '../../support/vault-fixture.ts';
import { peopled } from '../../support/with-fixture.ts';

test('a permission is given and taken once, and each change is recorded', peopled, async (t, administration, fixture) => {
  const { id } = await administration.showSecret('shared');
  const before = (await fixture.changes()).length;
  fixture.now += 1;
  t.like(await administration.allowAgent('bot', 'shared'), { id: 'bot', mayIssue: [id], updatedAt: START + 1 });
  t.deepEqual((await administration.allowAgent('bot', id)).mayIssue, [id]);
  t.deepEqual((await administration.disallowAgent('bot', 'shared')).mayIssue, []);
  t.deepEqual((await administration.disallowAgent('bot', 'shared')).mayIssue, []);
  t.deepEqual(
    (await fixture.changes()).slice(before).map(({ action, target, links }) => [action, target, links]),
    [
      ['agent.allow', 'bot', { secret: id }],
      ['agent.disallow', 'bot', { secret: id }],
    ],
  );
});

test('permissions at the same time are all given', peopled, async (t, administration) => {
  const names = ['a', 'b', 'c', 'd'];
  const { provider } = await administration.showSecret('shared');
  t.is(provider, 'acme');
  for (const name of names) await administration.agents.create({ name });
  await Promise.all(names.map((name) => administration.allowAgent(name, 'shared')));
  const agents = await administration.agents.list();
  t.is(agents.filter(({ mayIssue }) => mayIssue.length === 1).length, 4);
});

test('agents and secrets that are not there are not found', peopled, async (t, administration) => {
  t.is(await codeOf(() => administration.allowAgent('nobody', 'shared')), 'not_found');
  t.is(await codeOf(() => administration.allowAgent('Bot', 'shared')), 'not_found');
  t.is(await codeOf(() => administration.allowAgent('bot', 'nothing')), 'not_found');
  await administration.agents.delete('bot');
  t.is(await codeOf(() => administration.allowAgent('bot', 'shared')), 'not_found');
});
