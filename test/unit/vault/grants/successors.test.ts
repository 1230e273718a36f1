/** Contract: what comes from a grant never outlives it, and is linked with it; one id takes the place of another exactly once. */
import test from 'ava';
import type { GrantPrincipal } from '../../../../src/vault/records.ts';
import { START, codeOf } from '../../../support/vault-fixture.ts';
import { peopled } from '../../../support/with-fixture.ts';

const ann: GrantPrincipal = { type: 'user', idp: 'okta', subject: 'ann' };
const staff: GrantPrincipal = { type: 'group', idp: 'okta', group: 'staff' };
const GET = [{ kind: 'methods', allow: ['GET'] }] as const;

test(
  'a clone is for the same principal, under the same rules, and ends with its source at the latest',
  peopled,
  async (t, administration, fixture) => {
    const source = await administration.issueGrant({
      ...{ secret: 'shared', label: 'x', description: 'd', principal: ann, policy: GET, ttlMs: 1000 },
    });
    fixture.now += 10;
    const clone = await administration.cloneGrant(source.id);
    t.not(clone.id, source.id);
    t.deepEqual(clone, { ...source, id: clone.id, clonedFrom: source.id, createdAt: START + 10, updatedAt: START + 10 });
    t.like(await administration.cloneGrant(source.id, { label: 'y', ttlMs: 990 }), { label: 'y', expiresAt: START + 1000 });
    t.is(await codeOf(() => administration.cloneGrant(source.id, { ttlMs: 991 })), 'not_allowed');
    t.is(await codeOf(() => administration.cloneGrant(source.id, { expiresAt: START + 1001 })), 'not_allowed');
    t.deepEqual(await administration.showGrant(source.id), source);
    await administration.revokeGrant(source.id);
    t.is((await administration.showGrant(clone.id)).status, 'active', 'a clone has a life of its own');
    t.is(await codeOf(() => administration.cloneGrant(source.id)), 'not_allowed');
  },
);

test('a grant that has expired, or whose secret is gone, has no clone', peopled, async (t, administration, fixture) => {
  const source = await administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 1000 });
  const other = await administration.issueGrant({ secret: 'shared', label: 'x' });
  fixture.now += 1000;
  t.is(await codeOf(() => administration.cloneGrant(source.id)), 'not_allowed');
  await administration.revokeSecret('shared');
  t.is(await codeOf(() => administration.cloneGrant(other.id)), 'not_found');
});

test('for who is gone there is no further grant, as there is no first one', peopled, async (t, administration) => {
  const forBot = await administration.issueGrant({ secret: 'shared', label: 'x', principal: { type: 'agent', agent: 'bot' } });
  const forAnn = await administration.issueGrant({ secret: 'shared', label: 'x', principal: ann });
  await administration.agents.create({ name: 'bot2' });
  const delegation = await administration.delegateGrant(forAnn.id, { agent: 'bot2' });
  const clone = (id: string) => codeOf(() => administration.cloneGrant(id));
  const regenerate = (id: string) => codeOf(() => administration.regenerateGrant(id));
  await administration.agents.delete('bot');
  t.deepEqual([await clone(forBot.id), await regenerate(forBot.id)], ['not_found', 'not_found']);
  t.is(await codeOf(() => administration.delegateGrant(forAnn.id, { agent: 'bot' })), 'not_found');
  await administration.idps.delete('okta', { force: true });
  t.deepEqual([await clone(forAnn.id), await regenerate(forAnn.id), await clone(delegation.id)], ['not_found', 'not_found', 'not_found']);
  t.is(await codeOf(() => administration.delegateGrant(forAnn.id, { agent: 'bot2' })), 'not_found');
  t.is((await administration.listGrants()).length, 3);
});

