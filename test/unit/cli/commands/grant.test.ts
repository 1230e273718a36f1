import test, { type ExecutionContext } from 'ava';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { initialised, inProcessHome, type CliHome } from '../../../support/cli.ts';

type Json = Readonly<Record<string, unknown>>;

async function rows(cli: CliHome, ...args: string[]): Promise<readonly Json[]> {
  return (await cli.json(args)) as readonly Json[];
}

test('a grant is issued, listed and revoked; its id is all that stdout holds', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const issued = await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'nightly', '--ttl', '30d', '--method', 'get,head']);
  t.regex(issued.stdout, /^[0-9a-f]{8}-[0-9a-f-]{27}\n$/);
  t.regex(issued.stderr, /Issued for api\.openai\.com; expires in 30 days/);
  const id = issued.stdout.trim();
  const shown = (await cli.json(['grant', 'show', id])) as Json;
  t.like(shown, {
    id,
    label: 'nightly',
    secretName: 'openai',
    selfIssued: false,
    status: 'active',
    policy: [{ kind: 'methods', allow: ['GET', 'HEAD'] }],
  });
  t.is(Date.parse(String(shown['expiresAt'])) - Date.parse(String(shown['createdAt'])), 30 * 86_400_000);

  t.is((await cli.run(['grant', 'revoke', id])).code, 0);
  t.deepEqual(await rows(cli, 'grant', 'list'), []);
  t.deepEqual((await rows(cli, 'grant', 'list', '--all', '--secret', 'openai')).map(({ status }) => status), ['revoked']); // prettier-ignore
});

test('what a grant cannot be is refused', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const issue = async (...args: string[]) => (await cli.run(['grant', 'issue', '--label', 'x', ...args])).code;
  t.is(await issue('--secret', 'openai', '--ttl', '30'), 2);
  t.is(await issue('--secret', 'openai', '--method', 'GET POST'), 2);
  t.is(await issue('--secret', 'nope'), 4);
  t.is((await cli.run(['grant', 'show', '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11'])).code, 4);
  t.deepEqual(await rows(cli, 'grant', 'list'), []);
});

test('text that a record holds cannot drive the terminal', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  t.is((await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'a\u001b[2Jb'])).code, 2);
});

const ISSUER = 'https://idp.test';

/** A home with the secret `openai`, the identity provider `okta` and the agent `bot`. */
async function peopled(t: ExecutionContext): Promise<CliHome> {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  await cli.run(['agent', 'create', 'bot']);
  return cli;
}

/** Adds the identity provider `okta`, and makes tokens of it. */
async function withTokens(cli: CliHome): Promise<(subject: string, issuer?: string) => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const jwks = cli.write('jwks.json', JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] }));
  const added = await cli.run(['idp', 'add', 'okta', '--issuer', ISSUER, '--audience', 'app', '--jwks-file', jwks]);
  if (added.code !== 0) throw new Error(added.stderr);
  return (subject, issuer = ISSUER) =>
    new SignJWT().setProtectedHeader({ alg: 'ES256', kid: 'k' }).setIssuer(issuer).setAudience('app').setSubject(subject)
      .setExpirationTime('5m').sign(privateKey); // prettier-ignore
}

const idOf = (text: string) => text.trim();

test('a grant is for a user, a group or an agent; a user may be told by a token', async (t) => {
  const cli = await peopled(t);
  const tokenOf = await withTokens(cli);
  const issue = async (...args: string[]) =>
    ((await cli.json(['grant', 'issue', '--secret', 'openai', '--label', 'x', ...args])) as Json)['principal'];
  t.deepEqual(await issue('--user', 'okta:00u:ann'), { type: 'user', idp: 'okta', subject: '00u:ann' });
  t.deepEqual(await issue('--group', 'okta:staff'), { type: 'group', idp: 'okta', group: 'staff' });
  t.deepEqual(await issue('--agent', 'bot'), { type: 'agent', agent: 'bot' });
  t.deepEqual(await issue('--user-token', cli.write('token', `${await tokenOf('ann')}\n`)), { type: 'user', idp: 'okta', subject: 'ann' });
  const args = ['grant', 'issue', '--secret', 'openai', '--label', 'x'];
  const code = async (...more: string[]) => (await cli.run([...args, ...more])).code;
  t.is((await cli.run([...args, '--user-token', '-'], { stdin: await tokenOf('bob') })).code, 0);
  const bad = await cli.run([...args, '--user-token', '-'], { stdin: await tokenOf('bob', 'https://other.test') });
  t.is(bad.code, 1);
  t.notRegex(bad.stderr, /eyJ/);
  t.is(await code('--user', 'ann'), 2);
  t.is(await code('--user', ':ann'), 2);
  t.is(await code('--user', 'okta:'), 2);
  t.is(await code('--user', 'other:ann'), 4);
  t.is(await code('--agent', 'nobody'), 4);
  t.is(await code('--user', 'okta:ann', '--agent', 'bot'), 2);
  t.is(await code('--ttl', '1h', '--expires-at', '2999-01-01'), 2);
  t.is(await code('--expires-at', '2001-01-01'), 2);
  t.is((await rows(cli, 'grant', 'list')).length, 5);
  t.deepEqual((await rows(cli, 'grant', 'list', '--user', 'okta:ann')).length, 1);
  t.deepEqual((await rows(cli, 'grant', 'list', '--principal', 'agent')).length, 1);
  t.is((await cli.run(['grant', 'list', '--principal', 'nobody'])).code, 2);
  t.is((await cli.run(['grant', 'list', '--status', 'gone'])).code, 2);
});

