/** Contract: a revoked secret keeps its values and comes back; a deleted one has none and does not. */
import test from 'ava';
import { Secret } from '../../../src/secret/secret.ts';
import { open } from '../../../src/vault/sealing.ts';
import { START, VALUE, codeOf } from '../../support/vault-fixture.ts';
import { peopled } from '../../support/with-fixture.ts';

test('a revoked secret ends its grants until it is reactivated', peopled, async (t, administration, fixture) => {
  const grant = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const vault = fixture.vault();
  const use = () => codeOf(() => vault.resolveGrant('default', grant.id));
  t.is(await use(), 'none');
  fixture.now += 5;
  const revoked = await administration.revokeSecret('shared');
  t.like(revoked, { status: 'revoked', version: 1, updatedAt: START + 5 });
  t.is(await use(), 'credential_revoked');
  fixture.now += 5;
  t.deepEqual(await administration.revokeSecret('shared'), revoked);
  t.is(await codeOf(() => administration.issueGrant({ secret: 'shared', label: 'x' })), 'not_found');
  t.like(await administration.reactivateSecret('shared'), { status: 'active', version: 1, rotatedAt: START });
  t.is(await use(), 'none');
});

test('a revoked secret can be rotated, and stays revoked', peopled, async (t, administration, fixture) => {
  const { id } = await administration.revokeSecret('shared');
  t.like(await administration.rotateSecret('shared', { token: new Secret('new-value') }), { status: 'revoked', version: 2 });
  const ref = { kind: 'secret', app: 'default', id } as const;
  t.like(await open(fixture.keyring, ref, fixture.store.peek(ref) ?? ''), { fields: { token: 'new-value' }, status: 'revoked' });
});

test('a deleted secret stays deleted, whatever is done with it', peopled, async (t, administration) => {
  const deleted = await administration.deleteSecret('shared');
  t.deepEqual(await administration.revokeSecret('shared'), deleted);
  t.is(await codeOf(() => administration.reactivateSecret('shared')), 'not_found');
  t.is(await codeOf(() => administration.editSecret('shared', { maxTtlS: 1 })), 'not_found');
  t.is(await codeOf(() => administration.rotateSecret('shared', { token: new Secret(VALUE) })), 'not_found');
});

test('the longest life of grants is whole seconds above 0', peopled, async (t, administration) => {
  for (const maxTtlS of [0, -1, 0.5, NaN, Infinity])
    t.is(await codeOf(() => administration.editSecret('shared', { maxTtlS })), 'record_invalid', String(maxTtlS));
  const input = { name: 'own', provider: 'acme', fields: { token: new Secret(VALUE) }, hosts: [] };
  t.is(await codeOf(() => administration.addSecret({ ...input, maxTtlS: 0 })), 'record_invalid');
  t.is((await administration.addSecret({ ...input, maxTtlS: 60 })).maxTtlS, 60);
});
