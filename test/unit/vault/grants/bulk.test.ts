/** Contract: what cannot be done is told and hinders nothing else, and a dry run changes nothing and tells the same. */
import test from 'ava';
import type { BulkResult } from '../../../../src/vault/grants/bulk.ts';
import { START, codeOf } from '../../../support/vault-fixture.ts';
import { peopled } from '../../../support/with-fixture.ts';

const codes = (results: readonly BulkResult[]) =>
  results.map((result) => (result.ok ? (result.changed ? 'changed' : 'unchanged') : result.error.code));

const MIXED = [
  { secret: 'shared', label: 'good' },
  { secret: 'nobody', label: 'no secret' },
  { secret: 'shared', label: 'bad\nlabel' },
  { secret: 'shared', label: 'no user', principal: { type: 'user', idp: 'other', subject: 'ann' } },
  { secret: 'shared', label: 'for ann', principal: { type: 'user', idp: 'okta', subject: 'ann' }, ttlMs: 1000 },
] as const;
const MIXED_CODES = ['changed', 'not_found', 'record_invalid', 'not_found', 'changed'];

test('of many grants, those that can be are issued', peopled, async (t, administration, fixture) => {
  t.deepEqual(codes(await administration.issueGrants(MIXED, { dryRun: true })), MIXED_CODES);
  t.deepEqual(await administration.listGrants(), []);
  const before = (await fixture.changes()).length;
  t.deepEqual(codes(await administration.issueGrants(MIXED)), MIXED_CODES);
  t.deepEqual((await administration.listGrants()).map(({ label }) => label).sort(), ['for ann', 'good']);
  t.is((await fixture.changes()).length, before + 2);
});

test('what failed is told with its id and label, as far as they are known', peopled, async (t, administration) => {
  t.like((await administration.issueGrants(MIXED, { dryRun: true }))[1], { ok: false, label: 'no secret' });
  const { id } = await administration.issueGrant({ secret: 'shared', label: 'gone' });
  await administration.deleteGrant(id);
  const [deleted, unknown] = await administration.changeGrants([id, 'x'], 'reactivate');
  t.like(deleted, { ok: false, id, label: 'gone' });
  t.like(unknown, { ok: false, id: 'x', label: undefined });
});

test('of many grants, those that can be are changed', peopled, async (t, administration) => {
  const [one, two, three] = await Promise.all(['1', '2', '3'].map((label) => administration.issueGrant({ secret: 'shared', label })));
  if (one === undefined || two === undefined || three === undefined) throw new Error('three grants');
  await administration.deleteGrant(two.id);
  await administration.revokeGrant(three.id);
  const ids = [one.id, 'x', two.id, three.id];
  const expected = ['changed', 'not_found', 'unchanged', 'unchanged'];
  t.deepEqual(codes(await administration.changeGrants(ids, 'revoke', { dryRun: true })), expected);
  t.is((await administration.showGrant(one.id)).status, 'active');
  t.deepEqual(codes(await administration.changeGrants(ids, 'revoke')), expected);
  t.is((await administration.showGrant(one.id)).status, 'revoked');
  t.deepEqual(codes(await administration.changeGrants(ids, 'reactivate')), ['changed', 'not_found', 'not_allowed', 'changed']);
  const edit = { edit: { ttlMs: 500 } };
  const dry = await administration.changeGrants(ids, edit, { dryRun: true });
  t.deepEqual(codes(dry), ['changed', 'not_found', 'not_allowed', 'changed']);
  t.is(dry[0]?.ok === true ? dry[0].grant.expiresAt : undefined, START + 500);
  t.false('expiresAt' in (await administration.showGrant(one.id)));
  t.deepEqual(codes(await administration.changeGrants(ids, edit)), ['changed', 'not_found', 'not_allowed', 'changed']);
  t.is((await administration.showGrant(one.id)).expiresAt, START + 500);
});

test('a store that is down is an error of each item, not of the whole', peopled, async (t, administration, fixture) => {
  const { id } = await administration.issueGrant({ secret: 'shared', label: 'x' });
  fixture.store.failing = true;
  t.deepEqual(codes(await administration.changeGrants([id, id], 'revoke')), ['store_unreachable', 'store_unreachable']);
  fixture.store.failing = false;
  t.is(await codeOf(() => administration.showGrant(id)), 'none');
});
