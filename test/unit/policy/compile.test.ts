import test from 'ava';
import { compileRules, describeRule, faultOfRule } from '../../../src/policy/compile.ts';
import { ruleKindNames } from '../../../src/policy/registry.ts';

/** One sound rule of each kind. */
const SOUND: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  time: { zone: 'Europe/Berlin', hours: ['09:00-17:00'], days: ['mon'], from: '2026-01-01', until: '2026-12-31' },
  ip: { allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16'] },
  ttl: { max_seconds: 60 },
  methods: { allow: ['GET', 'M-SEARCH'] },
  url: { hosts: ['*.example.com'], ports: [443], paths: ['/v1/**'], deny_paths: ['/v1/admin'] },
  query: { allow: ['a', 'b'], require: ['a'], forbid: ['c'], values: { a: ['1'] } },
  rate: { limit: 10, window: 'minute', per: 'principal' },
  concurrency: { max: 2 },
  cel: { expression: 'request.method == "GET"' },
  aws: { services: ['dynamodb', 's3'], regions: ['eu-*'], actions: ['dynamodb:Get*', 's3:GetObject'] },
  require_reason: { min_length: 8 },
  require_context: { keys: ['run_id'] },
};

for (const [kind, members] of Object.entries(SOUND)) {
  test(`a rule of kind ${kind} is sound, says what it wants, and has no other members`, (t) => {
    const rule = { kind, name: 'mine', mode: 'warn', ...members };
    t.is(faultOfRule(rule), undefined);
    const [compiled] = compileRules([rule]);
    t.is(compiled?.name, 'mine');
    t.true(compiled?.warn);
    t.true(describeRule({ kind, ...members }).length > 10);
    t.deepEqual(faultOfRule({ ...rule, extra: true })?.path, ['extra']);
  });
}

test('every kind is tested here', (t) => {
  t.deepEqual([...ruleKindNames()].sort(), Object.keys(SOUND).sort());
});

for (const [where, rule] of [
  ['kind', {}],
  ['kind', { kind: 'quota' }],
  ['name', { kind: 'methods', allow: [], name: '' }],
  ['mode', { kind: 'methods', allow: [], mode: 'off' }],
  ['allow', { kind: 'methods' }],
  ['allow', { kind: 'methods', allow: 'GET' }],
  ['allow.1', { kind: 'methods', allow: ['GET', 7] }],
  ['allow.0', { kind: 'methods', allow: ['get'] }],
  ['allow.0', { kind: 'methods', allow: ['GET '] }],
  ['', { kind: 'ip' }],
  ['allow.0', { kind: 'ip', allow: ['10.0.0.0/33'] }],
  ['deny.0', { kind: 'ip', deny: ['example.com'] }],
  ['max_seconds', { kind: 'ttl' }],
  ['max_seconds', { kind: 'ttl', max_seconds: 0 }],
  ['max_seconds', { kind: 'ttl', max_seconds: 1.5 }],
  ['', { kind: 'aws' }],
  ['services.0', { kind: 'aws', services: ['s3:GetObject'] }],
  ['regions.0', { kind: 'aws', regions: ['eu_central'] }],
  ['regions.0', { kind: 'aws', regions: ['*-1'] }],
  ['actions.0', { kind: 'aws', actions: ['GetObject'] }],
  ['actions.0', { kind: 'aws', actions: ['s3:'] }],
  ['actions.0', { kind: 'aws', actions: ['*'] }],
  ['actions.1', { kind: 'aws', actions: ['s3:*', 's3:*Object'] }],
  ['', { kind: 'url' }],
  ['hosts.0', { kind: 'url', hosts: ['API.example.com'] }],
  ['hosts.0', { kind: 'url', hosts: ['*.com'] }],
  ['hosts.0', { kind: 'url', hosts: ['https://api.example.com'] }],
  ['ports.0', { kind: 'url', ports: ['443'] }],
  ['ports.0', { kind: 'url', ports: [0] }],
  ['paths.0', { kind: 'url', paths: ['v1'] }],
  ['paths.0', { kind: 'url', paths: ['/v1?x'] }],
  ['paths.0', { kind: 'url', paths: ['/v1/x*'] }],
  ['paths.0', { kind: 'url', paths: ['/**/a/**/b/**/c/**/d/**'] }],
  ['deny_paths.0', { kind: 'url', deny_paths: ['/v1/***'] }],
  ['', { kind: 'query' }],
  ['values', { kind: 'query', values: ['a'] }],
  ['values.a', { kind: 'query', values: { a: '1' } }],
  ['values.a.0', { kind: 'query', values: { a: [1] } }],
  ['limit', { kind: 'rate', window: 'minute' }],
  ['window', { kind: 'rate', limit: 1, window: 'week' }],
  ['per', { kind: 'rate', limit: 1, window: 'day', per: 'app' }],
  ['max', { kind: 'concurrency', max: 0 }],
  ['', { kind: 'time', zone: 'UTC' }],
  ['zone', { kind: 'time', days: ['mon'], zone: 'Europe/Atlantis' }],
  ['zone', { kind: 'time', days: ['mon'], zone: '+02:00' }],
  ['hours.0', { kind: 'time', hours: ['9:00-17:00'] }],
  ['hours.0', { kind: 'time', hours: ['09:00-09:00'] }],
  ['hours.0', { kind: 'time', hours: ['09:60-10:00'] }],
  ['hours.0', { kind: 'time', hours: ['09:00-24:01'] }],
  ['hours.0', { kind: 'time', hours: ['24:00-09:00'] }],
  ['days.0', { kind: 'time', days: ['Mon'] }],
  ['from', { kind: 'time', from: '2026-02-30' }],
  ['until', { kind: 'time', from: '2026-02-02', until: '2026-02-01' }],
  ['expression', { kind: 'cel' }],
  ['expression', { kind: 'cel', expression: ' ' }],
  ['min_length', { kind: 'require_reason', min_length: 513 }],
  ['keys', { kind: 'require_context' }],
  ['keys', { kind: 'require_context', keys: [] }],
  ['keys.0', { kind: 'require_context', keys: ['a b'] }],
] as const) {
  test(`a rule is told what is wrong at ${where || 'the whole'}: ${JSON.stringify(rule)}`, (t) => {
    t.is(faultOfRule(rule)?.path.join('.'), where);
    t.is(compileRules([rule])[0]?.check, undefined);
  });
}

test('a list is compiled once', (t) => {
  const rules = [{ kind: 'methods', allow: ['GET'] }];
  t.is(compileRules(rules), compileRules(rules));
  t.not(compileRules([...rules]), compileRules(rules));
});

test('a rule that this version cannot evaluate is described so', (t) => {
  t.regex(describeRule({ kind: 'quota' }), /cannot evaluate/);
});
