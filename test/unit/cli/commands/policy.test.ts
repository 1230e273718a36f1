import test from 'ava';
import type { AuditEvent } from '../../../../src/audit/event.ts';
import { openStore } from '../../../../src/store/open.ts';
import { auditDraft } from '../../../support/audit-draft.ts';
import { initialised, inProcessHome, type CliHome } from '../../../support/cli.ts';

type Json = Readonly<Record<string, unknown>>;

const RULES = 'rules:\n  - kind: methods\n    name: read-only\n    allow: [GET, HEAD]\n';
const OF_BOT = 'rules:\n  - kind: cel\n    expression: agent == "bot"\n';

async function home(t: import('ava').ExecutionContext): Promise<{ readonly cli: CliHome; readonly grant: string }> {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const grant = (await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'nightly'])).stdout.trim();
  return { cli, grant };
}

/** No grant has this id. */
const NOBODYS = '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11';

/** Puts events of requests into the audit stream. */
async function record(cli: CliHome, events: readonly Partial<AuditEvent>[]): Promise<void> {
  const store = await openStore({ kind: 'embedded', path: `${cli.home}/store` }, { auditMaxStream: 0 });
  await store.appendEvents(
    'default',
    events.map((event, index) => JSON.stringify({ v: 1, ...auditDraft('/x'), proxy: 'p', process: '00000000', seq: index + 1, ...event })),
  );
  await store.close();
}

/** An agent, an identity provider, and a grant of one of its users. */
async function agentAndUser(cli: CliHome): Promise<string> {
  await cli.json(['agent', 'create', 'bot']);
  await cli.json(['idp', 'add', 'corp', '--issuer', 'https://login.example.com', '--audience', 'my-app']);
  return (await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'hers', '--user', 'corp:alice'])).stdout.trim();
}

test('rules are set from a file or stdin, shown, listed and cleared at every place', async (t) => {
  const { cli, grant } = await home(t);
  const file = cli.write('rules.yaml', RULES);
  for (const place of [['--app'], ['--provider', 'openai'], ['--secret', 'openai'], ['--grant', grant]]) {
    const set = await cli.run(['policy', 'set', ...place, '--file', file]);
    t.is(set.code, 0, set.stderr);
    t.regex(set.stdout, /^Set 1 rule for /);
    t.regex((await cli.run(['policy', 'show', ...place])).stdout, /read-only +methods +enforce +the method is one of GET, HEAD/);
  }
  t.deepEqual(((await cli.json(['policy', 'list'])) as readonly Json[]).map(({ at }) => at), ['app', 'provider', 'secret', 'grant']); // prettier-ignore
  t.is((await cli.run(['policy', 'clear', '--app'])).code, 0);
  t.regex((await cli.run(['policy', 'show', '--app'])).stdout, /^No rules for app default/);
  t.is(
    (await cli.run(['policy', 'set', '--app', '-f', '-'], { stdin: JSON.stringify({ rules: [{ kind: 'ttl', max_seconds: 5 }] }) })).code,
    0,
  );
  t.like(await cli.json(['policy', 'show', '--app']), { at: 'app', rules: [{ kind: 'ttl', max_seconds: 5 }] });
});

test('a grant is issued with rules from a file', async (t) => {
  const { cli } = await home(t);
  const file = cli.write('rules.yaml', RULES);
  const id = (await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'x', '--policy', file, '--method', 'GET'])).stdout.trim();
  const rules = ((await cli.json(['policy', 'show', '--grant', id])) as Json)['rules'];
  t.deepEqual(rules, [{ kind: 'methods', allow: ['GET'] }, { kind: 'methods', name: 'read-only', allow: ['GET', 'HEAD'] }]); // prettier-ignore
});

