/** Secrets go in from stdin, a file or JSON, and never come out. */
import test from 'ava';
import { runProgram } from '../../../../src/cli/program.ts';
import { initialised, inProcessHome, type CliHome } from '../../../support/cli.ts';
import { fakeTerminal } from '../../../support/fake-terminal.ts';

async function rows(cli: CliHome, ...args: string[]): Promise<readonly Readonly<Record<string, unknown>>[]> {
  return (await cli.json(args)) as readonly Readonly<Record<string, unknown>>[];
}

test('a secret goes in from stdin, a file or JSON, and is shown without its value', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const outputs: string[] = [];
  const run: CliHome['run'] = async (args, options) => {
    const result = await cli.run(args, options);
    outputs.push(result.stdout, result.stderr);
    return result;
  };
  const stored = await run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-live-9999\n' });
  t.is(stored.code, 0, stored.stderr);
  t.regex(stored.stdout, /^Stored secret openai \(ms_[0-9A-Z]{26}\) for api\.openai\.com\n$/);
  const file = cli.write('key.txt', 'gsk_live-9999-file');
  t.is((await run(['secret', 'add', 'groq', '--provider', 'groq', '--field', `api_key=@${file}`])).code, 0);
  const jira = ['secret', 'add', 'jira', '--provider', 'jira', '--host', 'me.atlassian.net', '--fields-stdin'];
  t.is((await run(jira, { stdin: '{"email":"a@b.test","api_token":"tok-9999"}' })).code, 0);

  const listed = await rows(cli, 'secret', 'list');
  t.deepEqual(listed.map(({ name }) => name).sort(), ['groq', 'jira', 'openai']);
  t.like(await cli.json(['secret', 'show', 'openai']), {
    name: 'openai',
    provider: 'openai',
    version: 1,
    status: 'active',
    activeGrants: 0,
  });
  await run(['secret', 'list']);
  await run(['secret', 'show', 'openai']);
  await run(['secret', 'show', 'openai', '--json']);
  t.notRegex(outputs.join('\n'), /9999/);
});

test('a value on the command line is refused, and not repeated', async (t) => {
  const cli = await initialised(inProcessHome(t));
  for (const args of [['--field', 'api_key=sk-live-9999'], ['--field', 'sk-live-9999'], ['sk-live-9999'], ['--api-key=sk-live-9999']]) {
    const { code, stdout, stderr } = await cli.run(['secret', 'add', 'openai', '--provider', 'openai', ...args], { stdin: 'x' });
    t.is(code, 2, args.join(' '));
    t.notRegex(stdout + stderr, /9999/);
  }
  t.deepEqual(await rows(cli, 'secret', 'list'), []);
});

test('a secret is rotated in place and deleted with a confirmation', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  t.is((await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' })).code, 3);
  t.like(await cli.json(['secret', 'rotate', 'openai'], { stdin: 'sk-2' }), { name: 'openai', version: 2 });
  const grant = (await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'x'])).stdout.trim();

  const unconfirmed = await cli.run(['secret', 'delete', 'openai'], { stdin: 'openai\n' });
  t.is(unconfirmed.code, 3);
  t.regex(unconfirmed.stderr, /hint: Pass --yes/);
  t.like(await cli.json(['grant', 'show', grant]), { status: 'active' });

  t.is((await cli.run(['secret', 'delete', 'openai', '--yes'])).code, 0);
  t.deepEqual(await rows(cli, 'secret', 'list'), []);
  t.deepEqual((await rows(cli, 'secret', 'list', '--all')).map(({ status }) => status), ['deleted']); // prettier-ignore
  t.like(await cli.json(['grant', 'show', grant]), { status: 'credential_revoked' });
  t.is((await cli.run(['secret', 'rotate', 'nope'], { stdin: 'x' })).code, 4);
});

test('a secret is revoked and reactivated, and says how old it is and when it was used last', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai', '--max-ttl', '30d'], { stdin: 'sk-1' });
  const shown = (await cli.json(['secret', 'show', 'openai'])) as Readonly<Record<string, unknown>>;
  t.like(shown, { maxTtlSeconds: 2_592_000, uses: 0, lastUsedAt: null, activeGrants: 0 });
  t.true(Number(shown['ageMs']) >= 0 && Number(shown['ageMs']) < 60_000);
  t.like(await cli.json(['secret', 'revoke', 'openai']), { status: 'revoked' });
  t.deepEqual((await rows(cli, 'secret', 'list')).map(({ status }) => status), ['revoked']); // prettier-ignore
  t.like(await cli.json(['secret', 'rotate', 'openai'], { stdin: 'sk-2' }), { status: 'revoked', version: 2 });
  t.like(await cli.json(['secret', 'reactivate', 'openai']), { status: 'active' });
  t.like(await cli.json(['secret', 'edit', 'openai', '--any-ttl']), { maxTtlSeconds: null });
  t.like(await cli.json(['secret', 'edit', 'openai', '--max-ttl', '1h30m']), { maxTtlSeconds: 5400 });
  t.regex((await cli.run(['secret', 'show', 'openai'])).stdout, /Longest life of grants +1 hour/);
  for (const args of [[], ['--max-ttl', '1h', '--any-ttl'], ['--max-ttl', '30']])
    t.is((await cli.run(['secret', 'edit', 'openai', ...args])).code, 2, args.join(' '));
  await cli.run(['secret', 'delete', 'openai', '--yes']);
  t.is((await cli.run(['secret', 'revoke', 'openai'])).code, 4);
  t.is((await cli.run(['secret', 'reactivate', 'openai'])).code, 4);
});

