/** A session of an operator: secrets go in and never come out, grants and keys are issued and revoked, master keys rotate. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { initialisedHome, type CliHome } from '../support/cli.ts';

type Json = Readonly<Record<string, unknown>>;

async function rows(cli: CliHome, ...args: string[]): Promise<readonly Json[]> {
  return (await cli.json(args)) as readonly Json[];
}

test('a secret goes in from stdin, a file or JSON, and is shown without its value', async (t) => {
  const cli = await initialisedHome(t);
  const outputs: string[] = [];
  const run: CliHome['run'] = async (args, options) => {
    const result = await cli.run(args, options);
    outputs.push(result.stdout, result.stderr);
    return result;
  };
  const stored = await run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-live-9999\n' });
  t.is(stored.code, 0, stored.stderr);
  t.regex(stored.stdout, /^Stored secret openai \(ms_[0-9A-Z]{26}\) for api\.openai\.com\n$/);
  const file = cli.write('key.txt', 'sk-live-9999-file');
  t.is((await run(['secret', 'add', 'groq', '--provider', 'groq', '--field', `api_key=@${file}`])).code, 0);
  const jira = ['secret', 'add', 'jira', '--provider', 'jira', '--host', 'me.atlassian.net', '--fields-stdin'];
  t.is((await run(jira, { stdin: '{"email":"a@b.test","api_token":"tok-9999"}' })).code, 0);

  const listed = await rows(cli, 'secret', 'list');
  t.deepEqual(listed.map(({ name }) => name).sort(), ['groq', 'jira', 'openai']);
  t.like(await cli.json(['secret', 'show', 'openai']), { name: 'openai', provider: 'openai', version: 1, status: 'active', activeGrants: 0 });
  await run(['secret', 'list']);
  await run(['secret', 'show', 'openai']);
  await run(['secret', 'show', 'openai', '--json']);
  t.notRegex(outputs.join('\n'), /9999/);
});

test('a value on the command line is refused, and not repeated', async (t) => {
  const cli = await initialisedHome(t);
  for (const args of [['--field', 'api_key=sk-live-9999'], ['--field', 'sk-live-9999'], ['sk-live-9999'], ['--api-key=sk-live-9999']]) {
    const { code, stdout, stderr } = await cli.run(['secret', 'add', 'openai', '--provider', 'openai', ...args], { stdin: 'x' });
    t.is(code, 2, args.join(' '));
    t.notRegex(stdout + stderr, /9999/);
  }
  t.deepEqual(await rows(cli, 'secret', 'list'), []);
});

test('a secret is rotated in place and deleted with a confirmation', async (t) => {
  const cli = await initialisedHome(t);
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

test('a grant is issued, listed and revoked; its id is all that stdout holds', async (t) => {
  const cli = await initialisedHome(t);
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const issued = await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'nightly', '--ttl', '30d', '--method', 'get,head']);
  t.regex(issued.stdout, /^[0-9a-f]{8}-[0-9a-f-]{27}\n$/);
  t.regex(issued.stderr, /Issued for api\.openai\.com; expires in 30 days/);
  const id = issued.stdout.trim();
  const shown = (await cli.json(['grant', 'show', id])) as Json;
  t.like(shown, { id, label: 'nightly', secretName: 'openai', status: 'active', policy: [{ kind: 'methods', allow: ['GET', 'HEAD'] }] });
  t.is(Date.parse(String(shown['expiresAt'])) - Date.parse(String(shown['createdAt'])), 30 * 86_400_000);

  t.is((await cli.run(['grant', 'revoke', id])).code, 0);
  t.deepEqual(await rows(cli, 'grant', 'list'), []);
  t.deepEqual((await rows(cli, 'grant', 'list', '--all', '--secret', 'openai')).map(({ status }) => status), ['revoked']); // prettier-ignore
});

test('what a grant cannot be is refused', async (t) => {
  const cli = await initialisedHome(t);
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const issue = async (...args: string[]) => (await cli.run(['grant', 'issue', '--label', 'x', ...args])).code;
  t.is(await issue('--secret', 'openai', '--ttl', '30'), 2);
  t.is(await issue('--secret', 'openai', '--method', 'GET POST'), 2);
  t.is(await issue('--secret', 'nope'), 4);
  t.is((await cli.run(['grant', 'show', '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11'])).code, 4);
  t.deepEqual(await rows(cli, 'grant', 'list'), []);
});

test('a key is printed once, and afterwards only its beginning', async (t) => {
  const cli = await initialisedHome(t);
  const { stdout } = await cli.run(['key', 'create', 'ci', '--ttl', '1h']);
  t.regex(stdout, /^alter_key_app_[\w-]{43}\n$/);
  const created = (await cli.json(['key', 'create', 'other'])) as Json;
  t.regex(String(created['key']), /^alter_key_app_[\w-]{43}$/);
  const listed = await cli.run(['key', 'list', '--json']);
  t.false(listed.stdout.includes(stdout.trim()));
  t.false(listed.stdout.includes(String(created['key'])));
  t.is((await cli.run(['key', 'revoke', 'ci'])).code, 0);
  t.deepEqual((await rows(cli, 'key', 'list')).map(({ name }) => name).sort(), ['other', 'sidecar']);
});

test('a key can go straight into a file that only its owner may read', async (t) => {
  const cli = await initialisedHome(t);
  const file = join(cli.folder, 'ci.key');
  const made = await cli.run(['key', 'create', 'ci', '--out', file]);
  t.is(made.code, 0, made.stderr);
  const key = readFileSync(file, 'utf8').trim();
  t.regex(key, /^alter_key_app_/);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.false((made.stdout + made.stderr).includes(key));
  t.is((await cli.run(['key', 'create', 'ci', '--out', file])).code, 3);
  t.is(readFileSync(file, 'utf8').trim(), key);
  t.is((await rows(cli, 'key', 'list')).length, 2);
});

test('master keys rotate: add, rewrap, drop', async (t) => {
  const cli = await initialisedHome(t);
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const [old] = await rows(cli, 'keyring', 'list');
  const oldKid = String(old?.['kid']);
  const added = (await cli.json(['keyring', 'add'])) as Json;
  t.like(added, { active: true });
  t.is((await cli.run(['keyring', 'drop', String(added['kid']), '--yes'])).code, 3);
  t.is((await cli.run(['keyring', 'drop', oldKid, '--yes'])).code, 3);
  t.like(await cli.json(['keyring', 'rewrap']), { unreadable: 0 });
  t.is((await cli.run(['keyring', 'drop', oldKid])).code, 3);
  t.is((await cli.run(['keyring', 'drop', oldKid, '--yes'])).code, 0);
  t.deepEqual((await rows(cli, 'keyring', 'list')).map(({ kid }) => kid), [added['kid']]); // prettier-ignore
  t.like(await cli.json(['secret', 'show', 'openai']), { status: 'active' });
});

test('a master key may be added for later', async (t) => {
  const cli = await initialisedHome(t);
  const added = (await cli.json(['keyring', 'add', '--no-activate'])) as Json;
  t.like(added, { active: false });
  t.like(await cli.json(['keyring', 'activate', String(added['kid'])]), { active: true });
  t.is((await cli.run(['keyring', 'activate', 'nope'])).code, 4);
  const shown = (await cli.run(['keyring', 'list'])).stdout;
  const keys = (JSON.parse(readFileSync(join(cli.home, 'keyring.json'), 'utf8')) as { keys: { k: string }[] }).keys;
  for (const { k } of keys) t.false(shown.includes(k));
});

test('a provider of your own is added from a file and takes secrets', async (t) => {
  const cli = await initialisedHome(t);
  const [shipped = ''] = readdirSync(new URL('../../../config/providers/', import.meta.url)).filter((name) => name === 'openai.yaml');
  const text = readFileSync(new URL(`../../../config/providers/${shipped}`, import.meta.url), 'utf8');
  const file = cli.write('mine.yaml', text.replace(/^slug: .*$/m, 'slug: mine').replaceAll('api.openai.com', 'api.mine.test'));
  t.like(await cli.json(['provider', 'add', '--file', file]), { slug: 'mine', custom: true });
  t.like(await cli.json(['provider', 'show', 'mine']), { slug: 'mine', custom: true, hosts: ['api.mine.test'] });
  const stored = await cli.run(['secret', 'add', 'mine', '--provider', 'mine'], { stdin: 'sk-1' });
  t.regex(stored.stdout, /for api\.mine\.test\n$/);
  t.is((await cli.run(['provider', 'add', '--file', join(cli.folder, 'nope.yaml')])).code, 1);
  t.is((await cli.run(['provider', 'add', '--file', cli.write('bad.yaml', 'slug: x\n')])).code, 1);
});

test('text that a record holds cannot drive the terminal', async (t) => {
  const cli = await initialisedHome(t);
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  t.is((await cli.run(['grant', 'issue', '--secret', 'openai', '--label', 'a\u001b[2Jb'])).code, 2);
});
