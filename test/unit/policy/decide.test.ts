import test from 'ava';
import { decide } from '../../../src/policy/decide.ts';
import type { PolicyFacts, Rule } from '../../../src/policy/rules.ts';

const FACTS: PolicyFacts = { now: 0, method: 'GET', host: 'api.example.com', port: 443, path: '/v1', clientAddress: '127.0.0.1' };
const GET: Rule = { kind: 'methods', allow: ['GET', 'HEAD'] };
const POST: Rule = { kind: 'methods', allow: ['POST'] };
const stored = (rule: unknown): Rule => rule as Rule;

test('no rules allow', (t) => {
  t.deepEqual(decide(FACTS, []), { allow: true });
});

test('a method on the list passes, any other does not', (t) => {
  t.deepEqual(decide(FACTS, [GET]), { allow: true });
  t.deepEqual(decide({ ...FACTS, method: 'HEAD' }, [GET]), { allow: true });
  for (const method of ['POST', 'get', 'GETS', 'GE', '']) {
    t.deepEqual(decide({ ...FACTS, method }, [GET]), { allow: false, rule: 'methods', unknown: false }, method);
  }
});

test('all rules must pass: a second one can only restrict', (t) => {
  t.deepEqual(decide(FACTS, [GET, POST]), { allow: false, rule: 'methods', unknown: false });
  t.deepEqual(decide(FACTS, [GET, GET]), { allow: true });
});

test('an empty list allows no method', (t) => {
  t.deepEqual(decide(FACTS, [{ kind: 'methods', allow: [] }]), { allow: false, rule: 'methods', unknown: false });
});

test('a kind of a later version denies by its name', (t) => {
  t.deepEqual(decide(FACTS, [GET, stored({ kind: 'quota', max: 3 })]), { allow: false, rule: 'quota', unknown: true });
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
    t.deepEqual(decide(FACTS, [stored(rule)]), { allow: false, rule: 'unknown', unknown: true });
  });
}

for (const rule of [
  { kind: 'methods' },
  { kind: 'methods', allow: 'GET' },
  { kind: 'methods', allow: ['GET', 7] },
  { kind: 'methods', allow: ['GET'], days: ['mon'] },
]) {
  test(`a malformed methods rule denies: ${JSON.stringify(rule)}`, (t) => {
    t.deepEqual(decide(FACTS, [stored(rule)]), { allow: false, rule: 'methods', unknown: true });
  });
}

test('the first failing rule is named', (t) => {
  t.deepEqual(decide(FACTS, [stored({ kind: 'quota' }), POST]), { allow: false, rule: 'quota', unknown: true });
  t.deepEqual(decide(FACTS, [POST, stored({ kind: 'quota' })]), { allow: false, rule: 'methods', unknown: false });
});
