/** Contract: every filter lets exactly what it says pass, the status is what the grant is worth now, and pages join to the whole list. */
import test from 'ava';
import { Secret } from '../../../../src/secret/secret.ts';
import { samePrincipal } from '../../../../src/vault/grants/find.ts';
import type { GrantFilter } from '../../../../src/vault/grants/find.ts';
import type { GrantPrincipal } from '../../../../src/vault/records.ts';
import { START, VALUE, codeOf } from '../../../support/vault-fixture.ts';
import { peopled } from '../../../support/with-fixture.ts';

const PRINCIPALS: readonly GrantPrincipal[] = [
  { type: 'system' },
  { type: 'user', idp: 'okta', subject: 'ann' },
  { type: 'user', idp: 'okta', subject: 'ANN' },
  { type: 'user', idp: 'other', subject: 'ann' },
  { type: 'group', idp: 'okta', group: 'ann' },
  { type: 'group', idp: 'other', group: 'ann' },
  { type: 'agent', agent: 'ann' },
  { type: 'agent', agent: 'ann2' },
];

test('a principal is the same as itself and as no other', (t) => {
  for (const [i, one] of PRINCIPALS.entries())
    for (const [j, other] of PRINCIPALS.entries()) t.is(samePrincipal(one, other), i === j, JSON.stringify([one, other]));
});

test('each filter chooses the grants that it says', peopled, async (t, administration, fixture) => {
  await administration.addSecret({ name: 'own', provider: 'custom-bearer', fields: { token: new Secret(VALUE) }, hosts: ['own.test'] });
  const ann: GrantPrincipal = { type: 'user', idp: 'okta', subject: 'ann' };
  const issue = (label: string, more: object = {}) => {
    fixture.now += 1;
    return administration.issueGrant({ secret: 'shared', label, ...more });
  };
  await issue('plain');
  await issue('other secret', { secret: 'own' });
  const held = await issue('for Ann', { principal: ann });
  await issue('for the bot', { principal: { type: 'agent', agent: 'bot' } });
  await issue('short', { ttlMs: 1000 });
  await issue('longer', { ttlMs: 5000 });
  await administration.revokeGrant((await issue('revoked')).id);
  await administration.deleteGrant((await issue('deleted')).id);
  await administration.delegateGrant(held.id, { agent: 'bot', label: 'delegated' });
  const labels = async (filter: GrantFilter) => (await administration.findGrants(filter)).grants.map(({ grant }) => grant.label);
  t.is((await labels({})).length, 9);
  t.deepEqual(await labels({ secret: 'own' }), ['other secret']);
  t.deepEqual(await labels({ provider: 'custom-bearer' }), ['other secret']);
  t.deepEqual(await labels({ provider: 'custom' }), []);
  t.deepEqual(await labels({ principal: ann }), ['for Ann']);
  t.deepEqual(await labels({ principal: { ...ann, idp: 'other' } }), []);
  t.deepEqual(await labels({ principalType: 'agent' }), ['for the bot', 'delegated']);
  t.deepEqual(await labels({ label: 'FOR' }), ['for Ann', 'for the bot']);
  t.deepEqual(await labels({ status: ['revoked', 'deleted'] }), ['revoked', 'deleted']);
  t.deepEqual(await labels({ expiringWithinMs: 1000 }), ['short']);
  t.deepEqual(await labels({ expiringWithinMs: 990 }), []);
  t.deepEqual(await labels({ status: ['active'], label: 'o', principalType: 'system' }), ['other secret', 'short', 'longer']);
  t.is(await codeOf(() => administration.findGrants({ secret: 'nobody' })), 'not_found');
  fixture.now += 2000;
  t.deepEqual(await labels({ status: ['expired'] }), ['short']);
  t.deepEqual(await labels({ expiringWithinMs: 3000 }), ['longer']);
});

test('the status says what a grant is worth, whatever its own record says', peopled, async (t, administration, fixture) => {
  const source = await administration.issueGrant({
    secret: 'shared',
    label: 'x',
    principal: { type: 'user', idp: 'okta', subject: 'ann' },
  });
  fixture.now += 1;
  const { id } = await administration.delegateGrant(source.id, { agent: 'bot' });
  const status = async () => (await administration.viewGrant(id)).status;
  const listed = async () => (await administration.findGrants({})).grants.map((view) => view.status);
  t.is(await status(), 'active');
  await administration.revokeGrant(source.id);
  t.is(await status(), 'source_ended');
  t.deepEqual(await listed(), ['revoked', 'source_ended']);
  await administration.reactivateGrant(source.id);
  t.is(await status(), 'active');
  await administration.editGrant(source.id, { ttlMs: 10 });
  fixture.now += 10;
  t.is(await status(), 'source_ended');
  await administration.editGrant(source.id, { endless: true });
  await administration.revokeSecret('shared');
  t.is(await status(), 'credential_revoked');
  await administration.reactivateSecret('shared');
  await administration.deleteGrant(source.id);
  t.is(await status(), 'source_ended');
  await administration.revokeGrant(id);
  t.is(await status(), 'revoked');
});

