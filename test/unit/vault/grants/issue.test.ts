/** Contract: a grant is issued for a principal that exists, within the longest life of its secret and of the configuration, and recorded. */
import test from 'ava';
import { holderId } from '../../../../src/vault/holders.ts';
import type { GrantPrincipal } from '../../../../src/vault/records.ts';
import { open } from '../../../../src/vault/sealing.ts';
import { START, codeOf } from '../../../support/vault-fixture.ts';
import { peopled } from '../../../support/with-fixture.ts';

const ann: GrantPrincipal = { type: 'user', idp: 'okta', subject: '00u:ann' };
const staff: GrantPrincipal = { type: 'group', idp: 'okta', group: 'staff' };
const bot: GrantPrincipal = { type: 'agent', agent: 'bot' };

test('a grant is for the system unless a user, a group or an agent is named', peopled, async (t, administration) => {
  t.deepEqual((await administration.issueGrant({ secret: 'shared', label: 'x' })).principal, { type: 'system' });
  for (const principal of [ann, staff, bot]) {
    const grant = await administration.issueGrant({ secret: 'shared', label: 'x', description: 'why it is there', principal });
    t.like(grant, { principal, status: 'active', description: 'why it is there' });
    t.deepEqual(await administration.showGrant(grant.id), grant);
  }
});

test('a principal that cannot exist has no grant', peopled, async (t, administration) => {
  const issue = (principal: GrantPrincipal) => codeOf(() => administration.issueGrant({ secret: 'shared', label: 'x', principal }));
  t.is(await issue({ ...ann, idp: 'other' }), 'not_found');
  t.is(await issue({ ...staff, idp: 'Okta' }), 'not_found');
  t.is(await issue({ ...ann, subject: '' }), 'record_invalid');
  t.is(await issue({ ...staff, group: 'a\nb' }), 'record_invalid');
  t.is(await issue({ type: 'agent', agent: 'nobody' }), 'not_found');
  t.is(await issue({ type: 'agent', agent: 'Bot' }), 'not_found');
  await administration.agents.pause('bot');
  t.is(await issue(bot), 'none');
  await administration.agents.delete('bot');
  t.is(await issue(bot), 'not_found');
  t.is((await administration.listGrants()).length, 1);
});

test('what a user or a group holds is listed, and no longer once it is deleted', peopled, async (t, administration, fixture) => {
  const held = async (principal: GrantPrincipal) => {
    const ref = { kind: 'holder', app: 'default', id: holderId(principal) ?? '' } as const;
    return ((await open(fixture.keyring, ref, fixture.store.peek(ref) ?? '')) as unknown as { grants: unknown }).grants;
  };
  const first = await administration.issueGrant({ secret: 'shared', label: 'x', principal: ann });
  const second = await administration.cloneGrant(first.id);
  t.deepEqual(await held(ann), [
    { id: first.id, provider: 'acme' },
    { id: second.id, provider: 'acme' },
  ]);
  await administration.revokeGrant(second.id);
  const third = await administration.regenerateGrant(first.id);
  t.deepEqual(await held(ann), [
    { id: second.id, provider: 'acme' },
    { id: third.id, provider: 'acme' },
  ]);
  await administration.deleteGrant(second.id);
  t.deepEqual(await held(ann), [{ id: third.id, provider: 'acme' }]);
  const fourth = await administration.regenerateGrant(third.id, { graceMs: 1000 });
  t.deepEqual(await held(ann), [{ id: fourth.id, provider: 'acme' }], 'the old id works on, for who names it');
});

test('the longest life of the secret is the default and the bound, and new grants only are bound', peopled, async (t, administration) => {
  const before = await administration.issueGrant({ secret: 'shared', label: 'before' });
  t.is((await administration.editSecret('shared', { maxTtlS: 60 })).maxTtlS, 60);
  t.is((await administration.issueGrant({ secret: 'shared', label: 'x' })).expiresAt, START + 60_000);
  t.is((await administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 60_000 })).expiresAt, START + 60_000);
  t.is((await administration.issueGrant({ secret: 'shared', label: 'x', expiresAt: START + 1 })).expiresAt, START + 1);
  t.is(await codeOf(() => administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 60_001 })), 'not_allowed');
  t.is(await codeOf(() => administration.issueGrant({ secret: 'shared', label: 'x', expiresAt: START + 60_001 })), 'not_allowed');
  t.false('expiresAt' in (await administration.showGrant(before.id)));
  await administration.editSecret('shared', { maxTtlS: 'none' });
  t.false('expiresAt' in (await administration.issueGrant({ secret: 'shared', label: 'x' })));
});

test('the longest life of the configuration holds for every secret', peopled, async (t, _administration, fixture) => {
  const administration = fixture.administration({ maxTtlMs: 30_000 });
  t.is((await administration.issueGrant({ secret: 'shared', label: 'x' })).expiresAt, START + 30_000);
  t.is(await codeOf(() => administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 30_001 })), 'not_allowed');
  await administration.editSecret('shared', { maxTtlS: 60 });
  t.is(await codeOf(() => administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 30_001 })), 'not_allowed');
  await administration.editSecret('shared', { maxTtlS: 10 });
  t.is((await administration.issueGrant({ secret: 'shared', label: 'x' })).expiresAt, START + 10_000);
});

test('a description is checked like a label', peopled, async (t, administration) => {
  for (const description of ['', 'a\nb', 'x'.repeat(129)])
    t.is(await codeOf(() => administration.issueGrant({ secret: 'shared', label: 'x', description })), 'record_invalid', description);
});
