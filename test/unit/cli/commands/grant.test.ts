import test from 'ava';
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
  t.like(shown, { id, label: 'nightly', secretName: 'openai', status: 'active', policy: [{ kind: 'methods', allow: ['GET', 'HEAD'] }] });
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
