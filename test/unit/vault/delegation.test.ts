/** Contract: a delegation is worth nothing without its source, from the next call on; the warm path asks no store and makes no promise. */
import test from 'ava';
import type { GrantPrincipal } from '../../../src/vault/records.ts';
import { open, seal } from '../../../src/vault/sealing.ts';
import type { Administration } from '../../../src/vault/administration.ts';
import type { RecordRef } from '../../../src/store/store.ts';
import { codeOf, type VaultFixture } from '../../support/vault-fixture.ts';
import { peopled } from '../../support/with-fixture.ts';

const ann: GrantPrincipal = { type: 'user', idp: 'okta', subject: 'ann' };

async function delegated(administration: Administration) {
  const source = await administration.issueGrant({ secret: 'shared', label: 'source', principal: ann, ttlMs: 10_000 });
  const delegation = await administration.delegateGrant(source.id, { agent: 'bot', ttlMs: 5000 });
  return { source: source.id, delegation: delegation.id };
}

/** Opens the grant, changes it and puts it back, as somebody with the master key could. */
async function tamper(fixture: VaultFixture, id: string, changes: Record<string, unknown>): Promise<void> {
  const ref: RecordRef = { kind: 'grant', app: 'default', id };
  const record = await open(fixture.keyring, ref, fixture.store.peek(ref) ?? '');
  fixture.store.plant(ref, await seal(fixture.keyring, ref, { ...record, ...changes }));
}

test('a delegation resolves with its source; warm, without a promise or a read', peopled, async (t, administration, fixture) => {
  const { source, delegation } = await delegated(administration);
  const vault = fixture.vault();
  const first = await vault.resolveGrant('default', delegation);
  t.like(first, { grant: { id: delegation }, source: { id: source, principal: ann } });
  const reads = fixture.store.reads.length;
  t.is(vault.resolveGrant('default', delegation), first);
  t.is(fixture.store.reads.length, reads);
  t.true(Object.isFrozen(first));
  t.false('source' in (await vault.resolveGrant('default', source)));
});

test('whatever ends the source ends the delegation from the next call on, and says so', peopled, async (t, administration, fixture) => {
  const { source, delegation } = await delegated(administration);
  const vault = fixture.vault();
  const use = () => codeOf(() => vault.resolveGrant('default', delegation));
  t.is(await use(), 'none');
  await administration.revokeGrant(source);
  t.is(await use(), 'grant_revoked:delegation_source');
  t.is((await vault.endOfGrant('default', delegation))?.code, 'grant_revoked', 'what is under way ends, too');
  await administration.reactivateGrant(source);
  t.is(await use(), 'none');
  await administration.editGrant(source, { ttlMs: 100 });
  fixture.now += 100;
  t.is(await use(), 'grant_expired:delegation_source');
  await administration.editGrant(source, { ttlMs: 5000 });
  t.is(await use(), 'none');
  await administration.deleteGrant(source);
  t.is(await use(), 'grant_deleted:delegation_source');
});

test('a delegation ends without touching its source', peopled, async (t, administration, fixture) => {
  const { source, delegation } = await delegated(administration);
  const vault = fixture.vault();
  await administration.revokeGrant(delegation);
  t.is(await codeOf(() => vault.resolveGrant('default', delegation)), 'grant_revoked');
  t.is(await codeOf(() => vault.resolveGrant('default', source)), 'none');
  await administration.reactivateGrant(delegation);
  fixture.now += 5000;
  t.is(await codeOf(() => vault.resolveGrant('default', delegation)), 'grant_expired');
  t.is(await codeOf(() => vault.resolveGrant('default', source)), 'none');
});

test('a source that was regenerated takes its delegations with it', peopled, async (t, administration, fixture) => {
  const { source, delegation } = await delegated(administration);
  await administration.regenerateGrant(source);
  t.is(await codeOf(() => fixture.vault().resolveGrant('default', delegation)), 'grant_deleted:delegation_source');
});

test('a revoked or rotated secret holds for delegations', peopled, async (t, administration, fixture) => {
  const { delegation } = await delegated(administration);
  const vault = fixture.vault();
  await vault.resolveGrant('default', delegation);
  await administration.revokeSecret('shared');
  t.is(await codeOf(() => vault.resolveGrant('default', delegation)), 'credential_revoked');
});

test('a chain that no administration makes is refused', peopled, async (t, administration, fixture) => {
  const { source, delegation } = await delegated(administration);
  const use = () => codeOf(() => fixture.vault().resolveGrant('default', delegation));
  const other = await administration.issueGrant({ secret: 'shared', label: 'x' });
  for (const changes of [
    { principal: { type: 'system' } },
    { principal: { type: 'agent', agent: 'bot' } },
    { secretId: `ms_${'0'.repeat(26)}` },
    { delegatedFrom: other.id },
  ]) {
    await tamper(fixture, source, { principal: ann, secretId: other.secretId, delegatedFrom: undefined, ...changes });
    t.is(await use(), 'grant_not_found:delegation_broken', JSON.stringify(changes));
  }
  await tamper(fixture, source, { principal: ann, secretId: other.secretId, delegatedFrom: undefined });
  t.is(await use(), 'none');
  await tamper(fixture, delegation, { principal: ann });
  t.is(await use(), 'grant_not_found:delegation_broken');
  await tamper(fixture, delegation, { principal: { type: 'agent', agent: 'bot' }, delegatedFrom: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11' });
  t.is(await use(), 'grant_deleted:delegation_source');
});
