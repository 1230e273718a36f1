import { inspect } from 'node:util';
import test from 'ava';
import { prepareInjection } from '../../../src/inject/registry.ts';
import type { InjectionRule } from '../../../src/providers/template.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { formatTarget } from '../../../src/message/url.ts';
import { lines } from '../../support/headers.ts';
import { draft, injection, template } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

test('several rules write at once, in their order', async (t) => {
  const prepared = injection(
    [
      { kind: 'header', name: 'DD-Api-Key', format: '{a}' },
      { kind: 'bearer', format: '{b}' },
      { kind: 'query', name: 'k', format: '{a}' },
      { kind: 'default_header', name: 'Version', value: '1' },
    ],
    { a: 'A', b: 'B' },
  );
  const request = draft('/p?k=mine', 'dd-api-key: mine', 'authorization: mine');
  await prepared.apply(request);
  t.deepEqual(prepared.writes, ['header:dd-api-key', 'header:authorization', 'query:k']);
  t.deepEqual(lines(request.headers), ['DD-Api-Key: A', 'Authorization: Bearer B', 'Version: 1']);
  t.is(formatTarget(request.url), '/p?k=A');
});

test('applying twice gives the same as once', async (t) => {
  const prepared = injection([{ kind: 'bearer', format: '{b}' }], { b: 'B' });
  const request = draft('/');
  await prepared.apply(request);
  await prepared.apply(request);
  t.deepEqual(lines(request.headers), ['Authorization: Bearer B']);
});

test('a missing field is refused by its name, also when only a prototype has it', (t) => {
  const wanted = template([{ kind: 'bearer', format: '{constructor}' }], { constructor: 'x' });
  t.deepEqual(
    failureOf(() => prepareInjection(wanted, {})),
    { code: 'record_invalid', message: 'the field constructor is missing' },
  );
  const undeclared = template([{ kind: 'bearer', format: '{other}' }], { token: 'x' });
  t.is(failureOf(() => prepareInjection(undeclared, { token: new Secret('x') })).code, 'record_invalid');
});

test('a rule for an optional field that has no value is left out; one for a field that is not optional is not', async (t) => {
  const rules: InjectionRule[] = [
    { kind: 'header', name: 'X-A', format: '{a}' },
    { kind: 'header', name: 'X-B', format: '{a}-{b}' },
  ];
  const wanted = template(rules, { a: 'A', b: 'B' });
  const optional = { ...wanted, fields: { ...wanted.fields, b: { label: 'b', secret: true, optional: true } } } as const;
  const request = draft('/', 'x-b: mine');
  const prepared = prepareInjection(optional, { a: new Secret('A') });
  await prepared.apply(request);
  t.deepEqual(prepared.writes, ['header:x-a']);
  t.deepEqual(lines(request.headers), ['x-b: mine', 'X-A: A']);
  t.deepEqual(prepareInjection(optional, { a: new Secret('A'), b: new Secret('B') }).writes, ['header:x-a', 'header:x-b']);
  t.is(failureOf(() => prepareInjection(wanted, { a: new Secret('A') })).code, 'record_invalid');
  t.is(failureOf(() => prepareInjection({ ...optional, inject: rules.slice(1) }, { a: new Secret('A') })).code, 'record_invalid');
});

test('two rules for one place are refused', (t) => {
  const rules: InjectionRule[] = [
    { kind: 'bearer', format: '{a}' },
    { kind: 'header', name: 'AUTHORIZATION', format: '{a}' },
  ];
  t.is(failureOf(() => injection(rules, { a: 'A' })).code, 'record_invalid');
});

test('a rule of a later version is refused, never skipped', (t) => {
  const rules = [{ kind: 'sigv5', name: 'x' }] as unknown as InjectionRule[];
  t.is(failureOf(() => injection(rules, {})).code, 'record_invalid');
});

test('no credential is reachable from what was prepared', (t) => {
  const prepared = injection([{ kind: 'basic', username: 'u', password: '{p}' }], { p: 'sk-very-secret' });
  const shown = inspect(prepared, { depth: 10, showHidden: true }) + JSON.stringify(prepared);
  t.false(shown.includes('sk-very-secret'));
  t.false(shown.includes(Buffer.from('u:sk-very-secret').toString('base64')));
});
