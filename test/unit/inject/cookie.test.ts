/** Contract: one cookie is written, every spelling of the caller's own goes, and the other cookies stay. */
import test from 'ava';
import { lines } from '../../support/headers.ts';
import { draft, injection } from '../../support/injection.ts';
import { failureOf } from '../../support/refusal.ts';

const RULES = [{ kind: 'cookie', name: 'session', format: 'v1.{key}' }] as const;

for (const [before, after] of [
  [[], ['Cookie: session=v1.sk']],
  [['Cookie: a=1; b="x y"'], ['Cookie: a=1; b="x y"; session=v1.sk']],
  [['Cookie: session=mine; a=1; Session=2; %73ession=3; session'], ['Cookie: a=1; session=v1.sk']],
  [
    ['cookie: session=mine', 'COOKIE: a=1', 'X: y'],
    ['X: y', 'Cookie: a=1; session=v1.sk'],
  ],
  [['Cookie: a=1, session=mine; b=2'], ['Cookie: b=2; session=v1.sk']],
  [['Cookie: sessions=1; xsession=2; a=session=3'], ['Cookie: sessions=1; xsession=2; a=session=3; session=v1.sk']],
  [['Cookie: a=voil\xc3\xa0; b=\xa01;\t'], ['Cookie: a=voil\xc3\xa0; b=\xa01; session=v1.sk']],
  [['Cookie: ;; a=1;'], ['Cookie: a=1; session=v1.sk']],
] as const) {
  test(`${JSON.stringify(before)} becomes ${JSON.stringify(after)}`, async (t) => {
    const request = draft('/', ...before);
    await injection(RULES, { key: 'sk' }).apply(request);
    t.deepEqual(lines(request.headers), [...after]);
  });
}

test('several cookies are written side by side', async (t) => {
  const request = draft('/', 'Cookie: a=x; b=y; c=z');
  const rules = [
    { kind: 'cookie', name: 'a', format: '{one}' },
    { kind: 'cookie', name: 'b', format: '{two}' },
  ] as const;
  const prepared = injection(rules, { one: '1', two: '2' });
  await prepared.apply(request);
  t.deepEqual(lines(request.headers), ['Cookie: c=z; a=1; b=2']);
  t.deepEqual(prepared.writes, ['cookie:a', 'cookie:b']);
});

for (const key of ['', 'a;b', 'a b', 'a,b', 'a"b', 'a\\b', 'a\r\nX: 1', 'ü']) {
  test(`the value ${JSON.stringify(key)} is refused when prepared, and not told`, (t) => {
    const failure = failureOf(() => injection([{ kind: 'cookie', name: 'session', format: '{key}' }], { key }));
    t.is(failure.code, 'record_invalid');
    t.true(key === '' || !failure.message.includes(key));
  });
}

test('a name that is no token is refused when prepared', (t) => {
  for (const name of ['', 'a=b', 'a;b', 'a b'])
    t.is(failureOf(() => injection([{ kind: 'cookie', name, format: '{key}' }], { key: 'sk' })).code, 'record_invalid', name);
});
