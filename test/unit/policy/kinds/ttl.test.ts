import test from 'ava';
import { NOON, facts, verdict } from '../../../support/policy-facts.ts';

const age = (ms: number) => verdict({ kind: 'ttl', max_seconds: 60 }, { grant: { ...facts().grant, createdAt: NOON - ms } });

test('a grant passes until it is as old as the rule allows', (t) => {
  t.is(age(0), 'allow');
  t.is(age(59_999), 'allow');
  t.is(age(60_000), 'deny');
  t.is(age(60_001), 'deny');
});

test('a clock before the creation of the grant says nothing, and denies', (t) => {
  t.is(age(-1), 'deny');
});
