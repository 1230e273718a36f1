import test from 'ava';
import { initialised, inProcessHome, type CliHome } from '../../../support/cli.ts';

type Json = Readonly<Record<string, unknown>>;

const RULES = 'rules:\n  - kind: methods\n    name: read-only\n    allow: [GET, HEAD]\n';

async function home(t: import('ava').ExecutionContext): Promise<{ readonly cli: CliHome; readonly grant: string }> {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const grant = (await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'nightly'])).stdout.trim();
  return { cli, grant };
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
  const { openStore } = await import('../../../../src/store/open.ts');
  const store = await openStore({ kind: 'embedded', path: `${cli.home}/store` }, { auditMaxStream: 0 });
  const event = {
    ...{ v: 1, id: '6f1c2d3e-7b1a-4c52-9a53-0d6f2b1c7e88', type: 'request', start: '2026-07-15T12:00:00.000Z', durationMs: 1 },
    ...{ app: 'default', clientAddress: '127.0.0.1', method: 'DELETE', scheme: 'https', host: 'api.openai.com', port: 443 },
    ...{ path: '/v1/files/x', queryNames: [], grantId: grant, reason: null, context: null, warnings: [] },
    ...{ outcome: 'policy_denied', code: 'policy_violation', rule: 'grant:read-only', status: 403 },
  };
  const success = { ...event, id: 'b2', method: 'GET', outcome: 'success', code: null, rule: null, status: 200 };
  const gone = { ...success, id: 'c3', grantId: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11' };
  await store.appendEvents(
    'default',
    [event, success, gone].map((one) => JSON.stringify(one)),
  );
  await store.close();
  const file = cli.write('rules.yaml', RULES);
  await cli.run(['policy', 'set', '--grant', grant, '--file', file]);

  const explained = await cli.run(['policy', 'explain', event.id]);
  t.is(explained.code, 0, explained.stderr);
  t.regex(explained.stdout, /Refused by +grant:read-only/);
  t.regex(explained.stdout, /Passes when +the method is one of GET, HEAD/);
  t.is((await cli.run(['policy', 'explain', 'nope'])).code, 4);

  const replayed = (await cli.json(['policy', 'test', '--events', '10'])) as readonly Json[];
  t.deepEqual(replayed.map(({ id, allow, rule }) => [id, allow, rule]), [[event.id, false, 'grant:read-only'], ['b2', true, null], ['c3', null, undefined]]); // prettier-ignore
  const loose = cli.write('loose.yaml', 'rules:\n  - kind: methods\n    allow: [DELETE]\n');
  const proposed = (await cli.json(['policy', 'test', '--events', '10', '--rules', loose, '--grant', grant])) as readonly Json[];
  t.deepEqual(proposed.map(({ id, allow }) => [id, allow]), [[event.id, true], ['b2', false]]); // prettier-ignore
});
