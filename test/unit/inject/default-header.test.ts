import test from 'ava';
import { lines } from '../../support/headers.ts';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

const RULES = [{ kind: 'default_header', name: 'Api-Version', value: '2024-01-01' }] as const;

test('a default is written when the caller says nothing', async (t) => {
  const request = draft('/');
  await injection(RULES, {}).apply(request);
  t.deepEqual(lines(request.headers), ['Api-Version: 2024-01-01']);
});

test("a default yields to the caller's own value, in any case, also an empty one", async (t) => {
  for (const own of ['API-VERSION: 2020-02-02', 'api-version: ']) {
    const request = draft('/', own);
    await injection(RULES, {}).apply(request);
    t.deepEqual(lines(request.headers), [own]);
  }
});

test('a default for Accept also replaces */*, which clients send unasked, but nothing that names more', async (t) => {
  const rules = [{ kind: 'default_header', name: 'Accept', value: 'application/json; version=3' }] as const;
  for (const unasked of [['accept: */*'], ['Accept: */*', 'ACCEPT: */*'], []]) {
    const request = draft('/', ...unasked);
    await injection(rules, {}).apply(request);
    t.deepEqual(lines(request.headers), ['Accept: application/json; version=3']);
  }
  for (const own of [['Accept: text/html'], ['Accept: */*', 'Accept: text/html'], ['Accept: text/html, */*'], ['Accept: ']]) {
    const request = draft('/', ...own);
    await injection(rules, {}).apply(request);
    t.deepEqual(lines(request.headers), own);
  }
  const other = draft('/', 'Api-Version: */*');
  await injection(RULES, {}).apply(other);
  t.deepEqual(lines(other.headers), ['Api-Version: */*']);
});

test('a default is no place for a credential', (t) => {
  t.deepEqual(injection(RULES, {}).writes, []);
});

test('a default cannot be a field of the proxy', (t) => {
  t.is(failureOf(() => injection([{ kind: 'default_header', name: 'Host', value: 'a' }], {})).code, 'record_invalid');
});
