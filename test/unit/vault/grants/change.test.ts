/** Contract: a revoked grant comes back, a deleted one never; an edit changes texts and expiry within the bounds, and nothing else. */
import test from 'ava';
import { START, codeOf } from '../../../support/vault-fixture.ts';
import { peopled } from '../../../support/with-fixture.ts';

test('a revoked grant can be reactivated; both may be repeated', peopled, async (t, administration, fixture) => {
  const grant = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const vault = fixture.vault();
  fixture.now += 1;
  const revoked = await administration.revokeGrant(grant.id);
  t.deepEqual(revoked, { ...grant, status: 'revoked', updatedAt: START + 1 });
  t.is(await codeOf(() => vault.resolveGrant('default', grant.id)), 'grant_revoked');
  fixture.now += 1;
  t.deepEqual(await administration.revokeGrant(grant.id), revoked);
  t.deepEqual(await administration.reactivateGrant(grant.id), { ...grant, updatedAt: START + 2 });
  t.is((await vault.resolveGrant('default', grant.id)).grant.status, 'active');
  fixture.now += 1;
  t.is((await administration.reactivateGrant(grant.id)).updatedAt, START + 2);
});

test('a deleted grant is a tombstone: nothing brings it back or changes it', peopled, async (t, administration, fixture) => {
  const grant = await administration.issueGrant({ secret: 'shared', label: 'x' });
  fixture.now += 1;
  const deleted = await administration.deleteGrant(grant.id);
  t.deepEqual(deleted, { ...grant, status: 'deleted', updatedAt: START + 1 });
  t.is(await codeOf(() => fixture.vault().resolveGrant('default', grant.id)), 'grant_deleted');
  fixture.now += 1;
  t.deepEqual(await administration.deleteGrant(grant.id), deleted);
  t.deepEqual(await administration.revokeGrant(grant.id), deleted);
  t.is(await codeOf(() => administration.reactivateGrant(grant.id)), 'not_allowed');
  t.is(await codeOf(() => administration.editGrant(grant.id, { label: 'y' })), 'not_allowed');
  t.is(await codeOf(() => administration.cloneGrant(grant.id)), 'not_allowed');
  t.is(await codeOf(() => administration.regenerateGrant(grant.id)), 'not_allowed');
});

test('label, description and expiry can be edited', peopled, async (t, administration, fixture) => {
  const grant = await administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 1000 });
  fixture.now += 10;
  const edited = await administration.editGrant(grant.id, { label: 'y', description: 'more', ttlMs: 5000 });
  t.deepEqual(edited, { ...grant, label: 'y', description: 'more', expiresAt: START + 5010, updatedAt: START + 10 });
  fixture.now += 10;
  t.deepEqual(await administration.editGrant(grant.id, { label: 'y' }), edited, 'nothing to do');
  t.is((await administration.editGrant(grant.id, { expiresAt: START + 99 })).expiresAt, START + 99);
  const { description, ...bare } = await administration.editGrant(grant.id, { description: '', endless: true });
  t.is(description, undefined);
  t.false('expiresAt' in bare);
  for (const edit of [{ label: '' }, { description: 'a\nb' }, { ttlMs: 0 }, { ttlMs: 1, endless: true }, { expiresAt: START }])
    t.is(await codeOf(() => administration.editGrant(grant.id, edit)), 'record_invalid', JSON.stringify(edit));
});

test('an edit does not outlive the longest life, counted from the issue', peopled, async (t, administration, fixture) => {
  await administration.editSecret('shared', { maxTtlS: 60 });
  const grant = await administration.issueGrant({ secret: 'shared', label: 'x', ttlMs: 1000 });
  fixture.now += 30_000;
  t.is(await codeOf(() => administration.editGrant(grant.id, { ttlMs: 30_001 })), 'not_allowed');
  t.is((await administration.editGrant(grant.id, { ttlMs: 30_000 })).expiresAt, START + 60_000);
  t.is(await codeOf(() => administration.editGrant(grant.id, { endless: true })), 'not_allowed');
  t.is(await codeOf(() => administration.editGrant(grant.id, { label: 'still editable' })), 'none');
});

test('an unknown grant is not found, whatever is done with it', peopled, async (t, administration) => {
  for (const id of ['', 'x', '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11']) {
    const actions = [
      () => administration.revokeGrant(id),
      () => administration.reactivateGrant(id),
      () => administration.deleteGrant(id),
      () => administration.editGrant(id, { label: 'x' }),
      () => administration.editGrant(id, { ttlMs: 1 }),
      () => administration.cloneGrant(id),
      () => administration.regenerateGrant(id),
      () => administration.delegateGrant(id, { agent: 'bot' }),
      () => administration.viewGrant(id),
    ];
    for (const action of actions) t.is(await codeOf(action), 'not_found');
  }
});
