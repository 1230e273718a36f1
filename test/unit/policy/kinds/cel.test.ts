import test from 'ava';
import { faultOfRule } from '../../../../src/policy/compile.ts';
import type { PolicyFacts } from '../../../../src/policy/rules.ts';
import { facts, verdict } from '../../../support/policy-facts.ts';

const judge = (expression: string, changed: Partial<PolicyFacts> = {}) => verdict({ kind: 'cel', expression }, changed);
const fault = (expression: string) => faultOfRule({ kind: 'cel', expression })?.message ?? 'none';

for (const expression of [
  'request.method == "GET" && request.scheme == "https" && request.host == "api.example.com" && request.port == 443',
  'request.path.startsWith("/v1/") && !request.path.contains("admin")',
  'request.client_address == "127.0.0.1"',
  'principal.type == "system" && principal.id == ""',
  'agent == ""',
  'grant.label == "report" && grant.provider == "acme" && grant.secret == "ms_0" && grant.id != ""',
  'time.now - grant.created < duration("2m")',
  'time.now > timestamp("2026-07-15T11:59:59Z")',
  'time.hour("Europe/Berlin") == 14 && time.minute("UTC") == 0 && time.weekday("UTC") == 3',
  'context == {} && reason == ""',
  'size(request.query) == 0',
]) {
  test(`is true of a plain request: ${expression}`, (t) => {
    t.is(judge(expression), 'allow');
  });
}

test('a false expression denies', (t) => {
  t.is(judge('request.method == "POST"'), 'deny');
});

test('reason, context, principal, agent and query are those of the request', (t) => {
  t.is(judge('reason.startsWith("JIRA-")', { reason: 'JIRA-7' }), 'allow');
  t.is(judge('context.tool == "search"', { context: { tool: 'search' } }), 'allow');
  t.is(judge('"tool" in context', {}), 'deny');
  t.is(judge('principal.type == "user" && principal.id == "okta:u1"', { principal: { type: 'user', id: 'okta:u1' } }), 'allow');
  t.is(judge('agent in ["crawler"]', { agent: 'crawler' }), 'allow');
  t.is(judge('request.query["model"] == ["small"]', { query: 'model=small' }), 'allow');
  t.is(judge('request.query.all(name, name in ["model", "page"])', { query: 'model=a&page=2' }), 'allow');
  t.is(judge('request.query.all(name, name in ["model", "page"])', { query: 'model=a&admin=2' }), 'deny');
});

test('an error denies: a key that is not there, a division by zero', (t) => {
  for (const expression of ['context.tool == "x"', 'request.query["a"][0] == "x"', '1 / (request.port - 443) == 1'])
    t.is(judge(expression), 'unavailable', expression);
});

test('what cannot be gone over in bounded time denies', (t) => {
  const query = Array.from({ length: 65 }, (_, index) => `p${String(index)}=1`).join('&');
  t.is(judge('size(request.query) > 0', { query }), 'unavailable');
  t.is(judge('request.method == "GET"', { query }), 'allow', 'an expression that does not look at the query');
});

test('what is no CEL is refused with the place', (t) => {
  t.regex(fault('request.method = "GET"'), /Unexpected character.*line 1, column 16/);
  t.regex(fault('request.method ==\n "GET" &&'), /line 2, column \d+/);
});

test('types are checked when a rule is stored', (t) => {
  t.regex(fault('request.methd == "GET"'), /methd.*line 1, column 9/);
  t.regex(fault('user.name == "x"'), /user/);
  t.regex(fault('request.port == "443"'), /==/);
  t.regex(fault('request.path'), /must be true or false, and is string/);
  t.regex(fault('1 + 1'), /is int/);
  t.regex(fault('context["a"] && true'), /\w/);
});

