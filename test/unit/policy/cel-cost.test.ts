/** Contract: no expression that is stored takes longer than some milliseconds, whatever the request. */
import test from 'ava';
import { performance } from 'node:perf_hooks';
import { compileRules, faultOfRule } from '../../../src/policy/compile.ts';
import type { Check } from '../../../src/policy/rule-kind.ts';
import type { PolicyFacts } from '../../../src/policy/rules.ts';
import { facts, verdict } from '../../support/policy-facts.ts';

/** The worst takes 3 where little else runs. What has no bound takes seconds, and no machine is so busy as to look like it in each of the runs. */
const MOST_MS = 500;
const RUNS = 5;
const MAX_LENGTH = 1024;

const judge = (expression: string, changed: Partial<PolicyFacts> = {}) => verdict({ kind: 'cel', expression }, changed);
const fault = (expression: string) => faultOfRule({ kind: 'cel', expression })?.message ?? 'none';

/** What an expression repeats, where `x` is the variable of a macro. */
const STEPS = [
  'request.path.contains("aaaaab")||true',
  'size(request.path)>0',
  'request.query.a[0]==request.query.b[0]||true',
  'request.query.a[0].startsWith(request.query.b[0])||true',
  '(request.path+request.path).lowerAscii().upperAscii().trim()!=""',
  '[request.path,reason]==[request.path,reason]',
  'request.query.a+request.query.a==request.query.a||true',
  'request.query.a.filter(y,y!="")!=[]',
  'context.missing==""||true',
  'request[reason]==""||true',
  '1/0==1||true',
  'time.hour("Europe/Berlin")>=0',
  'x.contains("aaaaab")||true',
  '(x+x+x).contains("aaaaab")||true',
  'size(x)>=0',
  'x==request.path||true',
  'x in request.query.a||true',
  'request.query[x][0].contains("aaaaab")||true',
  'int(x)==1||true',
  '1==1',
];
const AROUND: readonly (readonly [string, string])[] = [
  ['', ''],
  ['request.query.all(x,', ')'],
  ['request.query.a.filter(x,', ')==[]'],
  [`[${Array.from({ length: 40 }, () => 'request.path').join(',')}].all(x,`, ')'],
  [`[${Array.from({ length: 64 }, () => '""').join(',')}].all(x,`, ')'],
];

/** The expression with the most steps of this kind that is accepted. */
function longest(step: string, [before, after]: readonly [string, string]): { text: string; check: Check } | undefined {
  let found: { text: string; check: Check } | undefined;
  for (let count = 1; ; count += 1) {
    const text = `${before}${Array.from({ length: count }, () => `(${step})`).join('&&')}${after}`;
    const [rule] = compileRules([{ kind: 'cel', expression: text }]);
    if (text.length > MAX_LENGTH || rule?.check?.type !== 'check') return found;
    found = { text, check: rule.check };
  }
}

/** Requests of about `length` characters, long in one place or another. */
function requestsOf(length: number): readonly PolicyFacts[] {
  const half = 'a'.repeat(length / 2);
  const many = (name: (index: number) => string): string =>
    Array.from({ length: 62 }, (_, index) => `${name(index)}=${'a'.repeat(length / 128)}`).join('&');
  return [
    facts({ path: `/${half}${half}`, reason: 'a'.repeat(512), query: many((index) => `p${String(index)}`) }),
    facts({ path: `/${half}`, query: `${many(() => 'a')}&b=${half}` }),
    facts({ query: `a=${half}&b=${half}` }),
    facts({ query: `a=${half}b&b=${half}%E3%81%82`, context: { key: 'a'.repeat(256) } }),
  ];
}

/** The best of some runs: what disturbs can only make them longer. Undefined: the request is too long for the expression. */
function millisecondsOf(check: Check, request: PolicyFacts): number | undefined {
  let best = Infinity;
  for (let run = 0; run < RUNS; run += 1) {
    const start = performance.now();
    try {
      check.passes(request);
    } catch (error) {
      if ((error as Error).message.includes('too long')) return undefined;
    }
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

test('the worst that is accepted, on the longest requests that it takes, is over soon', (t) => {
  t.timeout(120_000);
  const requests = [600, 1500, 3000, 4500, 6000, 16_000, 32_000, 64_000, 128_000, 256_000, 500_000].flatMap(requestsOf);
  for (const step of STEPS) {
    for (const around of AROUND) {
      const expression = around[0] === '' && /\bx\b/.test(step) ? undefined : longest(step, around);
      for (const request of expression === undefined ? [] : requests) {
        const took = expression === undefined ? undefined : millisecondsOf(expression.check, request);
        t.true(took === undefined || took < MOST_MS, `${String(took)} ms: ${expression?.text ?? ''}`);
      }
    }
  }
});

test('bindings that double a list are refused', (t) => {
  let expression = 'v6.all(x, x > 0)';
  for (let depth = 6; depth > 0; depth -= 1) {
    const before = `v${String(depth - 1)}`;
    expression = `cel.bind(v${String(depth)}, (${before}+${before})+(${before}+${before}), ${expression})`;
  }
  t.regex(fault(`cel.bind(v0, [1,1,1,1], ${expression})`), /^uses bind\(\), which is none of has, size/);
});

test('a list for a macro is neither put together nor made by another macro', (t) => {
  t.regex(fault('(request.query.a + request.query.b).all(x, x != "")'), /put together with \+/);
  t.regex(fault('request.query.a.filter(x, x != "").all(x, x == "b")'), /all\(\) within another/);
});

test('what compares, computes or looks up too much within a macro is refused', (t) => {
  const all = (count: number): string =>
    `request.query.all(x, ${Array.from({ length: count }, () => 'request.query[x] != []').join(' && ')})`;
  t.is(fault(all(2)), 'none');
  t.regex(fault(all(8)), /too much, above all within a macro/);
});

test('a request that is too long for an expression denies, and what the expression does not go over does not count', (t) => {
  const query = `model=small&file=${'x'.repeat(30_000)}`;
  t.is(judge('size(request.query) == 2', { query }), 'allow');
  t.is(judge('request.query["file"].all(x, !x.contains("..") && x != "secret")', { query }), 'allow');
  t.is(judge('request.query.all(x, x in ["model", "file"])', { query }), 'allow');
  t.is(judge('request.query.all(x, size(request.query[x]) == 1)', { query: 'model=small&page=2' }), 'allow');
  t.is(judge('request.query.all(x, size(request.query[x]) == 1)', { query }), 'unavailable');
  t.is(judge('["a", "b"].all(x, !request.path.contains(x))', { path: `/${'c'.repeat(30_000)}` }), 'allow');
  t.is(judge('request.query.all(x, size(request.path) > 0)', { path: `/${'c'.repeat(30_000)}`, query: 'a=1' }), 'unavailable');
});