for (const [text, expected] of [
  ['rules:\n  - kind: quota\n', /rules\.yaml:2:11 rules\[0\]\.kind: must be one of time, ip/],
  ['rules:\n  - kind: methods\n    allow: [get]\n', /rules\.yaml:3:13 rules\[0\]\.allow\[0\]: must be a method in upper case/],
  ['rules:\n  - kind: methods\n    allow: [GET]\n    days: [mon]\n', /rules\.yaml:4:\d+ rules\[0\]\.days: is not a member/],
  ['rules:\n  - kind: cel\n    expression: request.methd == "GET"\n', /rules\.yaml:3:17 rules\[0\]\.expression: .*methd.*column 9/],
  ['- kind: methods\n', /rules\.yaml:1:1: must be a mapping with rules/],
  ['rules: []\nmore: 1\n', /rules\.yaml:2:1 more: is not known here/],
  ['rules: [\n', /rules\.yaml:\d+:\d+: is not valid YAML/],
] as const) {
  test(`a file that is wrong is refused with its place: ${JSON.stringify(text)}`, async (t) => {
    const { cli } = await home(t);
    const result = await cli.run(['policy', 'set', '--app', '--file', cli.write('rules.yaml', text)]);
    t.is(result.code, 1);
    t.regex(result.stderr, expected);
    t.deepEqual(await cli.json(['policy', 'list']), []);
  });
}

test('exactly one place, and one that exists', async (t) => {
  const { cli } = await home(t);
  const file = cli.write('rules.yaml', RULES);
  const code = async (...args: string[]) => (await cli.run(['policy', 'set', '--file', file, ...args])).code;
  t.is(await code(), 2);
  t.is(await code('--app', '--secret', 'openai'), 2);
  t.is(await code('--secret', 'nope'), 4);
  t.is(await code('--provider', 'nope'), 4);
  t.is(await code('--agent', 'nope'), 4);
  t.is((await cli.run(['policy', 'set', '--app', '--file', `${file}x`])).code, 1);
});

test('a described request is tried against the rules of now, and against proposed ones', async (t) => {
  const { cli, grant } = await home(t);
  await cli.run(['policy', 'set', '--secret', 'openai', '--file', cli.write('rules.yaml', RULES)]);
  const request = cli.write('request.yaml', 'method: POST\nurl: https://api.openai.com/v1/models?a=1\nreason: nightly\n');
  const denied = await cli.run(['policy', 'test', '--request', request, '--grant', grant]);
  t.is(denied.code, 3);
  t.regex(denied.stdout, /secret:read-only +denies +the method is one of GET, HEAD/);
  t.regex(denied.stdout, /Denied by secret:read-only/);
  const proposed = cli.write(
    'proposed.yaml',
    'rules:\n  - kind: methods\n    allow: [POST]\n  - kind: rate\n    limit: 5\n    window: minute\n',
  );
  const replaced = await cli.run(['policy', 'test', '--request', request, '--grant', grant, '--rules', proposed, '--secret', 'openai']);
  t.is(replaced.code, 0, replaced.stdout);
  t.regex(replaced.stdout, /secret:methods +passes/);
  t.regex(replaced.stdout, /secret:rate +depends on the count/);
  const beside = await cli.run(['policy', 'test', '--request', request, '--grant', grant, '--rules', proposed]);
  t.is(beside.code, 3, 'rules of the grant do not lift those of the secret');
  t.is((await cli.run(['policy', 'test', '--request', request, '--rules', proposed])).code, 0);
  t.deepEqual((await cli.json(['policy', 'show', '--grant', grant])) as Json, { at: 'grant', id: grant, name: 'nightly', rules: [] });
});

test('a described request is judged by its path without the credential, as the proxy does', async (t) => {
  const { cli } = await home(t);
  await cli.run(['secret', 'add', 'bot', '--provider', 'telegram'], { stdin: '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0' });
  const grant = (await cli.run(['grant', 'issue', '--secret', 'bot', '--label', 'x'])).stdout.trim();
  const rules = cli.write('rules.yaml', 'rules:\n  - kind: url\n    deny_paths: [/deleteWebhook]\n');
  for (const path of ['deleteWebhook', 'botx/deleteWebhook', 'bot{bot_token}/deleteWebhook']) {
    const request = cli.write('request.yaml', `method: POST\nurl: https://api.telegram.org/${encodeURI(path)}\n`);
    t.is((await cli.run(['policy', 'test', '--request', request, '--grant', grant, '--rules', rules])).code, 3, path);
  }
});

