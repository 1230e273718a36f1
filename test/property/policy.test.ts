/** Property: a rule can only restrict. Whatever is added to a policy, wherever, no denial becomes an allowance. */
import fc from 'fast-check';
import test from 'ava';
import { decide } from '../../src/policy/decide.ts';
import { combinePolicies } from '../../src/policy/policy.ts';
import { ATTACHMENTS } from '../../src/policy/rules.ts';
import type { PolicyFacts, Rule } from '../../src/policy/rules.ts';
import { NOON, facts } from '../support/policy-facts.ts';

const METHODS = ['GET', 'POST', 'DELETE'];
const PATHS = ['/', '/v1', '/v1/models', '/v1/admin/x', '/V1//admin'];

const someOf = (words: readonly string[]) => fc.subarray([...words]);

const sound = fc.oneof(
  fc.record({ kind: fc.constant('methods'), allow: someOf(METHODS) }),
  fc.record({ kind: fc.constant('ip'), allow: someOf(['127.0.0.0/8', '10.0.0.0/8', '::1']) }),
  fc.record({ kind: fc.constant('ip'), deny: someOf(['127.0.0.1', '10.0.0.0/8']) }),
  fc.record({ kind: fc.constant('ttl'), max_seconds: fc.integer({ min: 1, max: 120 }) }),
  fc.record({ kind: fc.constant('url'), paths: someOf(['/**', '/v1/*', '/v1']) }),
  fc.record({ kind: fc.constant('url'), deny_paths: someOf(['/v1/admin/**']) }),
  fc.record({ kind: fc.constant('query'), forbid: someOf(['a', 'b']) }),
  fc.record({ kind: fc.constant('time'), hours: fc.constant(['09:00-17:00']), zone: fc.constantFrom('UTC', 'Asia/Tokyo') }),
  fc.record({ kind: fc.constant('cel'), expression: fc.constantFrom('request.method == "GET"', 'reason != ""', 'context.a == "1"') }),
  fc.record({ kind: fc.constant('require_reason') }),
  fc.record({ kind: fc.constant('rate'), limit: fc.constant(1), window: fc.constant('minute') }),
);
const rule = fc
  .oneof({ weight: 5, arbitrary: sound }, { weight: 1, arbitrary: fc.oneof(fc.jsonValue(), fc.record({ kind: fc.string() })) })
  .chain((own) =>
    fc.constantFrom('none', 'warn', 'enforce').map((mode) => (mode === 'none' || typeof own !== 'object' ? own : { ...own, mode })),
  )
  .map((own) => own as unknown as Rule);

const request: fc.Arbitrary<PolicyFacts> = fc
  .record({
    method: fc.constantFrom(...METHODS),
    path: fc.constantFrom(...PATHS),
    query: fc.constantFrom(undefined, '', 'a=1', 'a=1&b=2', '_method=PUT'),
    clientAddress: fc.constantFrom('127.0.0.1', '10.0.0.1', '::1', ''),
    reason: fc.constantFrom(undefined, 'x'),
    context: fc.constantFrom(undefined, { a: '1' }),
    now: fc.integer({ min: NOON - 86_400_000, max: NOON + 86_400_000 }),
  })
  .map((changed) => facts(changed));

test('adding a rule never turns a denial into an allowance', (t) => {
  const place = fc.constantFrom(...ATTACHMENTS);
  const placed = fc.array(fc.tuple(place, rule), { maxLength: 6 });
  fc.assert(
    fc.property(request, placed, place, rule, fc.nat(), (asked, rules, where, added, position) => {
      const at = (all: readonly (readonly [string, Rule])[]) =>
        combinePolicies(Object.fromEntries(ATTACHMENTS.map((name) => [name, all.filter(([own]) => own === name).map(([, own]) => own)])));
      const before = decide(asked, at(rules));
      const more = [...rules];
      more.splice(position % (rules.length + 1), 0, [where, added]);
      if (!before.allow) t.false(decide(asked, at(more)).allow);
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a decision is the same each time, and never throws', (t) => {
  fc.assert(
    fc.property(request, fc.array(rule, { maxLength: 6 }), (asked, rules) => {
      const first = decide(asked, combinePolicies({ grant: rules }));
      t.is(decide(asked, combinePolicies({ grant: rules })).allow, first.allow);
    }),
  );
  t.pass();
});