test('a grant is changed, cloned, regenerated, delegated and deleted', async (t) => {
  const cli = await peopled(t);
  await withTokens(cli);
  const issued = await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'x', '--user', 'okta:ann', '--ttl', '1h']);
  const id = idOf(issued.stdout);
  t.regex(issued.stderr, /Issued to user okta:ann for api\.openai\.com/);
  t.like(await cli.json(['grant', 'edit', id, '--label', 'y', '--description', 'more']), { label: 'y', description: 'more' });
  t.is((await cli.run(['grant', 'edit', id])).code, 2);
  t.is((await cli.run(['grant', 'clone', id, '--ttl', '2h'])).code, 3);
  const clone = idOf((await cli.run(['grant', 'clone', id, '--label', 'clone'])).stdout);
  t.like(await cli.json(['grant', 'show', clone]), { label: 'clone', clonedFrom: id, status: 'active' });
  const delegation = idOf((await cli.run(['grant', 'delegate', id, '--to-agent', 'bot'])).stdout);
  t.like(await cli.json(['grant', 'show', delegation]), { delegatedFrom: id, principal: { type: 'agent', agent: 'bot' } });
  t.is((await cli.run(['grant', 'revoke', id])).stdout, `The grant ${id} (y) is revoked\n`);
  t.like(await cli.json(['grant', 'show', delegation]), { status: 'source_ended' });
  t.like(await cli.json(['grant', 'reactivate', id]), { status: 'active' });
  const next = idOf((await cli.run(['grant', 'regenerate', id, '--grace', '10m'])).stdout);
  t.like(await cli.json(['grant', 'show', next]), { replaces: id, status: 'active' });
  t.like(await cli.json(['grant', 'show', id]), { replacedBy: next, status: 'active' });
  t.is((await cli.run(['grant', 'delete', next], { stdin: 'y\n' })).code, 3);
  t.like(await cli.json(['grant', 'delete', next, '--yes']), { status: 'deleted' });
  t.is((await cli.run(['grant', 'reactivate', next])).code, 3);
  const changes = (await cli.run(['audit', 'tail', '-n', '100'])).stdout;
  for (const action of ['issue', 'edit', 'clone', 'delegate', 'revoke', 'reactivate', 'regenerate', 'delete'])
    t.regex(changes, new RegExp(`change +grant\\.${action} +.*by operator:`), action);
});

test('grants that may come back with their secret or principal are revoked with those that are active', async (t) => {
  const cli = await peopled(t);
  await withTokens(cli);
  const issue = async (...principal: string[]) =>
    idOf((await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'x', ...principal])).stdout);
  const user = await issue('--user', 'okta:ann');
  const agent = await issue('--agent', 'bot');
  await cli.run(['agent', 'delete', 'bot', '--yes']);
  await cli.run(['idp', 'delete', 'okta', '--force', '--yes']);
  t.deepEqual(await rows(cli, 'grant', 'list', '--status', 'active', '--principal', 'user'), []);
  t.is((await rows(cli, 'grant', 'list', '--status', 'principal_ended')).length, 2);
  t.regex((await cli.run(['grant', 'list', '--all'])).stdout, /principal ended/);
  t.is((await cli.run(['grant', 'revoke', '--user', 'okta:ann'])).code, 0);
  t.like(await cli.json(['grant', 'show', user]), { status: 'revoked' });
  await cli.run(['secret', 'revoke', 'openai']);
  t.is((await cli.run(['grant', 'revoke', '--agent', 'bot'])).code, 0);
  t.like(await cli.json(['grant', 'show', agent]), { status: 'revoked' });
});

