import test from 'ava';
import { urlJudgement } from '../../../src/inject/judged-url.ts';
import type { InjectionRule } from '../../../src/providers/template.ts';

const KEY: InjectionRule = { kind: 'query', name: 'api_key', format: '{key}' };
const HMAC: InjectionRule = {
  ...{ kind: 'hmac', algorithm: 'sha256', key: '{key}', keyEncoding: 'raw', message: '{path}', encoding: 'hex', headers: {} },
  query: { ts: '{unix_s}', sig: '{signature}' },
};
const queryOf = (rules: readonly InjectionRule[], query: string | undefined) => urlJudgement(rules)?.({ path: '/p', query }).query;

test('the query that rules judge is the same with and without a parameter of the caller', (t) => {
  for (const [judged, ...spellings] of [
    ['limit=1', 'limit=1', 'limit=1&api_key=x', 'api_key=x&limit=1', 'limit=1&api%5Fkey=x&api_key', 'limit=1;api_key=x'],
    ['a=1&b=2', 'a=1&b=2', 'a=1;api_key=x&b=2', 'a=1&api_key=x;api_key=y&b=2'],
    [undefined, undefined, '', 'api_key=x', 'api_key=x&api_key=y', 'api_key'],
    ['a=1;b=2&&c=%zz', 'a=1;b=2&&c=%zz', 'a=1;api_key=x;b=2&&c=%zz'],
  ] as const) {
    for (const spelling of spellings) t.is(queryOf([KEY], spelling), judged, spelling);
  }
});

test('names that only look alike stay', (t) => {
  for (const query of ['API_KEY=x', 'api_keys=x', 'xapi_key=x', 'a=api_key', 'api_key%20=x']) t.is(queryOf([KEY], query), query);
});

test('every parameter that any rule writes is left out, and the segment of the path', (t) => {
  t.is(queryOf([KEY, HMAC], 'ts=1&a=1&sig=2&api_key=3'), 'a=1');
  const both = urlJudgement([KEY, { kind: 'path', format: 'bot{token}' }]);
  t.deepEqual(both?.({ path: '/botx/getMe', query: 'api_key=3' }), { path: '/getMe', query: undefined });
});

test('a provider that writes nothing into the URL has none', (t) => {
  t.is(
    urlJudgement([
      { kind: 'bearer', format: '{token}' },
      { ...HMAC, query: {} },
    ]),
    undefined,
  );
});
