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

test('a key has networks and an environment', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const made = await cli.json(['key', 'create', 'fleet', '--env', 'production', '--cidr', '10.20.0.0/16', '--cidr', '192.0.2.7']);
  t.like(made, { type: 'app', environment: 'production', cidrs: ['10.20.0.0/16', '192.0.2.7/32'] });
  t.regex((await cli.run(['key', 'list'])).stdout, /fleet .*10\.20\.0\.0\/16 192\.0\.2\.7\/32/);
  t.is((await cli.run(['key', 'create', 'x', '--env', 'production'])).code, 2);
  t.is((await cli.run(['key', 'create', 'x', '--env', 'staging'])).code, 2);
  t.is((await cli.run(['key', 'create', 'x', '--cidr', '0.0.0.0/0'])).code, 2);
  t.is((await cli.run(['key', 'create', 'x', '--env', 'development', '--ttl', '31d'])).code, 2);
});

test('a key that cannot be made leaves no file', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const file = join(cli.folder, 'x.key');
  t.is((await cli.run(['key', 'create', 'x', '--env', 'production', '--out', file])).code, 2);
  t.throws(() => statSync(file), { code: 'ENOENT' });
});

test('a key is deprecated, rotated with a grace and rotated at once', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const first = (await cli.run(['key', 'create', 'ci'])).stdout.trim();
  t.like(await cli.json(['key', 'deprecate', 'ci']), { status: 'deprecated' });
  const rotated = (await cli.json(['key', 'rotate', 'ci', '--grace', '1h'])) as Json;
  t.like(rotated, { name: 'ci', status: 'active', previous: { status: 'deprecated' } });
  t.not(rotated['key'], first);
  const again = await cli.run(['key', 'rotate', 'ci', '--grace', '0']);
  t.regex(again.stdout, /^alter_key_app_[\w-]{43}\n$/);
  t.regex(again.stderr, /has ended/);
  const states = (await rows(cli, 'key', 'list', '--all')).filter(({ name }) => name === 'ci').map(({ status }) => status);
  t.deepEqual([...states].sort(), ['active', 'deprecated', 'revoked']);
  t.is((await cli.run(['key', 'rotate', 'ci', '--grace', 'soon'])).code, 2);
});
