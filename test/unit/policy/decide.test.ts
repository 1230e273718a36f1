import test from 'ava';
import { decide } from '../../../src/policy/decide.ts';
import { combinePolicies } from '../../../src/policy/policy.ts';
import type { PolicyParts } from '../../../src/policy/policy.ts';
import type { PolicyFacts, Rule } from '../../../src/policy/rules.ts';
import { facts } from '../../support/policy-facts.ts';

const GET: Rule = { kind: 'methods', allow: ['GET', 'HEAD'] };
const POST: Rule = { kind: 'methods', allow: ['POST'] };
const stored = (rule: unknown): Rule => rule as Rule;

/** `allow`, or the label of the rule that denies, with a mark when it could not be evaluated; then the warnings. */
function outcome(parts: PolicyParts, changed: Partial<PolicyFacts> = {}): string {
  const decision = decide(facts(changed), combinePolicies(parts));
  const said = decision.allow ? 'allow' : `${decision.rule.label}${decision.failure === undefined ? '' : '?'}`;
  return [said, ...decision.warnings].join(' ');
}

test('no rules allow', (t) => {
  t.is(outcome({}), 'allow');
  t.is(outcome({ app: [], provider: [], secret: [], agent: [], grant: [] }), 'allow');
});

test('all rules must pass, and the first that does not is named', (t) => {
  t.is(outcome({ grant: [GET, GET] }), 'allow');
  t.is(outcome({ grant: [GET, POST] }), 'grant:methods');
  t.is(outcome({ grant: [{ ...GET, name: 'read-only' }] }, { method: 'PUT' }), 'grant:read-only');
  t.is(outcome({ grant: [POST, stored({ kind: 'quota' })] }), 'grant:methods');
  t.is(outcome({ grant: [stored({ kind: 'quota' }), POST] }), 'grant:quota?');
});

test('rules are evaluated in one order wherever they stand: app, provider, secret, agent, grant', (t) => {
  const named = (name: string): Rule => ({ ...POST, name });
  const all: PolicyParts = {
    grant: [named('e')],
    agent: [named('d')],
    secret: [named('c')],
    provider: [named('b')],
    app: [named('a')],
  };
  t.is(outcome(all), 'app:a');
  t.is(outcome({ ...all, app: [] }), 'provider:b');
  t.is(outcome({ ...all, app: [], provider: [] }), 'secret:c');
  t.is(outcome({ ...all, app: [], provider: [], secret: [] }), 'agent:d');
  t.is(outcome({ grant: all.grant ?? [] }), 'grant:e');
});

test('the rules of an agent stand between those of the secret and of the grant, and combining is done once', (t) => {
  const combined = combinePolicies({ secret: [{ ...GET, name: 'secret' }], grant: [{ ...GET, name: 'grant' }] });
  const rules: readonly Rule[] = [{ ...GET, name: 'agent' }];
  const policy = combined.withAgent(rules);
  t.deepEqual(
    policy.rules.map(({ label }) => label),
    ['secret:secret', 'agent:agent', 'grant:grant'],
  );
  t.is(combined.withAgent(rules), policy);
  t.not(combined.withAgent([...rules]), policy);
  t.deepEqual(combined.withAgent(undefined).rules, combined.rules);
  t.deepEqual(combined.withAgent([]).rules, combined.rules);
});

test('a rule in mode warn passes and is named', (t) => {
  const warn: Rule = { ...POST, mode: 'warn' };
  t.is(outcome({ grant: [warn] }), 'allow grant:methods');
  t.is(outcome({ grant: [warn] }, { method: 'POST' }), 'allow');
  t.is(outcome({ app: [warn], grant: [GET, { ...warn, name: 'second' }] }), 'allow app:methods grant:second');
  t.is(outcome({ app: [warn], grant: [POST, { ...warn, name: 'never-asked' }] }), 'grant:methods app:methods');
});

test('a sound rule in mode warn that cannot be evaluated passes and is named', (t) => {
  const failing: Rule = { kind: 'cel', expression: 'request.query["missing"][0] == "x"' };
  t.is(outcome({ grant: [failing] }), 'grant:cel?');
  t.is(outcome({ grant: [{ ...failing, mode: 'warn' }] }), 'allow grant:cel');
});

test('of a rule that cannot be evaluated, the cause is there for the operator, without a value of the request', (t) => {
  const failureOf = (rule: unknown, changed: Partial<PolicyFacts> = {}): string => {
    const decision = decide(facts(changed), combinePolicies({ grant: [stored(rule)] }));
    if (decision.allow || decision.failure === undefined) return 'none';
    return `${String(decision.failure.sound)} ${decision.failure.cause.message}`;
  };
  const of = (expression: string, changed: Partial<PolicyFacts> = {}): string => failureOf({ kind: 'cel', expression }, changed);
  t.is(of('reason == "" &&\n context.tool == "x"'), 'true no such key (line 2, column 10 of the expression)');
  t.is(of('context[reason] == "x"', { reason: 'hush' }), 'true no such key (line 1, column 1 of the expression)');
  t.is(of('int(reason) > 3', { reason: 'hush' }), 'true int conversion error (line 1, column 1 of the expression)');
  t.is(of('1 / (request.port - 443) == 1'), 'true division by zero (line 1, column 1 of the expression)');
  t.regex(of('size(request.query) > 0', { query: '&'.repeat(70) }), /^true the query holds too many parameters$/);
  t.is(of('request.method == "POST"'), 'none');
  t.is(failureOf({ kind: 'quota' }), 'false this version cannot evaluate the rule');
});

test('what is malformed or unknown denies, also in mode warn: its mode cannot be trusted either', (t) => {
  t.is(outcome({ grant: [stored({ kind: 'quota', max: 3, mode: 'warn' })] }), 'grant:quota?');
  t.is(outcome({ grant: [stored({ ...GET, days: ['mon'], mode: 'warn' })] }), 'grant:methods?');
  t.is(outcome({ grant: [stored({ ...GET, mode: 'Warn' })] }), 'grant:methods?');
  t.is(outcome({ grant: [stored({ ...GET, name: 'a b' })] }), 'grant:methods?');
  t.is(outcome({ grant: [stored({ ...GET, name: 7 })] }), 'grant:methods?');
});

for (const rule of [
  undefined,
  null,
  'methods',
  7,
  [],
  {},
  { kind: 7 },
  { kind: 'x y' },
  { kind: '\u001b[31m' },
  { kind: 'K'.repeat(99) },
]) {
  test(`a rule that is ${JSON.stringify(rule)} denies as unknown`, (t) => {
    t.is(outcome({ grant: [stored(rule)] }), 'grant:unknown?');
  });
}

test('rules that a counter decides are left to whoever counts, those that give back what they took before the others', (t) => {
  const policy = combinePolicies({
    app: [{ kind: 'rate', limit: 1, window: 'minute' }],
    grant: [GET, { kind: 'concurrency', max: 1 }, { kind: 'concurrency', max: 2 }],
  });
  t.true(decide(facts(), policy).allow);
  t.deepEqual(
    policy.counters.map(({ label, counterName }) => `${label} ${counterName}`),
    ['grant:concurrency concurrency', 'grant:concurrency concurrency+1', 'app:rate rate'],
  );
});
