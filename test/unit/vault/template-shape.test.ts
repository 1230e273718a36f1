import test from 'ava';
import type { InjectionRule } from '../../../src/providers/template.ts';
import { ShapeError } from '../../../src/vault/members.ts';
import { parseTemplate } from '../../../src/vault/template-shape.ts';

const template = (rule: unknown): unknown => ({
  slug: 'a',
  name: 'A',
  category: 'test',
  hosts: ['a.example'],
  fields: { s: { label: 'S', secret: true } },
  inject: [rule],
  confidence: 'high',
});

const HMAC = {
  kind: 'hmac',
  algorithm: 'sha512',
  key: '{s}',
  keyEncoding: 'hex',
  message: '{method}\n{path}',
  encoding: 'hex_upper',
  headers: { 'X-S': '{signature}' },
  query: {},
} as const satisfies InjectionRule;

test('rules that read the body are stored whole', (t) => {
  for (const rule of [
    { kind: 'form_field', name: 'a', format: '{s}' },
    { kind: 'form_field', name: 'a', format: '{s}', maxBytes: 1 },
    { kind: 'json_field', path: '/a/b', format: '{s}', maxBytes: 100 },
    HMAC,
    { ...HMAC, query: { sig: '{signature}' }, maxBytes: 7 },
  ] satisfies InjectionRule[]) {
    t.deepEqual(parseTemplate(JSON.parse(JSON.stringify(template(rule))), 'template').inject, [rule]);
  }
});

test('a rule that is not whole, or of a later version, is not read', (t) => {
  for (const [rule, member] of [
    [{ kind: 'form_field', name: 'a' }, 'format'],
    [{ kind: 'json_field', path: 'a', format: '{s}', maxBytes: 0 }, 'maxBytes'],
    [{ ...HMAC, algorithm: 'sha3' }, 'algorithm'],
    [{ ...HMAC, encoding: 'base32' }, 'encoding'],
    [{ ...HMAC, keyEncoding: undefined }, 'keyEncoding'],
    [{ ...HMAC, headers: { a: 1 } }, 'headers.a'],
    [{ ...HMAC, query: undefined }, 'query'],
  ] as const) {
    const error = t.throws(() => parseTemplate(template(rule), 'template'), { instanceOf: ShapeError });
    t.is(error.member, member);
  }
});

test('a test call names one host, or several', (t) => {
  const withTest = (host: unknown) => ({
    ...(template({ kind: 'bearer', format: '{s}' }) as object),
    test: { method: 'GET', path: '/me', host },
  });
  for (const host of ['a.example', ['a.example', 'b.example']]) t.deepEqual(parseTemplate(withTest(host), 'template').test?.host, host);
  for (const host of [7, [7]]) t.throws(() => parseTemplate(withTest(host), 'template'), { instanceOf: ShapeError });
});
