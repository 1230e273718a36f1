import test from 'ava';
import { verdict } from '../../../support/policy-facts.ts';

const RULE = { kind: 'require_context', keys: ['run_id', 'tool'] };

test('all keys must be there, each with a value', (t) => {
  t.is(verdict(RULE, { context: { run_id: '1', tool: 'x', more: '' } }), 'allow');
  t.is(verdict(RULE), 'deny');
  t.is(verdict(RULE, { context: { run_id: '1' } }), 'deny');
  t.is(verdict(RULE, { context: { run_id: '1', tool: '' } }), 'deny');
  t.is(verdict(RULE, { context: { run_id: '1', Tool: 'x' } }), 'deny');
});

test('what every object has is not what the client sent', (t) => {
  t.is(verdict({ kind: 'require_context', keys: ['constructor'] }, { context: {} }), 'deny');
});