test('so is one whose credential stands in the query, and a recorded one', async (t) => {
  const { cli } = await home(t);
  await cli.run(['secret', 'add', 'in-query', '--provider', 'custom-query', '--host', 'api.example.com'], { stdin: 'sk-1' });
  const grant = (await cli.run(['grant', 'issue', '--secret', 'in-query', '--label', 'x'])).stdout.trim();
  const rules = cli.write('rules.yaml', 'rules:\n  - kind: query\n    allow: [limit]\n');
  for (const [query, code] of [
    ['limit=1', 0],
    ['limit=1&api_key=x', 0],
    ['limit=1;api%5Fkey=x', 0],
    ['limit=1&key=x', 3],
  ] as const) {
    const request = cli.write('request.yaml', `url: https://api.example.com/?${query}\n`);
    t.is((await cli.run(['policy', 'test', '--request', request, '--grant', grant, '--rules', rules])).code, code, query);
  }
  await record(cli, [{ grantId: grant, queryNames: ['limit', 'api_key'] }]);
  const [replayed] = (await cli.json(['policy', 'test', '--events', '1', '--grant', grant, '--rules', rules])) as readonly Json[];
  t.is(replayed?.['allow'], true);
});

test('a described request is judged by the headers that leave', async (t) => {
  const { cli } = await home(t);
  const rules = cli.write('rules.yaml', 'rules:\n  - kind: aws\n    actions: [sqs:GetQueueUrl]\n');
  const target = 'X-Amz-Target: AmazonSQS.GetQueueUrl, Content-Type: application/x-amz-json-1.0';
  for (const [headers, code] of [
    [target, 0],
    [`${target}, Connection: keep-alive`, 0],
    [`${target}, Connection: X-Amz-Target`, 3],
  ] as const) {
    const request = cli.write('request.yaml', `method: POST\nurl: https://sqs.eu-central-1.amazonaws.com/\nheaders: { ${headers} }\n`);
    t.is((await cli.run(['policy', 'test', '--request', request, '--rules', rules])).code, code, headers);
  }
});

test('of a rule that fails on the request, the cause is told', async (t) => {
  const { cli, grant } = await home(t);
  const rules = 'rules:\n  - kind: cel\n    expression: context.tool == "search"\n';
  await cli.run(['policy', 'set', '--grant', grant, '--file', cli.write('rules.yaml', rules)]);
  const request = cli.write('request.yaml', 'url: https://api.openai.com/v1/models\n');
  const args = ['policy', 'test', '--request', request, '--grant', grant];
  const cause = 'no such key (line 1, column 9 of the expression)';
  const tried = await cli.run(args);
  t.is(tried.code, 3);
  t.regex(tried.stdout, /grant:cel +cannot be evaluated/);
  t.true(tried.stdout.replace(/\s+/g, ' ').includes(`it failed: ${cause}`), tried.stdout);
  const { rules: found } = JSON.parse((await cli.run([...args, '--json'])).stdout) as { rules: readonly Json[] };
  t.like(found[0], { verdict: 'cannot be evaluated', cause });
});

test('what cannot be tried is told', async (t) => {
  const { cli, grant } = await home(t);
  const request = (text: string) => cli.write('request.yaml', text);
  const run = (file: string, ...args: string[]) => cli.run(['policy', 'test', '--request', file, ...args]);
  t.is((await cli.run(['policy', 'test', '--grant', grant])).code, 2);
  t.is((await run(request('url: https://a.test/\n'))).code, 2);
  t.regex(
    (await run(request('url: https://a.test/../x\n'), '--grant', grant)).stderr,
    /request\.yaml:1:6 url: would be refused before any rule/,
  );
  t.regex((await run(request('url: a.test\n'), '--grant', grant)).stderr, /url: must be a URL/);
  t.regex((await run(request('url: https://a.test/\nmethods: GET\n'), '--grant', grant)).stderr, /request\.yaml:2:1 methods: is not known/);
  t.regex((await run(request('url: https://a.test/\ntime: noon\n'), '--grant', grant)).stderr, /time: must be a time/);
  t.is((await cli.run(['policy', 'test', '--events', '0'])).code, 2);
});

