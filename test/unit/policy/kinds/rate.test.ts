import test from 'ava';
import { compileRules } from '../../../../src/policy/compile.ts';
import type { PolicyFacts } from '../../../../src/policy/rules.ts';
import { facts } from '../../../support/policy-facts.ts';

function counter(rule: object, changed: Partial<PolicyFacts> = {}): string {
  const [compiled] = compileRules([{ kind: 'rate', limit: 10, window: 'minute', ...rule }]);
  return compiled?.check?.type === 'rate' ? compiled.check.counter(facts(changed)) : 'none';
}

test('the length of the window', (t) => {
  const windows = ['second', 'minute', 'hour', 'day'].map((window) => {
    const [compiled] = compileRules([{ kind: 'rate', limit: 1, window }]);
    return compiled?.check?.type === 'rate' ? compiled.check.windowMs : 0;
  });
  t.deepEqual(windows, [1000, 60_000, 3_600_000, 86_400_000]);
});

test('what is counted together', (t) => {
  const { grant } = facts();
  t.is(counter({}), `minute:10:grant:${grant.id}`);
  t.is(counter({ per: 'secret' }), 'minute:10:secret:ms_0');
  t.is(counter({ per: 'agent' }, { agent: 'crawler' }), 'minute:10:agent:crawler');
  t.is(counter({ per: 'agent' }), 'minute:10:agent:', 'requests without an agent count together');
  t.is(counter({ per: 'principal' }), 'minute:10:principal:system:');
});

test('what an agent issued for itself on one secret is one grant, or each label would be a fresh count', (t) => {
  const own = (id: string, { secretId = 'ms_0', agent = 'bot', per = 'grant' } = {}) => {
    const grant = { ...facts().grant, id, secretId, selfIssued: true } as const;
    return counter({ per }, { grant, principal: { type: 'agent', id: agent }, agent });
  };
  t.is(own('one'), 'minute:10:grant:agent:bot:ms_0');
  t.is(own('another'), own('one'));
  t.not(own('one', { secretId: 'ms_1' }), own('one'));
  t.not(own('one', { agent: 'bot2' }), own('one'));
  t.is(own('one', { per: 'secret' }), counter({ per: 'secret' }), 'other counts know no difference');
  const byOperator = (id: string) =>
    counter({}, { grant: { ...facts().grant, id }, principal: { type: 'agent', id: 'bot' }, agent: 'bot' });
  t.not(byOperator('one'), byOperator('another'));
});

test('principals are counted apart, and their names stay out of the key', (t) => {
  const user = (id: string, type = 'user') => counter({ per: 'principal' }, { principal: { type, id } });
  t.not(user('okta:alice'), user('okta:bob'));
  t.not(user('okta:alice'), user('okta:alice', 'group'));
  t.false(user('okta:alice').includes('alice'));
  t.true(user(`okta:${'x'.repeat(256)}`).length < 100);
});
