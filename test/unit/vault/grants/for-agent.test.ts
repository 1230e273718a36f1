/** Contract: an agent issues for itself only, on allowed secrets only, and the same request is the same grant. */
import test from 'ava';
import { Secret } from '../../../../src/secret/secret.ts';
import { verdict } from '../../../support/policy-facts.ts';
import { START, VALUE, codeOf } from '../../../support/vault-fixture.ts';
import { peopled } from '../../../support/with-fixture.ts';

test('an agent issues a grant for itself on a secret that it was allowed', peopled, async (t, administration, fixture) => {
  await administration.allowAgent('bot', 'shared');
  const { grant, issued } = await administration.issueGrantForAgent('bot', { secret: 'shared', label: 'job', ttlMs: 1000 });
  t.true(issued);
  t.like(grant, { principal: { type: 'agent', agent: 'bot' }, label: 'job', status: 'active', policy: [], expiresAt: START + 1000 });
  t.regex(grant.id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.is((await fixture.vault().resolveGrant('default', grant.id)).grant.id, grant.id);
  t.like((await fixture.changes()).at(-1), { action: 'grant.issue', target: grant.id, by: 'agent:bot' });
});

test(
  'a secret that was not allowed is refused like one that does not exist, and so is an agent that is not active',
  peopled,
  async (t, administration) => {
    const issue = (agent: string, secret: string) => codeOf(() => administration.issueGrantForAgent(agent, { secret, label: 'job' }));
    const message = async (secret: string) =>
      String(await administration.issueGrantForAgent('bot', { secret, label: 'job' }).catch((error: unknown) => error));
    t.is(await issue('bot', 'shared'), 'not_allowed');
    t.is(await message('shared'), await message('nothing'));
    await administration.allowAgent('bot', 'shared');
    t.is(await issue('nobody', 'shared'), 'not_allowed');
    t.is(await issue('Bot', 'shared'), 'not_allowed');
    await administration.agents.pause('bot');
    t.is(await issue('bot', 'shared'), 'not_allowed');
    await administration.agents.resume('bot');
    t.is(await issue('bot', 'shared'), 'none');
    await administration.disallowAgent('bot', 'shared');
    t.is(await issue('bot', 'shared'), 'not_allowed');
    await administration.allowAgent('bot', 'shared');
    await administration.revokeSecret('shared');
    t.is(await issue('bot', 'shared'), 'not_allowed');
    await administration.agents.delete('bot');
    t.is(await issue('bot', 'shared'), 'not_allowed');
  },
);

test('the same label is the same grant, however often and by however many it is asked for', peopled, async (t, administration, fixture) => {
  await administration.agents.create({ name: 'bot2' });
  await administration.addSecret({ name: 'own', provider: 'custom-bearer', fields: { token: new Secret(VALUE) }, hosts: ['own.test'] });
  for (const agent of ['bot', 'bot2']) for (const secret of ['shared', 'own']) await administration.allowAgent(agent, secret);
  const before = (await fixture.changes()).length;
  const answers = await Promise.all(
    Array.from({ length: 4 }, () => administration.issueGrantForAgent('bot', { secret: 'shared', label: 'job' })),
  );
  t.is(new Set(answers.map(({ grant }) => grant.id)).size, 1);
  t.is(answers.filter(({ issued }) => issued).length, 1);
  t.is((await fixture.changes()).length, before + 1);
  for (const [agent, secret, label] of [
    ['bot2', 'shared', 'job'],
    ['bot', 'own', 'job'],
    ['bot', 'shared', 'job2'],
  ] as const)
    t.true((await administration.issueGrantForAgent(agent, { secret, label })).issued);
  t.is((await administration.listGrants()).length, 4);
});

test('what has expired lives anew under its id; what the operator ended stays ended', peopled, async (t, administration, fixture) => {
  await administration.allowAgent('bot', 'shared');
  const issue = () => administration.issueGrantForAgent('bot', { secret: 'shared', label: 'job', ttlMs: 1000 });
  const { grant } = await issue();
  fixture.now += 999;
  t.false((await issue()).issued);
  fixture.now += 1;
  t.like(await issue(), { issued: true, grant: { id: grant.id, expiresAt: START + 2000 } });
  await administration.revokeGrant(grant.id);
  t.is(await codeOf(issue), 'not_allowed');
  await administration.reactivateGrant(grant.id);
  t.is(await codeOf(issue), 'none');
  await administration.deleteGrant(grant.id);
  t.is(await codeOf(issue), 'not_allowed');
});

test('what was regenerated is the last grant that took its place, also during the grace', peopled, async (t, administration, fixture) => {
  await administration.allowAgent('bot', 'shared');
  const issue = () => administration.issueGrantForAgent('bot', { secret: 'shared', label: 'job', ttlMs: 1000 });
  const first = (await issue()).grant;
  await administration.setPolicy({ at: 'grant', grant: first.id }, [{ kind: 'methods', allow: ['GET'] }]);
  const second = await administration.regenerateGrant(first.id, { graceMs: 500 });
  t.deepEqual([(await issue()).grant, (await issue()).issued], [second, false]);
  const third = await administration.regenerateGrant(second.id);
  t.deepEqual([(await issue()).grant, (await issue()).issued], [third, false]);
  fixture.now += 1000;
  t.like(await issue(), { issued: true, grant: { id: third.id, expiresAt: START + 2000, policy: third.policy } });
  t.is((await administration.listGrants()).length, 3);
  t.like((await fixture.changes()).at(-1), { action: 'grant.issue', target: third.id, by: 'agent:bot' });
  await administration.revokeGrant(third.id);
  t.is(await codeOf(issue), 'not_allowed');
  await administration.deleteGrant(third.id);
  t.is(await codeOf(issue), 'not_allowed');
});

test(
  'its record says that the agent issued it, as long as it lives; a grant that the operator makes does not',
  peopled,
  async (t, administration, fixture) => {
    await administration.allowAgent('bot', 'shared');
    const issue = async () => (await administration.issueGrantForAgent('bot', { secret: 'shared', label: 'job', ttlMs: 1000 })).grant;
    const grant = await issue();
    t.true(grant.selfIssued);
    t.true((await fixture.vault().resolveGrant('default', grant.id)).grant.selfIssued);
    t.is((await administration.cloneGrant(grant.id)).selfIssued, undefined);
    const next = await administration.regenerateGrant(grant.id);
    t.true(next.selfIssued);
    fixture.now += 1000;
    t.like(await issue(), { id: next.id, selfIssued: true });
    const principal = { type: 'agent', agent: 'bot' } as const;
    t.is((await administration.issueGrant({ secret: 'shared', label: 'job', principal })).selfIssued, undefined);
  },
);

test(
  'what the operator ended stays ended by its label; the end of the agent on the secret is disallow',
  peopled,
  async (t, administration) => {
    await administration.allowAgent('bot', 'shared');
    const issue = (label: string) => administration.issueGrantForAgent('bot', { secret: 'shared', label });
    const { grant } = await issue('job');
    await administration.revokeGrant(grant.id);
    t.is(await codeOf(() => issue('job')), 'not_allowed');
    t.is(await codeOf(() => issue('another')), 'none');
    await administration.disallowAgent('bot', 'shared');
    for (const label of ['job', 'another', 'third']) t.is(await codeOf(() => issue(label)), 'not_allowed', label);
  },
);

test('what lives anew counts as issued now, for the longest life and for rules on its age', peopled, async (t, administration, fixture) => {
  await administration.allowAgent('bot', 'shared');
  await administration.editSecret('shared', { maxTtlS: 60 });
  const issue = () => administration.issueGrantForAgent('bot', { secret: 'shared', label: 'job' });
  await issue();
  fixture.now += 90_000;
  const { grant } = await issue();
  t.is(verdict({ kind: 'ttl', max_seconds: 60 }, { now: fixture.now, grant: { ...grant, provider: 'acme' } }), 'allow');
  t.is((await administration.editGrant(grant.id, { ttlMs: 60_000 })).expiresAt, START + 150_000);
  t.is(await codeOf(() => administration.editGrant(grant.id, { ttlMs: 60_001 })), 'not_allowed');
});

test('an agent is bound by the longest life', peopled, async (t, administration) => {
  await administration.allowAgent('bot', 'shared');
  await administration.editSecret('shared', { maxTtlS: 60 });
  t.is(await codeOf(() => administration.issueGrantForAgent('bot', { secret: 'shared', label: 'x', ttlMs: 60_001 })), 'not_allowed');
  t.is((await administration.issueGrantForAgent('bot', { secret: 'shared', label: 'x' })).grant.expiresAt, START + 60_000);
});
