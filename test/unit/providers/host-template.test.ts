/** Contract: a tenant's name becomes a part of a host and nothing else; what is covered by a host of a provider is decided label by label. */
import test from 'ava';
import { coversHost, hostFault, hostFields, hostValue } from '../../../src/providers/host-template.ts';

const ONE: { readonly secret: boolean; readonly labels?: number } = { secret: false };
const THREE = { secret: false, labels: 3 };
const FIELDS = { tenant: ONE, cluster: THREE, token: { secret: true } };

test('fields of hosts are found in order, each once', (t) => {
  t.deepEqual(hostFields({ hosts: ['{b}.example.com', 'api.example.com', '{a}-{b}.example.com', '*.example.com'] }), ['b', 'a']);
});

for (const value of ['acme', 'a', '7', 'acme-eu', 'xn--bcher-kva', 'a'.repeat(63)]) {
  test(`${value.slice(0, 20)} can stand in a host`, (t) => {
    t.is(hostValue(value, ONE), value);
  });
}

test('upper case is the same host in lower case', (t) => {
  t.is(hostValue('ACME-Eu', ONE), 'acme-eu');
});

for (const value of [
  '',
  'evil.com/',
  'evil.com/x?',
  'evil.com#',
  'evil.com:443',
  'a@evil.com',
  'a.b',
  '.a',
  'a.',
  'a..b',
  '%61cme',
  'acme%2eevil',
  'a b',
  'a\n',
  '\ta',
  'a_b',
  '-a',
  'a-',
  'bücher',
  '\u212aacme',
  'acme\u3002evil',
  'ａｃｍｅ',
  '{tenant}',
  '*',
  'a\\b',
  '[::1]',
  'a'.repeat(64),
]) {
  test(`${JSON.stringify(value.slice(0, 20))} cannot stand in a host`, (t) => {
    t.is(hostValue(value, ONE), undefined);
  });
}

test('as many labels as the field says, and no more', (t) => {
  for (const value of ['a', 'a.b', 'a.b.c']) t.is(hostValue(value, THREE), value);
  for (const value of ['a.b.c.d', 'a..b', '.a', 'a.', 'a.-b']) t.is(hostValue(value, THREE), undefined, value);
});

for (const [pattern, host, covered] of [
  ['api.example.com', 'api.example.com', true],
  ['api.example.com:8443', 'api.example.com', true],
  ['api.example.com', 'apixexample.com', false],
  ['*.example.com', 'a.b.example.com', true],
  ['*.example.com', 'example.com', false],
  ['*.example.com', 'evilexample.com', false],
  ['{tenant}.example.com', 'acme.example.com', true],
  ['{tenant}.example.com', 'a.b.example.com', false],
  ['{tenant}.example.com', 'acme.example.com.evil.test', false],
  ['{tenant}.example.com', 'acmeexample.com', false],
  ['{tenant}.example.com', 'acme.exampleecom', false],
  ['{cluster}.example.com:6333', 'a.b.c.example.com', true],
  ['{cluster}.example.com', 'a.b.c.d.example.com', false],
  ['api-{tenant}.example.com', 'api-acme.example.com', true],
  ['api-{tenant}.example.com', 'acme.example.com', false],
] as const) {
  test(`${pattern} ${covered ? 'covers' : 'does not cover'} ${host}`, (t) => {
    t.is(coversHost(pattern, host, FIELDS), covered);
  });
}

for (const [host, fault] of [
  ['api.example.com', undefined],
  ['localhost', undefined],
  ['10.0.0.1:8443', undefined],
  ['*.example.com', undefined],
  ['{tenant}.example.com', undefined],
  ['rest.{tenant}.example.com:8443', undefined],
  ['api-{tenant}.{cluster}.example.com', undefined],
  ['{tenant}.com', /two labels/],
  ['{tenant}', /two labels/],
  ['example.{tenant}', /two labels/],
  ['{tenant}example.com', /two labels/],
  ['{tenant}.example.com.', /lower case/],
  ['{token}.example.com', /is a secret/],
  ['{Tenant}.example.com', /brace/],
  ['{constructor}.example.com', /does not exist/],
  ['https://{tenant}.example.com', /lower case/],
  ['{tenant}.example.com/x', /lower case/],
  ['*.{tenant}.example.com', /wildcard and a reference/],
  ['*.com', /two labels/],
] as const) {
  test(`the host ${host} is ${fault === undefined ? 'taken' : 'refused'}`, (t) => {
    const found = hostFault(host, FIELDS);
    if (fault === undefined) t.is(found, undefined);
    else t.regex(found ?? '', fault);
  });
}