test('a regenerated grant has another id; the old one is dead at once', peopled, async (t, administration, fixture) => {
  const old = await administration.issueGrant({ secret: 'shared', label: 'x', principal: ann, policy: GET, ttlMs: 1000 });
  const vault = fixture.vault();
  await vault.resolveGrant('default', old.id);
  fixture.now += 10;
  const { id, ...rest } = await administration.regenerateGrant(old.id);
  const { id: _id, ...before } = old;
  t.deepEqual(rest, { ...before, replaces: old.id, createdAt: START + 10, updatedAt: START + 10 });
  t.like(await administration.showGrant(old.id), { status: 'deleted', replacedBy: id });
  t.is(await codeOf(() => vault.resolveGrant('default', old.id)), 'grant_deleted');
  t.is((await vault.resolveGrant('default', id)).grant.id, id);
  t.is(await codeOf(() => administration.reactivateGrant(old.id)), 'not_allowed');
  t.is(await codeOf(() => administration.setPolicy({ at: 'grant', grant: old.id }, [])), 'not_allowed', 'it would hold nowhere');
});

test('with a grace the old id works until it is over, and nothing prolongs it', peopled, async (t, administration, fixture) => {
  const old = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const vault = fixture.vault();
  const { id } = await administration.regenerateGrant(old.id, { graceMs: 500 });
  t.like(await administration.showGrant(old.id), { status: 'active', replacedBy: id, expiresAt: START + 500 });
  fixture.now += 499;
  t.is(await codeOf(() => vault.resolveGrant('default', old.id)), 'none');
  fixture.now += 1;
  t.is(await codeOf(() => vault.resolveGrant('default', old.id)), 'grant_expired');
  t.is(await codeOf(() => vault.resolveGrant('default', id)), 'none');
  t.false('expiresAt' in (await administration.showGrant(id)), 'the new one has the expiry of before the grace');
  for (const edit of [{ ttlMs: 9000 }, { endless: true }, { expiresAt: START + 9000 }])
    t.is(await codeOf(() => administration.editGrant(old.id, edit)), 'not_allowed');
  for (const again of [() => administration.cloneGrant(old.id), () => administration.regenerateGrant(old.id)])
    t.is(await codeOf(again), 'not_allowed');
  await administration.revokeGrant(old.id);
  t.is(await codeOf(() => administration.reactivateGrant(old.id)), 'not_allowed');
});

test('a grace does not outlive the expiry that the grant had', peopled, async (t, administration) => {
  const old = await administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 100 });
  const { id, expiresAt } = await administration.regenerateGrant(old.id, { graceMs: 500 });
  t.is(expiresAt, START + 100);
  t.like(await administration.showGrant(old.id), { expiresAt: START + 100, replacedBy: id });
  t.is(await codeOf(() => administration.regenerateGrant(id, { graceMs: 0 })), 'record_invalid');
});

test('a grant that several regenerate at the same time has one successor', peopled, async (t, administration) => {
  const old = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const outcomes = await Promise.all(Array.from({ length: 4 }, () => codeOf(() => administration.regenerateGrant(old.id))));
  t.deepEqual(outcomes.sort(), ['none', 'not_allowed', 'not_allowed', 'not_allowed']);
  const grants = await administration.listGrants();
  const [successor, another] = grants.filter(({ replaces }) => replaces === old.id);
  t.is(another, undefined);
  t.is(grants.find(({ id }) => id === old.id)?.replacedBy, successor?.id);
});

test('what is changed of a grant while it is regenerated holds for its successor', peopled, async (t, administration, fixture) => {
  const old = await administration.issueGrant({ secret: 'shared', label: 'x', principal: ann });
  const { store } = fixture;
  const put = store.put.bind(store);
  store.put = async (ref, expected, value) => {
    const written = await put(ref, expected, value);
    if (ref.kind === 'grant' && ref.id !== old.id) {
      store.put = put;
      await administration.setPolicy({ at: 'grant', grant: old.id }, GET);
      await administration.editGrant(old.id, { ttlMs: 60_000 });
    }
    return written;
  };
  const successor = await administration.regenerateGrant(old.id);
  t.like(await administration.showGrant(successor.id), { policy: GET, expiresAt: START + 60_000, replaces: old.id, status: 'active' });
  t.like(await administration.showGrant(old.id), { status: 'deleted', replacedBy: successor.id });
  t.is((await administration.listGrants()).length, 2, 'nothing is left of the first attempt');
  t.deepEqual(
    (await fixture.changes()).filter(({ action }) => action === 'grant.regenerate').map(({ target }) => target),
    [successor.id],
  );
});