test('zones and durations are checked when a rule is stored', (t) => {
  for (const call of ['hour', 'minute', 'weekday']) {
    t.is(fault(`time.${call}("America/Argentina/Buenos_Aires") >= 0`), 'none');
    for (const zone of ['"Europe/Berln"', '"+02:00"', '""', 'context.zone', 'agent == "" ? "UTC" : "GMT"'])
      t.regex(fault(`time.${call}(${zone}) >= 0`), /without an IANA time zone in quotes.*line 1, column \d+/, `${call} ${zone}`);
  }
  for (const text of ['"90s"', '"1h30m"', '"-1.5h"', '"300ms"']) t.is(fault(`time.now - grant.created > duration(${text})`), 'none', text);
  for (const text of ['"90"', '""', '"1d"', 'reason', `"${'1'.repeat(900)}"`])
    t.regex(fault(`time.now - grant.created > duration(${text})`), /without a duration in quotes/, text);
});

test('only functions that are known to have a bound may be called', (t) => {
  for (const call of [
    'cel.bind(v, [1], v == [1])',
    'optional.of(1).hasValue()',
    'optional.none().orValue(true)',
    'request.path.split("").size() > 0',
    '["a"].map(x, [x, x]).size() > 0',
    '["a"].join("") == "a"',
    'bytes(reason).size() > 0',
    'bool(reason)',
    'request.path.lastIndexOf("a") > 0',
    'dyn(1) == 1',
  ])
    t.regex(fault(call), /^uses \w+\(\), which is none of has, size, startsWith/, call);
});

test('a text that is sought stands in the expression', (t) => {
  for (const sought of ['reason', '"a" + agent', `"${'x'.repeat(251)}"`])
    t.regex(fault(`request.path.contains(${sought})`), /text in quotes of at most 250/, sought);
  t.regex(fault('request.query["q"].exists(x, request.path.contains(x))'), /text in quotes/);
  t.is(judge('["models", "files"].exists(x, request.path.contains(x))'), 'allow');
});

test('what has no bound is refused', (t) => {
  t.regex(fault('request.path.matches("(a+)+$")'), /matches\(\).*startsWith/);
  t.regex(fault('[1,2].all(x, [1,2].exists(y, x == y))'), /within another/);
  t.regex(fault('time.now.getHours("Europe/Berlin") > 3'), /time\.hour/);
  t.is(fault('time.now.getHours() > 3'), 'none');
  t.regex(fault(`"${'x'.repeat(1100)}" == reason`), /at most 1024/);
  t.not(fault(Array.from({ length: 120 }, () => 'true').join('&&')), 'none');
  t.regex(fault(`${'!'.repeat(300)}true`), /maxAstNodes/);
  t.regex(fault(`${'('.repeat(60)}true${')'.repeat(60)}`), /maxDepth/);
});

test('an expression cannot change what it is given', (t) => {
  const context = Object.freeze({ tool: 'x' });
  t.is(judge('context.tool == "x"', { context }), 'allow');
  t.deepEqual(facts({ context }).context, { tool: 'x' });
});

for (const name of ['constructor', '__proto__', 'prototype', 'toString', 'valueOf', 'hasOwnProperty']) {
  test(`a name that objects of JavaScript have is one like any other: ${name}`, (t) => {
    const query = `${name}=1`;
    t.is(judge('!("debug" in request.query)', { query }), 'allow');
    t.is(judge('size(request.query) == 1', { query }), 'allow');
    t.is(judge('size(request.query) == 0', { query }), 'deny');
    t.is(judge('request.query.all(n, n in ["limit"])', { query }), 'deny');
    t.is(judge(`request.query.exists(n, n == "${name}")`, { query }), 'allow');
    t.is(judge(`request.query["${name}"] == ["1"]`, { query }), 'allow');
    t.is(judge('request.query == {"a": ["1"]}', { query }), 'deny');
    const context = Object.fromEntries([[name, 'x']]);
    t.is(judge(`"${name}" in context && context["${name}"] == "x" && size(context) == 1`, { context }), 'allow');
    t.is(judge('"tool" in context', { context }), 'deny');
    t.is(judge('context == {"a": "x"}', { context }), 'deny');
    for (const absent of [`"${name}" in context`, `"${name}" in request.query`])
      t.is(judge(absent, { query: 'a=1', context: { a: '1' } }), 'deny');
  });
}
