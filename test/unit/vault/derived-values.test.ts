/** Contract: what a derived credential is made of is checked when it is stored, and its tenant is pinned; a provider with a wrong derivation is none. */
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { prepareOffline } from '../../../src/inject/prepare.ts';
import { parseProvider } from '../../../src/providers/parse.ts';
import type { ProviderTemplate } from '../../../src/providers/template.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { rsaPair, secrets } from '../../support/derived.ts';
import { codeOf, VaultFixture } from '../../support/vault-fixture.ts';

const OWN = `slug: own
name: Own
category: test
hosts: [api.example.com]
fields:
  tenant: { label: Tenant, secret: false }
  client_secret: { label: Secret }
  scope: { label: Scope, secret: false, optional: true }
derive:
  oauth2_client_credentials:
    token_url: https://{tenant}.auth.example.com/token
    client_id: me
    client_secret: '{client_secret}'
    scope: '{scope}'
inject:
  - bearer: '{access_token}'
confidence: low
`;
const APP = `slug: app
name: App
category: test
hosts: [api.example.com]
fields:
  key: { label: Key, multiline: true }
derive:
  github_app: { app_id: '1', private_key: '{key}', installation_id: '2' }
inject:
  - bearer: '{access_token}'
confidence: low
`;

async function administrationWith(t: ExecutionContext, ...templates: readonly ProviderTemplate[]) {
  const fixture = new VaultFixture();
  t.teardown(() => {
    fixture.remove();
  });
  const administration = fixture.administration({ prepare: prepareOffline });
  for (const template of templates) await administration.addProvider(template);
  return administration;
}

test('optional fields may be missing, others not; the credential goes to the hosts of the API only', async (t) => {
  const administration = await administrationWith(t, parseProvider(OWN, 'own.yaml'));
  const add = (name: string, values: Readonly<Record<string, string>>) =>
    administration.addSecret({ name, provider: 'own', fields: secrets(values), hosts: [] });
  t.deepEqual((await add('one', { tenant: 'acme', client_secret: 's' })).origins, ['https://api.example.com:443']);
  t.is(await codeOf(() => add('two', { tenant: 'acme' })), 'record_invalid');
  t.is(await codeOf(() => add('two', { client_secret: 's' })), 'record_invalid');
  t.is(await codeOf(() => add('two', { tenant: 'a.b', client_secret: 's' })), 'record_invalid');
  t.is(await codeOf(() => add('two', { tenant: 'acme', client_secret: 's', scope: 'a\nb' })), 'record_invalid');
  t.is(await codeOf(() => add('two', { tenant: 'acme', client_secret: 's', access_token: 'x' })), 'record_invalid');
});

test('the tenant of the token endpoint cannot change when a secret is rotated', async (t) => {
  const administration = await administrationWith(t, parseProvider(OWN, 'own.yaml'));
  await administration.addSecret({ name: 'one', provider: 'own', fields: secrets({ tenant: 'acme', client_secret: 's' }), hosts: [] });
  t.is(await codeOf(() => administration.rotateSecret('one', secrets({ tenant: 'evil', client_secret: 's' }))), 'record_invalid');
  t.is((await administration.rotateSecret('one', secrets({ client_secret: 'other' }))).version, 2);
});

test('a key of several lines is stored, and one that signs nothing is not', async (t) => {
  const administration = await administrationWith(t, parseProvider(APP, 'app.yaml'));
  const add = (name: string, key: string) =>
    administration.addSecret({ name, provider: 'app', fields: { key: new Secret(key) }, hosts: [] });
  const { pkcs8 } = rsaPair();
  t.is((await add('one', pkcs8)).version, 1);
  t.is((await add('two', pkcs8.replaceAll('\n', '\r\n'))).version, 1);
  t.is(await codeOf(() => add('three', 'no key')), 'record_invalid');
  t.is(await codeOf(() => add('three', `${pkcs8}\0`)), 'record_invalid');
});

test('a custom provider whose derivation cannot work is refused, however it comes', async (t) => {
  const { derive, ...rest } = parseProvider(OWN, 'own.yaml');
  if (derive?.kind !== 'oauth2_client_credentials') throw new Error('another kind');
  for (const wrong of [
    { ...derive, tokenUrl: 'https://{tenant}/token' },
    { ...derive, tokenUrl: 'https://{client_secret}.auth.example.com/token' },
    { ...derive, tokenUrl: 'http://auth.example.com/token' },
    { ...derive, clientSecret: '{nobody}' },
    { ...derive, kind: 'later' },
    { ...derive, auth: 'jwt' },
  ]) {
    const given = { ...rest, derive: wrong } as ProviderTemplate;
    t.is(await codeOf(() => administrationWith(t, given)), 'record_invalid', JSON.stringify(wrong));
  }
  await administrationWith(t, { ...rest, derive });
  t.pass();
});