test('a grant ends with its agent and with its identity provider', peopled, async (t, administration, fixture) => {
  const issue = async (label: string, principal: GrantPrincipal) => {
    fixture.now += 1;
    return (await administration.issueGrant({ secret: 'shared', label, principal })).id;
  };
  await issue('system', { type: 'system' });
  await issue('agent', { type: 'agent', agent: 'bot' });
  const user = await issue('user', { type: 'user', idp: 'okta', subject: 'ann' });
  await issue('group', { type: 'group', idp: 'okta', group: 'staff' });
  await administration.agents.create({ name: 'other' });
  fixture.now += 1;
  const delegation = (await administration.delegateGrant(user, { agent: 'other', label: 'delegation' })).id;
  const ended = async (filter: GrantFilter = {}) =>
    (await administration.findGrants(filter)).grants.flatMap(({ grant, status }) =>
      status === 'active' ? [] : `${grant.label} ${status}`,
    );
  t.deepEqual(await ended(), []);
  // A pause is to be taken back, and whoever chooses active grants meanwhile means these, too.
  await administration.agents.pause('bot');
  t.deepEqual(await ended(), []);
  await administration.agents.delete('bot');
  t.deepEqual(await ended(), ['agent principal_ended']);
  await administration.idps.delete('okta', { force: true });
  t.deepEqual(await ended(), ['agent principal_ended', 'user principal_ended', 'group principal_ended', 'delegation source_ended']);
  t.deepEqual(await ended({ status: ['source_ended'], principalType: 'agent' }), ['delegation source_ended']);
  t.is((await administration.viewGrant(delegation)).status, 'source_ended');
  t.is((await administration.viewGrant(user)).status, 'principal_ended');
  await administration.agents.delete('other');
  t.is((await administration.viewGrant(delegation)).status, 'principal_ended');
  t.deepEqual(await ended({ status: ['active'] }), []);
  await administration.revokeGrant(user);
  t.is((await administration.viewGrant(user)).status, 'revoked');
});

test('a listing reads each agent and identity provider once, and none that no grant needs', peopled, async (t, administration, fixture) => {
  const kindsRead = async () => {
    const before = fixture.store.reads.length;
    await administration.findGrants({});
    return fixture.store.reads.slice(before).map((ref) => ref.split(':')[1]);
  };
  await administration.issueGrant({ secret: 'shared', label: 'x' });
  t.deepEqual((await kindsRead()).sort(), ['grant', 'secret']);
  for (const label of ['a', 'b', 'c']) {
    await administration.issueGrant({ secret: 'shared', label, principal: { type: 'agent', agent: 'bot' } });
    await administration.issueGrant({ secret: 'shared', label, principal: { type: 'user', idp: 'okta', subject: label } });
  }
  t.deepEqual((await kindsRead()).filter((kind) => kind !== 'grant').sort(), ['agent', 'idp', 'secret']);
});

test('uses and the last use stand beside the grant', peopled, async (t, administration, fixture) => {
  const one = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const other = await administration.issueGrant({ secret: 'shared', label: 'y' });
  await fixture.store.addUses('default', [{ id: one.id, count: 3, lastAt: START + 5 }]);
  t.like(await administration.viewGrant(one.id), { uses: 3, lastUsedAt: START + 5 });
  t.like(await administration.viewGrant(other.id), { uses: 0, lastUsedAt: undefined });
});

test('pages join to the whole list, also while grants come and end', peopled, async (t, administration, fixture) => {
  for (let n = 0; n < 7; n++) {
    fixture.now += n % 2;
    await administration.issueGrant({ secret: 'shared', label: String(n) });
  }
  const all = (await administration.findGrants({})).grants.map(({ grant }) => grant.id);
  const paged: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await administration.findGrants({}, { limit: 3, ...(cursor === undefined ? {} : { cursor }) });
    paged.push(...page.grants.map(({ grant }) => grant.id));
    ({ cursor } = page);
    if (cursor !== undefined) await administration.deleteGrant(cursor);
  } while (cursor !== undefined);
  t.deepEqual(paged, all);
  t.is((await administration.findGrants({}, { limit: 7 })).cursor, undefined);
  t.is(await codeOf(() => administration.findGrants({}, { cursor: 'x' })), 'not_found');
});
