import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
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

test('a key that does not get into its file is revoked', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const file = join(cli.folder, 'ci.key');
  const creating = cli.run(['key', 'create', 'ci', '--out', file]);
  while (!existsSync(file)) await setImmediate();
  // The key is still to be made.
  rmSync(file);
  const { code, stderr } = await creating;
  t.is(code, 1);
  t.regex(stderr, /^error: .*ci\.key cannot be written: no such file or folder; the new key alter_key_app_[\w-]+ was revoked\n/);
  t.false(existsSync(file));
  t.like(
    (await rows(cli, 'key', 'list', '--all')).find(({ name }) => name === 'ci'),
    { status: 'revoked' },
  );
});

test('--force replaces the file when the new key is there, and not before', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const file = join(cli.folder, 'app.key');
  await cli.run(['key', 'create', 'app', '--out', file]);
  const working = readFileSync(file, 'utf8');
  const files = readdirSync(cli.folder);
  t.is((await cli.run(['key', 'rotate', 'ap', '--out', file, '--force'])).code, 4);
  t.is((await cli.run(['key', 'create', 'x', '--env', 'production', '--out', file, '--force'])).code, 2);
  t.is(readFileSync(file, 'utf8'), working);
  t.deepEqual(readdirSync(cli.folder), files);
  t.is((await cli.run(['key', 'rotate', 'app', '--out', file, '--force'])).code, 0);
  t.regex(readFileSync(file, 'utf8'), /^alter_key_app_[\w-]{43}\n$/);
  t.not(readFileSync(file, 'utf8'), working);
  t.is(statSync(file).mode & 0o777, 0o600);
  t.deepEqual(readdirSync(cli.folder), files);
});

test('--force takes no folder for a file, and makes no key then', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const folder = join(cli.folder, 'keys');
  mkdirSync(folder);
  t.is((await cli.run(['key', 'create', 'ci', '--out', folder, '--force'])).code, 3);
  t.deepEqual(
    (await rows(cli, 'key', 'list')).map(({ name }) => name),
    ['sidecar'],
  );
});

test('who revokes a key by name is told of the others of this name that still work', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['key', 'create', 'ci']);
  await cli.run(['key', 'create', 'other']);
  const { prefix } = ((await cli.json(['key', 'rotate', 'ci'])) as { readonly previous: { readonly prefix: string } }).previous;
  const revoked = await cli.run(['key', 'revoke', 'ci']);
  t.is(revoked.code, 0);
  t.is(revoked.stderr, `Another key called ci still works, and expires in 1 day. To end it now: alter-proxy key revoke ${prefix}\n`);
  t.is((await cli.run(['key', 'revoke', prefix])).stderr, '');
  t.is((await cli.run(['key', 'revoke', 'other'])).stderr, '');
  await cli.run(['key', 'create', 'job']);
  const rotated = (await cli.json(['key', 'rotate', 'job'])) as { readonly previous: Json };
  t.like(await cli.json(['key', 'revoke', 'job']), { status: 'revoked', stillWorking: [{ prefix: rotated.previous['prefix'] }] });
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

test('a key file that is lost or empty is in the way of the proxy alone, and a new one mends it', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const file = join(cli.home, 'key');
  for (const lose of [() => rmSync(file), () => writeFileSync(file, '')]) {
    lose();
    for (const args of [
      ['key', 'list'],
      ['secret', 'list'],
      ['grant', 'list'],
    ])
      t.is((await cli.run(args)).code, 0, args.join(' '));
    const mend = ['key', 'create', 'sidecar', '--force', '--out', file];
    for (const args of [['config', 'check'], ['start'], ['run', '--', 'true']]) {
      const { code, stderr } = await cli.run(args);
      t.is(code, 1, args.join(' '));
      t.true(stderr.includes(`\`alter-proxy ${mend.join(' ')}\``), stderr);
    }
    const { stdout } = await cli.run(['doctor']);
    t.regex(stdout, /✗ key +.*key_file: names a file that/);
    t.true(stdout.includes(mend.join(' ')), stdout);
    t.is((await cli.run(mend)).code, 0);
    t.is((await cli.run(['config', 'check'])).code, 0);
    t.regex((await cli.run(['doctor'])).stdout, /✓ key /);
  }
});