test('recorded requests are replayed and explained', async (t) => {
  const { cli, grant } = await home(t);
  const refused = { outcome: 'policy_denied', code: 'policy_violation', rule: 'grant:read-only', status: 403 } as const;
  const event = { ...refused, id: '6f1c2d3e-7b1a-4c52-9a53-0d6f2b1c7e88', method: 'DELETE', grantId: grant };
  const success = { id: 'b2', method: 'GET', grantId: grant };
  const gone = { ...success, id: 'c3', grantId: NOBODYS };
  await record(cli, [event, success, gone]);
  const file = cli.write('rules.yaml', RULES);
  await cli.run(['policy', 'set', '--grant', grant, '--file', file]);

  const explained = await cli.run(['policy', 'explain', event.id]);
  t.is(explained.code, 0, explained.stderr);
  t.regex(explained.stdout, /Refused by +grant:read-only/);
  t.regex(explained.stdout, /Passes when +the method is one of GET, HEAD/);
  const unknown = await cli.run(['policy', 'explain', 'nope']);
  t.is(unknown.code, 4);
  t.regex(unknown.stderr, /hint: .*X-Alter-Request-Id.*`alter-proxy audit tail --json`/);

  const replayed = (await cli.json(['policy', 'test', '--events', '10'])) as readonly Json[];
  t.deepEqual(replayed.map(({ id, allow, rule }) => [id, allow, rule]), [[event.id, false, 'grant:read-only'], ['b2', true, null], ['c3', null, undefined]]); // prettier-ignore
  const loose = cli.write('loose.yaml', 'rules:\n  - kind: methods\n    allow: [DELETE]\n');
  const proposed = (await cli.json(['policy', 'test', '--events', '10', '--rules', loose, '--grant', grant])) as readonly Json[];
  t.deepEqual(proposed.map(({ id, allow }) => [id, allow]), [[event.id, true], ['b2', false]]); // prettier-ignore

  const ofGrant = async (id: string) =>
    ((await cli.json(['policy', 'test', '--events', '10', '--grant', id])) as readonly Json[]).map(({ id }) => id);
  t.deepEqual(await ofGrant(grant.toUpperCase()), [event.id, 'b2']);
  t.is((await cli.run(['policy', 'test', '--events', '10', '--grant', NOBODYS])).code, 4);
  const unused = (await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'unused'])).stdout.trim();
  t.regex((await cli.run(['policy', 'test', '--events', '10', '--grant', unused])).stdout, /^No events of requests with this grant\./);
});

test('the agent of a recorded request is the one whose key it was, whoever the grant is for', async (t) => {
  const { cli } = await home(t);
  const grant = await agentAndUser(cli);
  await cli.run(['policy', 'set', '--agent', 'bot', '--file', cli.write('rules.yaml', RULES)]);
  await cli.run(['policy', 'set', '--grant', grant, '--file', cli.write('cel.yaml', OF_BOT)]);
  const refused = { method: 'POST', grantId: grant, outcome: 'policy_denied', code: 'policy_violation', status: 403 } as const;
  await record(cli, [
    { ...refused, id: 'a1', agent: 'bot', rule: 'agent:read-only' },
    { ...refused, id: 'a2', agent: null, rule: 'grant:cel' },
  ]);

  const explained = (await cli.run(['policy', 'explain', 'a1'])).stdout;
  t.regex(explained, /Passes when +the method is one of GET, HEAD/);
  t.regex(explained, /With the rules of now +Denied by agent:read-only/);
  t.regex(explained, /grant:cel +passes/);
  const outcomes = async (...args: string[]) =>
    ((await cli.json(['policy', 'test', '--events', '10', ...args])) as readonly Json[]).map(({ id, allow, rule }) => [id, allow, rule]);
  t.deepEqual(await outcomes(), [['a1', false, 'agent:read-only'], ['a2', false, 'grant:cel']]); // prettier-ignore
  const loose = cli.write('loose.yaml', 'rules:\n  - kind: methods\n    allow: [POST]\n');
  t.deepEqual(await outcomes('--rules', loose, '--agent', 'bot'), [['a1', true, null], ['a2', false, 'grant:cel']]); // prettier-ignore
});

test("a described request with an agent's grant is one of that agent, unless it names another", async (t) => {
  const { cli } = await home(t);
  const source = await agentAndUser(cli);
  const grant = (await cli.run(['grant', 'delegate', source, '--to-agent', 'bot'])).stdout.trim();
  await cli.run(['policy', 'set', '--grant', source, '--file', cli.write('cel.yaml', OF_BOT)]);
  const code = async (id: string, more = '') =>
    (await cli.run(['policy', 'test', '--request', '-', '--grant', id], { stdin: `url: https://api.openai.com/v1/models\n${more}` })).code;
  t.is(await code(grant), 0);
  await cli.json(['agent', 'create', 'other']);
  t.is(await code(grant, 'agent: other\n'), 3);
  t.is(await code(source), 3);
  t.is(await code(source, 'agent: bot\n'), 0);
});

