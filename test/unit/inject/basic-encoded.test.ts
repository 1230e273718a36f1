import test from 'ava';
import { HeaderList } from '../../../src/message/header-list.ts';
import { lines } from '../../support/headers.ts';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

const RULES = [{ kind: 'basic_encoded', format: '{key}' }] as const;
const encode = (pair: string): string => Buffer.from(pair).toString('base64');

test('the pair is sent as it was stored, in place of every Authorization of the caller', async (t) => {
  for (const key of [encode('user:password-42'), encode('u:password'), encode(':p'), encode('u:password').replace(/=+$/, '')]) {
    const request = draft('/', 'authorization: Bearer mine', 'AUTHORIZATION: Basic twice');
    const prepared = injection(RULES, { key });
    await prepared.apply(request);
    t.deepEqual(lines(request.headers), [`Authorization: Basic ${key}`]);
    t.deepEqual(prepared.writes, ['header:authorization']);
  }
});

for (const key of ['', 'me:hidden', encode('no colon'), `${encode('u:p')} `, `Basic ${encode('u:p')}`, 'dTpw=', 'dTp', '%%%%']) {
  test(`${JSON.stringify(key)} is refused when prepared, and not told`, (t) => {
    const failure = failureOf(() => injection(RULES, { key }));
    t.is(failure.code, 'record_invalid');
    t.true(key === '' || !failure.message.includes(key));
  });
}

test('an answer that repeats the pair, encoded or not, is scrubbed', (t) => {
  const list = new HeaderList(['a', 'you are user:password-42', 'b', encode('user:password-42'), 'c', 'user']);
  injection(RULES, { key: encode('user:password-42') }).scrub(list);
  t.deepEqual(lines(list), ['c: user']);
});
