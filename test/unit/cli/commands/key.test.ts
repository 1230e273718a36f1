import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { initialised, inProcessHome, type CliHome } from '../../../support/cli.ts';

type Json = Readonly<Record<string, unknown>>;

async function rows(cli: CliHome, ...args: string[]): Promise<readonly Json[]> {
  return (await cli.json(args)) as readonly Json[];
}

test('a key is printed once, and afterwards only its beginning', async (t) => {
  const cli = await initialised(inProcessHome(t));
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
  const cli = await initialised(inProcessHome(t));
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
