import test from 'ava';
import { Secret } from '../../../src/secret/secret.ts';
import { VALUE, acme, codeOf } from '../../support/vault-fixture.ts';
import { peopled } from '../../support/with-fixture.ts';

const token = { token: new Secret(VALUE) };

test('a custom provider goes with all its secrets, and leaves the others alone', peopled, async (t, administration, fixture) => {
  await administration.addProvider({ ...acme, slug: 'mine' });
  for (const name of ['one', 'two']) await administration.addSecret({ name, provider: 'mine', fields: token, hosts: [] });
  await administration.revokeSecret('two');
  const grant = await administration.issueGrant({ secret: 'one', label: 'x' });
  const kept = await administration.issueGrant({ secret: 'shared', label: 'x' });
  const vault = fixture.vault();
  t.is(await codeOf(() => vault.resolveGrant('default', grant.id)), 'none');
  const { withdrawn, secrets } = await administration.deleteProvider('mine');
  t.true(withdrawn);
  t.deepEqual(secrets.map(({ name, status }) => [name, status]).sort(), [
    ['one', 'deleted'],
    ['two', 'deleted'],
  ]);
  t.is(await codeOf(() => administration.showProvider('mine')), 'not_found');
  t.is(await codeOf(() => vault.resolveGrant('default', grant.id)), 'credential_revoked');
  t.is(await codeOf(() => vault.resolveGrant('default', kept.id)), 'none');
  t.is(await codeOf(() => administration.deleteProvider('mine')), 'not_found');
});

test('a shipped provider loses its secrets and stays in the catalogue', peopled, async (t, administration) => {
  const { withdrawn, secrets } = await administration.deleteProvider('acme');
  t.false(withdrawn);
  t.deepEqual(
    secrets.map(({ name }) => name),
    ['shared'],
  );
  t.is((await administration.showProvider('acme')).template.slug, 'acme');
  t.deepEqual((await administration.deleteProvider('acme')).secrets, []);
});
