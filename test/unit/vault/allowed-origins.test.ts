import test from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { allowedOrigins, checkHostPatterns } from '../../../src/vault/allowed-origins.ts';
import type { ProviderTemplate } from '../../../src/providers/template.ts';
import { acme, generic, tenants } from '../../support/vault-fixture.ts';

function refused(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof CommandError && error.code === 'record_invalid') return error.message;
    throw error;
  }
  return 'none';
}

test("without hosts of the operator's own the provider's exact hosts are allowed, on 443 with TLS", (t) => {
  t.deepEqual(allowedOrigins({ ...acme, hosts: ['api.acme.test', 'eu.acme.test', '*.acme.test'] }, []), [
    'https://api.acme.test:443',
    'https://eu.acme.test:443',
  ]);
});

test('hosts are read in every spelling that has one meaning, and kept in one', (t) => {
  t.deepEqual(
    allowedOrigins(acme, ['API.Acme.test', 'api.acme.test:443', 'https://api.acme.test', 'api.acme.test:8443', 'http://api.acme.test']),
    ['https://api.acme.test:443', 'https://api.acme.test:8443', 'http://api.acme.test:80'],
  );
  t.deepEqual(allowedOrigins(generic, ['[::1]:8443', 'http://127.0.0.1:8080']), ['https://[::1]:8443', 'http://127.0.0.1:8080']);
});

test("a host that is none of the provider's is refused", (t) => {
  for (const host of ['evilacme.test', 'api.acme.test.evil.test', 'xapi.acme.test', 'acme.test', 'a.api.acme.test', '127.0.0.1']) {
    t.regex(
      refused(() => allowedOrigins(acme, [host])),
      /is not a host of provider acme; add a custom provider/,
      host,
    );
  }
});

test('a tenant wildcard is pinned to an exact host under it', (t) => {
  t.deepEqual(allowedOrigins(tenants, ['me.tenants.test']), ['https://me.tenants.test:443']);
  t.deepEqual(allowedOrigins(tenants, ['eu.me.tenants.test']), ['https://eu.me.tenants.test:443']);
  t.regex(
    refused(() => allowedOrigins(tenants, [])),
    /your own exact host under \*\.tenants\.test/,
  );
  for (const host of ['tenants.test', 'eviltenants.test', 'me.tenants.test.evil.test'])
    t.regex(
      refused(() => allowedOrigins(tenants, [host])),
      /is not a host/,
      host,
    );
  for (const host of ['*.tenants.test', '.tenants.test'])
    t.regex(
      refused(() => allowedOrigins(tenants, [host])),
      /is not an exact host/,
      host,
    );
});

const named: ProviderTemplate = {
  ...tenants,
  slug: 'named',
  hosts: ['{tenant}.named.test', 'api-{tenant}.named.test:8443', '*.other.test'],
  fields: { ...tenants.fields, tenant: { label: 'Tenant', secret: false } },
};

test('a host that names the tenant is pinned by the value of its field, in lower case; wildcards are not', (t) => {
  t.deepEqual(allowedOrigins(named, [], { tenant: 'Acme' }), ['https://acme.named.test:443', 'https://api-acme.named.test:8443']);
  t.regex(
    refused(() => allowedOrigins(named, [])),
    /\{tenant\}\.named\.test needs the field tenant/,
  );
  for (const tenant of [
    'evil.com/',
    'evil.com/x',
    'evil.com#',
    'a.b',
    'a.',
    '%61',
    'a%2eb',
    'bücher',
    'a@b',
    'a:1',
    '',
    '*',
    '__proto__',
  ]) {
    t.regex(
      refused(() => allowedOrigins(named, [], { tenant })),
      /the value of tenant cannot stand in the host \{tenant\}\.named\.test: it must be one DNS label/,
      tenant,
    );
  }
  t.regex(
    refused(() => allowedOrigins(named, [], Object.create({ tenant: 'inherited' }) as Record<string, string>)),
    /needs the field tenant/,
  );
});

test('a host of the operator stands for all of them, and fits one of them', (t) => {
  t.deepEqual(allowedOrigins(named, ['me.named.test', 'a.b.other.test']), ['https://me.named.test:443', 'https://a.b.other.test:443']);
  for (const host of ['a.b.named.test', 'named.test', 'evilnamed.test', 'me.named.test.evil.test', 'api.x.test']) {
    t.regex(
      refused(() => allowedOrigins(named, [host])),
      /is not a host of provider named/,
      host,
    );
  }
});

test('a provider without hosts needs one', (t) => {
  t.regex(
    refused(() => allowedOrigins(generic, [])),
    /has no host of its own/,
  );
  t.deepEqual(allowedOrigins(generic, ['anything.test']), ['https://anything.test:443']);
});

test('what has more than one reading is no exact host', (t) => {
  for (const host of [
    '',
    'a b',
    'api.acme.test.',
    'user@api.acme.test',
    'api.acme.test/x',
    'ftp://api.acme.test',
    'api.acme.test:0',
    'a\nb',
    '0x7f.1',
  ]) {
    t.regex(
      refused(() => allowedOrigins(generic, [host])),
      /is not an exact host/,
      host,
    );
  }
});

test('host patterns of a custom provider are exact hosts or wildcards that are not too broad', (t) => {
  const check = (host: string): string =>
    refused(() => {
      checkHostPatterns({ ...acme, hosts: [host] });
    });
  for (const host of ['api.x.test', '*.x.test', 'localhost']) t.is(check(host), 'none', host);
  for (const host of ['*.test', '*', '*.', 'a.*.test', '*.*.test', '*.x.test:443', 'api.x.test/']) t.not(check(host), 'none', host);
});
