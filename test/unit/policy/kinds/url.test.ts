import test from 'ava';
import type { PolicyFacts } from '../../../../src/policy/rules.ts';
import { verdict } from '../../../support/policy-facts.ts';

const judge = (rule: object, changed: Partial<PolicyFacts>) => verdict({ kind: 'url', ...rule }, changed);
const path = (pattern: string, text: string) => judge({ paths: [pattern] }, { path: text });

test('hosts: exactly, or anything below', (t) => {
  const rule = { hosts: ['api.example.com', '*.tenant.example.com'] };
  for (const host of ['api.example.com', 'a.tenant.example.com', 'a.b.tenant.example.com']) t.is(judge(rule, { host }), 'allow', host);
  for (const host of ['example.com', 'xapi.example.com', 'api.example.com.evil.test', 'tenant.example.com', 'eviltenant.example.com'])
    t.is(judge(rule, { host }), 'deny', host);
});

test('ports', (t) => {
  t.is(judge({ ports: [443, 8443] }, { port: 8443 }), 'allow');
  t.is(judge({ ports: [443, 8443] }, { port: 80 }), 'deny');
});

test('an exact path is exact: length, slash at the end and case', (t) => {
  t.is(path('/v1/x', '/v1/x'), 'allow');
  for (const text of ['/v1/xy', '/v1/x/', '/v1/', '/V1/x', '/v1/X', '/v1//x', '/v1/x%2F', '/v1/x;a=1', '/x/v1/x'])
    t.is(path('/v1/x', text), 'deny', text);
});

test('* is exactly one segment', (t) => {
  for (const text of ['/v1/a/items', '/v1/%20/items']) t.is(path('/v1/*/items', text), 'allow', text);
  for (const text of ['/v1/items', '/v1//items', '/v1/a/b/items', '/v1/a%2Fb/items', '/v1/a/items/', '/v1/a/itemsx'])
    t.is(path('/v1/*/items', text), 'deny', text);
});

test('** is any number of segments, and none', (t) => {
  for (const text of ['/v1', '/v1/', '/v1/a', '/v1/a/b', '/v1/a%2Fb']) t.is(path('/v1/**', text), 'allow', text);
  for (const text of ['/v1x', '/v', '/', '/V1/a', '/x/v1/a']) t.is(path('/v1/**', text), 'deny', text);
  for (const text of ['/', '/a', '/a/b/']) t.is(path('/**', text), 'allow', text);
});

test('** within a pattern', (t) => {
  for (const text of ['/v1/items', '/v1/a/items', '/v1/a/b/items', '/v1/items/items']) t.is(path('/v1/**/items', text), 'allow', text);
  for (const text of ['/v1/a/item', '/v1/items/', '/items', '/v1/a/items/b']) t.is(path('/v1/**/items', text), 'deny', text);
  t.is(path('/**/a/*/c/**', '/x/a/b/a/q/c/d'), 'allow');
  t.is(path('/**/a/*/c/**', '/x/a/b/a/q/d'), 'deny');
});

test('a long path costs little, whatever the pattern', (t) => {
  const long = `${'/a'.repeat(30_000)}/b`;
  const started = performance.now();
  t.is(path('/**/a/**/a/**/c/**', long), 'deny');
  t.true(performance.now() - started < 1000);
});

test('a denied path is denied however a server may read it', (t) => {
  const rule = { deny_paths: ['/v1/admin/**'] };
  for (const text of [
    '/v1/admin',
    '/v1/admin/',
    '/v1/admin/x',
    '/V1/Admin/x',
    '/v1//admin',
    '/v1%2Fadmin',
    '/v1/admin;x=1/y',
    '/v1/%2561dmin',
  ])
    t.is(judge(rule, { path: text }), 'deny', text);
  for (const text of ['/v1/administrators', '/v1/users/admin', '/admin']) t.is(judge(rule, { path: text }), 'allow', text);
});

test('all that the rule has must hold', (t) => {
  const rule = { hosts: ['api.example.com'], ports: [443], paths: ['/v1/**'], deny_paths: ['/v1/admin'] };
  t.is(judge(rule, {}), 'allow');
  for (const changed of [{ host: 'x.example.com' }, { port: 444 }, { path: '/v2' }, { path: '/v1/admin' }])
    t.is(judge(rule, changed), 'deny');
});

test('an empty list lets nothing pass', (t) => {
  t.is(judge({ paths: [] }, {}), 'deny');
  t.is(judge({ hosts: [] }, {}), 'deny');
  t.is(judge({ ports: [] }, {}), 'deny');
});