test('a provider with a host for each tenant asks for the tenant and pins the host', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const add = (name: string, ...args: string[]) =>
    cli.run(['secret', 'add', name, '--provider', 'shopify', ...args], { stdin: 'shpat_9999' });
  t.regex((await add('one', '--tenant', 'My-Shop')).stdout, /for my-shop\.myshopify\.com\n$/);
  t.regex((await add('two', '--field', 'tenant=two')).stdout, /for two\.myshopify\.com\n$/);
  t.regex((await add('three', '--host', 'three.myshopify.com')).stdout, /for three\.myshopify\.com\n$/);
  t.like(await cli.json(['secret', 'show', 'one']), { origins: ['https://my-shop.myshopify.com:443'] });
  for (const tenant of ['evil.com/', 'a.b', 'a%2eb', 'bücher', 'a_b', '@file', '-', '']) {
    const refused = await add('four', '--tenant', tenant);
    t.is(refused.code, 2, tenant);
    t.notRegex(refused.stdout + refused.stderr, /9999/);
  }
  t.is((await add('four')).code, 2);
  t.is((await add('four', '--tenant', 'four', '--host', 'four.myshopify.com')).code, 2);
  t.is((await cli.run(['secret', 'add', 'four', '--provider', 'openai', '--tenant', 'x'], { stdin: 'sk-1' })).code, 2);

  t.like(await cli.json(['secret', 'rotate', 'one'], { stdin: 'shpat_9998' }), {
    version: 2,
    origins: ['https://my-shop.myshopify.com:443'],
  });
  t.is((await cli.run(['secret', 'rotate', 'one', '--field', 'tenant=other'], { stdin: 'shpat_9998' })).code, 2);
});

test('a value of the wrong format is refused with the format that is expected, and not repeated', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const refused = await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'pk-live-9999' });
  t.is(refused.code, 2);
  t.regex(refused.stderr, /the value of api_key has the wrong format: it must begin with sk-/);
  t.notRegex(refused.stdout + refused.stderr, /9999/);
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  t.is((await cli.run(['secret', 'rotate', 'openai'], { stdin: 'pk-live-9999' })).code, 2);
});

test('one field of several is rotated alone', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const fields = JSON.stringify({ client_id: 'app', client_secret: 'cs-9999', refresh_token: 'rt-9999' });
  const file = cli.write(
    'rt.yaml',
    `slug: rt
name: rt
category: test
hosts: [api.rt.test]
fields:
  client_id: { label: Client ID, secret: false }
  client_secret: { label: Client secret }
  refresh_token: { label: Refresh token }
derive:
  oauth2_refresh_token:
    token_url: https://auth.rt.test/token
    client_id: '{client_id}'
    client_secret: '{client_secret}'
    refresh_token: '{refresh_token}'
inject: [bearer: '{access_token}']
confidence: high
`,
  );
  t.is((await cli.run(['provider', 'add', '--file', file])).code, 0);
  t.is((await cli.run(['secret', 'add', 'rt', '--provider', 'rt', '--fields-stdin'], { stdin: fields })).code, 0);
  const secret = cli.write('cs', 'cs-9999-new');
  const rotated = await cli.run(['secret', 'rotate', 'rt', '--field', `client_secret=@${secret}`]);
  t.is(rotated.code, 0, rotated.stderr);
  t.regex(rotated.stdout, /to version 2/);
  t.notRegex(rotated.stdout + rotated.stderr, /9999/);
  t.is((await cli.run(['secret', 'rotate', 'rt', '--field', 'other=-'], { stdin: 'x' })).code, 2);
  t.is((await cli.run(['secret', 'rotate', 'rt'], { stdin: 'x' })).code, 2);
  t.is((await cli.run(['secret', 'rotate', 'rt', '--fields-stdin'], { stdin: '{"client_secret":"x"}' })).code, 2);
  t.regex((await cli.run(['audit', 'tail', '--json'])).stdout, /"members":\["fields\.client_secret"\]/);
});

test('what is wrong beside the value is said before the value is asked for', async (t) => {
  const { home, run } = await initialised(inProcessHome(t));
  await run(['secret', 'add', 'taken', '--provider', 'openai'], { stdin: 'sk-1' });
  for (const [args, exit, message] of [
    [['taken', '--provider', 'openai'], 3, /named "taken" already/],
    [['a:b', '--provider', 'openai'], 2, /cannot name a secret/],
    [['new', '--provider', 'openai', '--host', 'a.example/path'], 2, /"a\.example\/path" is not an exact host/],
    [['new', '--provider', 'openai', '--host', 'a.example'], 2, /not a host of provider openai/],
  ] as const) {
    const terminal = fakeTerminal({ tty: true, env: { ALTER_HOME: home } });
    t.is(await runProgram(['secret', 'add', ...args], terminal), exit);
    t.regex(terminal.written().stderr, message);
    t.notRegex(terminal.written().stderr, /hidden/);
  }
});