test('a described request of an agent that does not exist is not judged', async (t) => {
  const { cli, grant } = await home(t);
  await cli.json(['agent', 'create', 'reporter']);
  const rules = cli.write('rules.yaml', RULES);
  await cli.run(['policy', 'set', '--agent', 'reporter', '--file', rules]);
  const test = async (agent: string, ...more: string[]) => {
    const stdin = `url: https://api.openai.com/v1/models\nmethod: POST\nagent: ${agent}\n`;
    return await cli.run(['policy', 'test', '--request', '-', ...more], { stdin });
  };
  t.is((await test('reporter', '--grant', grant)).code, 3);
  for (const agent of ['reportr', 'Reporter'])
    for (const more of [
      ['--grant', grant],
      ['--rules', rules],
    ]) {
      const { code, stderr } = await test(agent, ...more);
      t.is(code, 4);
      t.true(stderr.includes(`there is no agent "${agent}"`), stderr);
    }
});

for (const { title, event, says, wouldPass } of [
  { title: 'it used no grant and was forwarded', event: {}, says: /of now +the request used no grant/, wouldPass: null },
  {
    title: 'it used no grant and was refused',
    event: { outcome: 'policy_denied', code: 'policy_violation', rule: 'ungranted' },
    says: /Refused by +ungranted\nPasses when +the request names a grant\nWith the rules of now +the request used no grant/,
    wouldPass: 'the request names a grant',
  },
  {
    title: 'the source of its delegation had ended',
    event: { outcome: 'policy_denied', code: 'grant_revoked', rule: 'delegation_source', grantId: 'known' },
    says: /grant_revoked\nRefused by +delegation_source\nPasses when +the grant from .* can be used\nHint +Reactivate it .*\nWith .* now +Allowed/,
    wouldPass: 'the grant from which this one was delegated can be used',
  },
  {
    title: 'there is no such grant',
    event: { outcome: 'policy_denied', code: 'grant_not_found', grantId: NOBODYS },
    says: /grant_not_found\nHint +Check the id .*\nWith the rules of now +there is no such grant/,
    wouldPass: null,
  },
  {
    title: 'the token endpoint refused',
    event: { outcome: 'policy_denied', code: 'credential_unavailable', rule: 'invalid_client', grantId: 'known' },
    says: /Refused by +invalid_client\nHint +The detail says why .*\nWith the rules of now +Allowed/,
    wouldPass: null,
  },
  {
    title: 'the store could not count',
    event: { outcome: 'policy_denied', code: 'store_unavailable', rule: 'grant:rate', grantId: 'known' },
    says: /Refused by +grant:rate\nHint +Check the store.*\nWith the rules of now +Allowed/,
    wouldPass: null,
  },
  {
    title: 'a rule refused that is gone by now',
    event: { outcome: 'policy_denied', code: 'policy_violation', rule: 'grant:methods', grantId: 'known' },
    says: /Refused by +grant:methods\nPasses when +the rule is not attached any more\n/,
    wouldPass: null,
  },
  {
    title: 'a rule refused whose grant is gone by now',
    event: { outcome: 'policy_denied', code: 'policy_violation', rule: 'app:methods', grantId: NOBODYS },
    says: /Refused by +app:methods\nHint .*\nWith the rules of now +there is no such grant/,
    wouldPass: null,
  },
] as const) {
  test(`a request is explained: ${title}`, async (t) => {
    const { cli, grant } = await home(t);
    const rate = 'rules:\n  - kind: rate\n    limit: 5\n    window: minute\n';
    await cli.run(['policy', 'set', '--grant', grant, '--file', cli.write('rate.yaml', rate)]);
    await record(cli, [{ ...event, id: 'a1', grantId: 'grantId' in event ? event.grantId.replace('known', grant) : null }]);
    t.regex((await cli.run(['policy', 'explain', 'a1'])).stdout, says);
    t.is(((await cli.json(['policy', 'explain', 'a1'])) as Json)['wouldPass'], wouldPass);
  });
}
