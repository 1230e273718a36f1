/** A test call goes to one of the secret's own origins: the one that the provider names, or else where the operator sends the secret. */
import test from 'ava';
import { isTestHost, testRequest } from '../../../src/providers/test-request.ts';
import type { ProviderTemplate, TestCall } from '../../../src/providers/template.ts';

function template(hosts: readonly string[], call?: TestCall): ProviderTemplate {
  const fields = { tenant: { label: 'Tenant', secret: false }, key: { label: 'Key', secret: true } };
  const inject = [{ kind: 'bearer', format: '{key}' }] as const;
  return {
    slug: 'x',
    name: 'X',
    category: 'test',
    hosts,
    fields,
    inject,
    confidence: 'high',
    ...(call === undefined ? {} : { test: call }),
  };
}

function hostOf(provider: ProviderTemplate, origins: readonly string[]): string {
  const request = testRequest(provider, origins);
  return typeof request === 'string' ? request : request.origin.host;
}

const GET: TestCall = { method: 'GET', path: '/me' };

test('it goes to the first host of the provider, in whatever order the secret names them', (t) => {
  t.is(hostOf(template(['api.x.test', 'eu.x.test'], GET), ['https://eu.x.test:443', 'https://api.x.test:443']), 'api.x.test');
});

test('it goes to the host that it names', (t) => {
  const named = template(['api.x.test', 'id.x.test'], { ...GET, host: 'id.x.test' });
  t.is(hostOf(named, ['https://api.x.test:443', 'https://id.x.test:443']), 'id.x.test');
  t.is(hostOf(named, ['https://api.x.test:443']), 'no_host');
});

test('of several hosts that it names, it goes to the first that the secret has', (t) => {
  const named = template(['api.x.test', '*.y.test'], { ...GET, host: ['sts.y.test', 'sts.*.y.test', 'api.x.test'] });
  t.is(hostOf(named, ['https://api.x.test:443', 'https://sts.eu.y.test:443', 'https://sts.y.test:443']), 'sts.y.test');
  t.is(hostOf(named, ['https://api.x.test:443', 'https://sts.eu.y.test:443']), 'sts.eu.y.test');
  t.is(hostOf(named, ['https://s3.eu.y.test:443', 'https://api.x.test:443']), 'api.x.test');
  t.is(hostOf(named, ['https://s3.eu.y.test:443']), 'no_host');
});

test('it goes to the tenant of the secret', (t) => {
  t.is(hostOf(template(['{tenant}.x.test'], GET), ['https://acme.x.test:443']), 'acme.x.test');
  t.is(hostOf(template(['*.x.test'], { ...GET, host: '*.x.test' }), ['https://acme.x.test:443']), 'acme.x.test');
});

test('below a wildcard it may name labels, of which some may be any one', (t) => {
  const regional = template(['*.x.test'], { ...GET, host: 'sts.*.x.test' });
  t.is(hostOf(regional, ['https://s3.eu-1.x.test:443', 'https://sts.eu-1.x.test:443']), 'sts.eu-1.x.test');
  for (const other of ['s3.eu-1.x.test', 'sts.x.test', 'sts.a.b.x.test', 'sts.eu-1.x.test.evil.test', 'evilsts.eu-1.x.test']) {
    t.is(hostOf(regional, [`https://${other}:443`]), 'no_host', other);
  }
});

test('a test call names a host of its provider, or one below a wildcard', (t) => {
  for (const host of ['api.x.test', '*.y.test', 'a.y.test', 'sts.*.y.test']) t.true(isTestHost(host, ['api.x.test', '*.y.test']), host);
  for (const host of ['a.x.test', 'y.test', '*.a.y.test', 'sts*.y.test', 'a.evily.test', 'a..y.test', 'a/b.y.test', '.y.test']) {
    t.false(isTestHost(host, ['api.x.test', '*.y.test']), host);
  }
});

test('where the secret may not go to the first host, or the provider has none, it goes where the secret goes', (t) => {
  t.is(hostOf(template(['api.x.test', 'eu.x.test'], GET), ['https://eu.x.test:443']), 'eu.x.test');
  t.is(hostOf(template([], GET), ['https://x.intern.test:8443']), 'x.intern.test');
});

test('without a test call there is no request', (t) => {
  t.is(hostOf(template(['api.x.test']), ['https://api.x.test:443']), 'no_call');
});
