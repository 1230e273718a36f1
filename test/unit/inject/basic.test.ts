import test from 'ava';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

const RULES = [{ kind: 'basic', username: '{user}', password: '{password}' }] as const;

function pairOf(value: string | undefined): string {
  return Buffer.from(value?.replace('Basic ', '') ?? '', 'base64').toString('utf8');
}

test('the pair replaces every Authorization of the caller, in UTF-8', async (t) => {
  const request = draft('/', 'authorization: Bearer mine');
  await injection(RULES, { user: 'jürgen', password: 'pä:ss wörd' }).apply(request);
  t.deepEqual(request.headers.getAll('authorization').map(pairOf), ['jürgen:pä:ss wörd']);
});

test('constants stand for themselves', async (t) => {
  const request = draft('/');
  await injection([{ kind: 'basic', username: '{email}/token', password: '{token}' }], { email: 'me@example.com', token: 'T' }).apply(
    request,
  );
  t.is(pairOf(request.headers.get('authorization')), 'me@example.com/token:T');
});

test('one of the two may be empty, not both', async (t) => {
  const request = draft('/');
  await injection(RULES, { user: 'sk', password: '' }).apply(request);
  t.is(pairOf(request.headers.get('authorization')), 'sk:');
  await injection(RULES, { user: '', password: 'pat' }).apply(request);
  t.is(pairOf(request.headers.get('authorization')), ':pat');
  t.is(failureOf(() => injection(RULES, { user: '', password: '' })).code, 'record_invalid');
});

test('a user name with a colon, and control characters, are refused when prepared', (t) => {
  t.is(failureOf(() => injection(RULES, { user: 'a:b', password: 'p' })).code, 'record_invalid');
  t.is(failureOf(() => injection(RULES, { user: 'a', password: 'p\n' })).code, 'record_invalid');
  t.is(failureOf(() => injection(RULES, { user: 'a\0', password: 'p' })).code, 'record_invalid');
});