test('a grant that changes again and again is not regenerated', peopled, async (t, administration, fixture) => {
  const old = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const { store } = fixture;
  const put = store.put.bind(store);
  let version = 0;
  store.put = async (ref, expected, value) => {
    const written = await put(ref, expected, value);
    if (ref.kind === 'grant' && ref.id !== old.id && value !== undefined)
      await administration.editGrant(old.id, { label: `version ${String(++version)}` });
    return written;
  };
  t.is(await codeOf(() => administration.regenerateGrant(old.id)), 'record_conflict');
  t.like(await administration.listGrants(), { length: 1, 0: { id: old.id, label: `version ${String(version)}`, status: 'active' } });
});

test('the grant of a user or a group can be delegated to an agent, and ends no later', peopled, async (t, administration) => {
  for (const principal of [ann, staff]) {
    const source = await administration.issueGrant({ secret: 'shared', label: 'x', principal, policy: GET, ttlMs: 1000 });
    const delegation = await administration.delegateGrant(source.id, { agent: 'bot', ttlMs: 500, label: 'for the bot' });
    t.like(delegation, {
      ...{ principal: { type: 'agent', agent: 'bot' }, delegatedFrom: source.id, secretId: source.secretId },
      ...{ label: 'for the bot', policy: [], status: 'active', expiresAt: START + 500 },
    });
    t.is((await administration.delegateGrant(source.id, { agent: 'bot' })).expiresAt, START + 1000);
    t.is(await codeOf(() => administration.delegateGrant(source.id, { agent: 'bot', ttlMs: 1001 })), 'not_allowed');
    t.is(await codeOf(() => administration.delegateGrant(source.id, { agent: 'nobody' })), 'not_found');
    t.is(await codeOf(() => administration.delegateGrant(delegation.id, { agent: 'bot' })), 'not_allowed', 'one step is all');
    t.is(await codeOf(() => administration.editGrant(delegation.id, { ttlMs: 1001 })), 'not_allowed');
    t.is(await codeOf(() => administration.editGrant(delegation.id, { endless: true })), 'not_allowed');
    t.is(await codeOf(() => administration.editGrant(delegation.id, { ttlMs: 1000 })), 'none');
  }
});

test('only the grants of users and groups can be delegated', peopled, async (t, administration) => {
  for (const principal of [{ type: 'system' }, { type: 'agent', agent: 'bot' }] as const) {
    const source = await administration.issueGrant({ secret: 'shared', label: 'x', principal });
    t.is(await codeOf(() => administration.delegateGrant(source.id, { agent: 'bot' })), 'not_allowed');
  }
});

test('a clone of a delegation is a delegation of the same source, and ends no later than either', peopled, async (t, administration) => {
  const source = await administration.issueGrant({ secret: 'shared', label: 'x', principal: ann, ttlMs: 1000 });
  const delegation = await administration.delegateGrant(source.id, { agent: 'bot', ttlMs: 800 });
  t.like(await administration.cloneGrant(delegation.id), {
    ...{ delegatedFrom: source.id, clonedFrom: delegation.id, expiresAt: START + 800, principal: { type: 'agent', agent: 'bot' } },
  });
  t.is(await codeOf(() => administration.cloneGrant(delegation.id, { ttlMs: 801 })), 'not_allowed');
  await administration.editGrant(source.id, { ttlMs: 500 });
  t.is((await administration.cloneGrant(delegation.id)).expiresAt, START + 500);
  t.is(await codeOf(() => administration.cloneGrant(delegation.id, { ttlMs: 501 })), 'not_allowed');
  await administration.revokeGrant(source.id);
  t.is(await codeOf(() => administration.cloneGrant(delegation.id)), 'not_allowed');
});