test('many grants are issued from a file, with a result each', async (t) => {
  const cli = await peopled(t);
  const file = cli.write(
    'grants.yaml',
    `grants:
  - { secret: openai, label: one, ttl: 30d, methods: [get, head] }
  - { secret: nope, label: two }
  - { secret: openai, label: three, tll: 30d }
  - { secret: openai, label: four, agent: bot, expires_at: 2999-01-01, description: for ever }
  - { secret: openai, label: 5 }
  - just text
`,
  );
  const expected = [true, false, false, true, false, false];
  const results = async (...args: string[]) => {
    const { code, stdout } = await cli.run(['grant', 'issue', '--file', file, '--json', ...args]);
    t.is(code, 1);
    const printed = JSON.parse(stdout) as { readonly failed: number; readonly results: readonly { readonly ok: boolean }[] };
    t.is(printed.failed, 4);
    return printed.results.map(({ ok }) => ok);
  };
  t.deepEqual(await results('--dry-run'), expected);
  t.deepEqual(await rows(cli, 'grant', 'list', '--all'), []);
  t.deepEqual(await results(), expected);
  t.deepEqual((await rows(cli, 'grant', 'list')).map(({ label }) => label).sort(), ['four', 'one']);
  t.is((await cli.run(['grant', 'issue', '--file', file, '--secret', 'openai'])).code, 2);
  t.is((await cli.run(['grant', 'issue', '--file', '-'], { stdin: '[{"secret":"openai","label":"from stdin"}]' })).code, 0);
  t.is((await cli.run(['grant', 'issue', '--file', '-'], { stdin: 'no list' })).code, 2);
  const text = (await cli.run(['grant', 'issue', '--file', file, '--dry-run'])).stdout;
  t.regex(text, /#2 +- +two +there is no secret/);
  t.regex(text, /#3 +- +three +"tll" is not known/);
  t.regex(text, /2 of 6 would be issued\n$/);
});

test('many grants are revoked and edited by id or by filter, with a result each', async (t) => {
  const cli = await peopled(t);
  const issue = async (label: string) => idOf((await cli.run(['grant', 'issue', '--secret', 'openai', '--label', label])).stdout);
  const ids = [await issue('job a'), await issue('job b'), await issue('other')];
  const dry = (await cli.json(['grant', 'revoke', '--with-label', 'JOB', '--dry-run'])) as { readonly results: readonly Json[] };
  t.deepEqual(dry.results.map(({ label }) => label), ['job a', 'job b']); // prettier-ignore
  t.is((await rows(cli, 'grant', 'list')).length, 3);
  const edited = await cli.run(['grant', 'edit', '--with-label', 'job', '--ttl', '1d', '--json']);
  t.is(edited.code, 0);
  t.like(await cli.json(['grant', 'show', ids[2] ?? '']), { expiresAt: null });
  const revoked = await cli.run(['grant', 'revoke', ...ids.slice(0, 2), '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11', '--json']);
  t.is(revoked.code, 1);
  const { results } = JSON.parse(revoked.stdout) as { readonly results: readonly Json[] };
  t.deepEqual(results.map(({ ok, code }) => code ?? ok), [true, true, 'not_found']); // prettier-ignore
  t.like(results[2], { id: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11', label: null });
  t.deepEqual((await rows(cli, 'grant', 'list')).map(({ label }) => label), ['other']); // prettier-ignore
  t.is((await cli.run(['grant', 'revoke'])).code, 2, 'neither ids nor a filter');
  for (const args of [['revoke'], ['edit', '--label', 'all'], ['list']])
    t.regex((await cli.run(['grant', ...args, '--with-label', ''])).stderr, /^error: --with-label must not be empty/);
  t.is((await cli.run(['grant', 'revoke', ids[2] ?? '', '--secret', 'openai'])).code, 2, 'both');
  t.deepEqual((await rows(cli, 'grant', 'list', '--status', 'revoked,active')).length, 3);
});

test('of grants that were chosen, the results say which ones could not be changed', async (t) => {
  const cli = await peopled(t);
  const id = idOf((await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'old'])).stdout);
  await cli.run(['secret', 'edit', 'openai', '--max-ttl', '1h']);
  const edit = ['grant', 'edit', '--secret', 'openai', '--ttl', '2h'];
  const { code, stdout } = await cli.run([...edit, '--json']);
  t.is(code, 1);
  t.like(JSON.parse(stdout), { failed: 1, results: [{ item: '#1', ok: false, id, label: 'old', code: 'not_allowed' }] });
  t.regex((await cli.run(edit)).stdout, new RegExp(`#1 +${id} +old +the grant may not live beyond`));
  t.is((await cli.run([...edit, '--endless'])).code, 2);
});

test('a list is read page by page', async (t) => {
  const cli = await peopled(t);
  for (const label of ['a', 'b', 'c']) await cli.run(['grant', 'issue', '--secret', 'openai', '--label', label]);
  const first = await rows(cli, 'grant', 'list', '--limit', '2');
  t.is(first.length, 2);
  const cursor = String(first[1]?.['id']);
  t.regex((await cli.run(['grant', 'list', '--limit', '2'])).stderr, new RegExp(`--cursor ${cursor}`));
  t.is((await rows(cli, 'grant', 'list', '--limit', '2', '--cursor', cursor)).length, 1);
  for (const limit of ['0', 'x', '-1', '10001']) t.is((await cli.run(['grant', 'list', '--limit', limit])).code, 2);
});

test('the longest life of the configuration bounds every grant', async (t) => {
  const cli = await peopled(t);
  const env = { ALTER_GRANTS_MAX_TTL_SECONDS: '3600' };
  t.is((await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'x', '--ttl', '2h'], { env })).code, 3);
  const shown = (await cli.json(['grant', 'issue', '--secret', 'openai', '--label', 'x'], { env })) as Json;
  t.is(Date.parse(String(shown['expiresAt'])) - Date.parse(String(shown['createdAt'])), 3_600_000);
});
