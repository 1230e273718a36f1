import test from 'ava';
import { verdict } from '../../../support/policy-facts.ts';

test('a reason must be there', (t) => {
  t.is(verdict({ kind: 'require_reason' }, { reason: 'x' }), 'allow');
  t.is(verdict({ kind: 'require_reason' }), 'deny');
  t.is(verdict({ kind: 'require_reason' }, { reason: '   ' }), 'deny');
});

test('and as long as the rule wants, without the spaces around it', (t) => {
  const rule = { kind: 'require_reason', min_length: 5 };
  t.is(verdict(rule, { reason: 'abcde' }), 'allow');
  t.is(verdict(rule, { reason: 'abcd' }), 'deny');
  t.is(verdict(rule, { reason: ' abcd ' }), 'deny');
});
