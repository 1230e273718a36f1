/** Contract: a field that a provider calls optional may be left out of a secret; what is left out when it is rotated is gone, unless it is a setting or only some fields are rotated. */
import test from 'ava';
import type { ProviderTemplate } from '../../../src/providers/template.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { open } from '../../../src/vault/sealing.ts';
import { codeOf } from '../../support/vault-fixture.ts';
import { peopled } from '../../support/with-fixture.ts';

const template: ProviderTemplate = {
  slug: 'signed',
  name: 'Signed',
  category: 'test',
  hosts: ['api.signed.test'],
  fields: {
    id: { label: 'id', secret: false },
    key: { label: 'key', secret: true },
    token: { label: 'token', secret: true, optional: true },
    region: { label: 'region', secret: false, optional: true },
  },
  inject: [{ kind: 'sigv4', accessKeyId: '{id}', secretAccessKey: '{key}', sessionToken: '{token}', region: '{region}', maxBytes: 1000 }],
  confidence: 'high',
};

const secrets = (values: Readonly<Record<string, string>>): Record<string, Secret> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, new Secret(value)]));

test('optional fields of a stored provider may be left out, others may not', peopled, async (t, administration) => {
  await administration.addProvider(template);
  const add = (name: string, values: Readonly<Record<string, string>>) =>
    codeOf(() => administration.addSecret({ name, provider: 'signed', fields: secrets(values), hosts: [] }));
  t.is(await add('a', { id: 'i', key: 'k' }), 'none');
  t.is(await add('b', { id: 'i', key: 'k', token: 't', region: 'eu-central-1' }), 'none');
  t.is(await add('c', { id: 'i', token: 't' }), 'record_invalid');
});

test('a rotation drops a session token that is not given, and keeps a region', peopled, async (t, administration, fixture) => {
  await administration.addProvider(template);
  const fields = secrets({ id: 'i', key: 'k', token: 't', region: 'eu-central-1' });
  const { id } = await administration.addSecret({ name: 'a', provider: 'signed', fields, hosts: [] });
  const standing = async (): Promise<unknown> => {
    const ref = { kind: 'secret', app: 'default', id } as const;
    const record: unknown = await open(fixture.keyring, ref, fixture.store.peek(ref) ?? '');
    return (record as { readonly fields: unknown }).fields;
  };
  await administration.rotateSecret('a', secrets({ id: 'i2', key: 'k2' }));
  t.deepEqual(await standing(), { id: 'i2', key: 'k2', region: 'eu-central-1' });
  await administration.rotateSecret('a', secrets({ id: 'i3', key: 'k3', region: 'us-east-1' }));
  t.deepEqual(await standing(), { id: 'i3', key: 'k3', region: 'us-east-1' });
});

test(
  'fields that are rotated alone leave the others as they are; an empty one takes an optional field away',
  peopled,
  async (t, administration, fixture) => {
    await administration.addProvider(template);
    const fields = secrets({ id: 'i', key: 'k', token: 't', region: 'eu-central-1' });
    const { id } = await administration.addSecret({ name: 'a', provider: 'signed', fields, hosts: [] });
    const ref = { kind: 'secret', app: 'default', id } as const;
    const standing = () => open(fixture.keyring, ref, fixture.store.peek(ref) ?? '');
    const rotate = (values: Readonly<Record<string, string>>) => administration.rotateSecret('a', secrets(values), { others: 'kept' });
    t.is((await rotate({ key: 'k2' })).version, 2);
    t.like(await standing(), { fields: { id: 'i', key: 'k2', token: 't', region: 'eu-central-1' } });
    t.is((await rotate({ key: 'k3', token: '' })).version, 3);
    t.like(await standing(), { fields: { id: 'i', key: 'k3', token: undefined, region: 'eu-central-1' } });
    for (const wrong of [{}, { key: '' }, { other: 'x' }, { key: 'a\nb' }]) t.is(await codeOf(() => rotate(wrong)), 'record_invalid');
    t.is((await administration.showSecret('a')).version, 3);
  },
);
