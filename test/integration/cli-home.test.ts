/**
 * The commands around the home folder, as a session in a shell: `init` makes it once and whole, `config`, `ca` and `doctor` read it,
 * and every failure is one line with a hint and the right exit code.
 */
import { X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import { cliHome, initialisedHome } from '../support/cli.ts';
import { openssl } from '../support/openssl.ts';
import { startOrigin } from '../support/origin.ts';

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly status: string; readonly detail: string; readonly fix?: string }[];
}

test('init makes a home that only its owner can enter, and makes it once', async (t) => {
  const { home, run, json } = cliHome(t);
  const made = await run(['init', '--app', 'billing']);
  t.is(made.code, 0, made.stderr);
  t.regex(made.stdout, /^✓ Created .*home\n/);
  t.is(statSync(home).mode & 0o777, 0o700);
  for (const name of ['config.yaml', 'keyring.json', 'key', 'ca/ca.pem', 'ca/ca.key']) t.is(statSync(join(home, name)).mode & 0o777, 0o600, name);
  t.like(await json(['config', 'check']), { ok: true, app: 'billing', file: join(home, 'config.yaml') });

  const before = readFileSync(join(home, 'keyring.json'), 'utf8');
  const again = await run(['init']);
  t.is(again.code, 3);
  t.is(again.stdout, '');
  t.regex(again.stderr, /^error: .*home exists and is not empty\nhint: .*\n$/);
  t.is(readFileSync(join(home, 'keyring.json'), 'utf8'), before);
});

test("the proxy's own key is a stored key and is printed nowhere", async (t) => {
  const { home, run, json } = cliHome(t);
  const { stdout, stderr } = await run(['init', '--json']);
  const key = readFileSync(join(home, 'key'), 'utf8').trim();
  t.regex(key, /^alter_key_app_[\w-]{43}$/);
  t.false((stdout + stderr).includes(key));
  const [stored] = (await json(['key', 'list'])) as readonly { readonly prefix: string; readonly name: string }[];
  t.true(key.startsWith(stored?.prefix ?? 'nothing'));
});

test('init takes an empty folder, and leaves a folder with anything in it alone', async (t) => {
  const empty = cliHome(t);
  mkdirSync(empty.home, { mode: 0o755 });
  t.is((await empty.run(['init'])).code, 0);
  t.is(statSync(empty.home).mode & 0o777, 0o700);

  const used = cliHome(t);
  mkdirSync(used.home);
  used.write('home/notes.txt', 'mine');
  t.is((await used.run(['init'])).code, 3);
  t.deepEqual(readdirSync(used.home), ['notes.txt']);
});

test('init that fails midway leaves nothing behind', async (t) => {
  const { folder, home, run } = cliHome(t);
  // A home with a file where the system looks for a folder: nothing can be created below it.
  const { code, stderr } = await run(['init', '--home', join(folder, 'file', 'home')], { stdin: '' });
  t.is(code, 0, stderr);
  rmSync(join(folder, 'file'), { recursive: true });
  t.is((await run(['init', '--app', 'no such app'])).code, 2);
  t.false(existsSync(home));
});

test('without a home, commands say how to make one', async (t) => {
  const { run } = cliHome(t);
  for (const args of [['secret', 'list'], ['config', 'check'], ['start'], ['run', '--', 'true'], ['ca', 'show'], ['keyring', 'list']]) {
    const { code, stdout, stderr } = await run(args);
    t.is(code, 4, args.join(' '));
    t.is(stdout, '');
    t.regex(stderr, /^error: there is no home folder at .*\nhint: Create one with `alter-proxy init`/);
  }
});

test('the catalogue can be looked at before there is a home', async (t) => {
  const { json, run } = cliHome(t);
  const found = (await json(['provider', 'list', '--search', 'OpenAI'])) as readonly { readonly slug: string; readonly custom: boolean }[];
  t.true(found.some(({ slug, custom }) => slug === 'openai' && !custom));
  t.regex((await run(['provider', 'show', 'openai'])).stdout, /Authorization: Bearer \{api_key\}/);
  t.is((await run(['provider', 'show', 'nope'])).code, 4);
});

test('a wrong configuration is told with its line and stops the start', async (t) => {
  const { home, run, write } = await initialisedHome(t);
  write('home/config.yaml', `${readFileSync(join(home, 'config.yaml'), 'utf8')}\nlisten_port: 1\n`);
  for (const args of [['config', 'check'], ['start'], ['secret', 'list']]) {
    const { code, stderr } = await run(args);
    t.is(code, 1, args.join(' '));
    t.regex(stderr, /^error: .*config\.yaml:\d+:1: listen_port: is not a known setting/);
  }
});

test('config show prints what is in force, without the key', async (t) => {
  const { home, run } = await initialisedHome(t);
  const { stdout } = await run(['config', 'show'], { env: { ALTER_LISTEN_PORT: '7999' } });
  t.regex(stdout, /^listen\.port +7999$/m);
  t.regex(stdout, /^key +\[redacted\]$/m);
  t.false(stdout.includes(readFileSync(join(home, 'key'), 'utf8').trim()));
});

test('the CA is shown and exported in every format', async (t) => {
  const { folder, home, run, json } = await initialisedHome(t);
  const pem = readFileSync(join(home, 'ca', 'ca.pem'), 'utf8');
  const { fingerprint256 } = new X509Certificate(pem);
  t.like(await json(['ca', 'show']), { fingerprint256, file: join(home, 'ca', 'ca.pem') });
  t.is(new X509Certificate((await run(['ca', 'export'])).stdout).fingerprint256, fingerprint256);

  const der = join(folder, 'ca.der');
  t.is((await run(['ca', 'export', '--format', 'der', '--out', der])).code, 0);
  t.is(new X509Certificate(readFileSync(der)).fingerprint256, fingerprint256);
  const taken = await run(['ca', 'export', '--format', 'pem', '--out', der]);
  t.is(taken.code, 3);
  t.is(new X509Certificate(readFileSync(der)).fingerprint256, fingerprint256);
  t.is((await run(['ca', 'export', '--out', der, '--force'])).code, 0);
  t.true(readFileSync(der, 'utf8').startsWith('-----BEGIN'));
});

test('a Java trust store takes its password from a file', async (t) => {
  const { folder, run, write } = await initialisedHome(t);
  const store = join(folder, 'trust.p12');
  const password = write('password', 'correct horse\n');
  t.is((await run(['ca', 'export', '--format', 'p12', '--out', store, '--password-file', password])).code, 0);
  t.true(openssl('pkcs12', '-in', store, '-passin', 'pass:correct horse', '-nokeys').ok);
  t.false(openssl('pkcs12', '-in', store, '-passin', 'pass:changeit', '-nokeys').ok);
  t.is((await run(['ca', 'export', '--password-file', password])).code, 2);
});

test('doctor finds a new home in order, and names what is not, with its fix', async (t) => {
  const { home, run, json } = await initialisedHome(t);
  const env = { ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' };
  const healthy = (await json(['doctor'], { env })) as Report;
  t.true(healthy.ok);
  t.deepEqual(healthy.checks.map(({ name }) => name).slice(0, 9), [
    ...['clock', 'config', 'home', 'keyring', 'ca', 'catalogue', 'store', 'records', 'key'],
  ]);

  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const port = String((server.address() as AddressInfo).port);
  chmodSync(join(home, 'ca', 'ca.key'), 0o644);
  const ill = await run(['doctor', '--json'], { env: { ...env, ALTER_LISTEN_PORT: port } });
  t.is(ill.code, 1);
  const failed = (JSON.parse(ill.stdout) as Report).checks.filter(({ status }) => status === 'fail');
  t.deepEqual(failed.map(({ name }) => name), ['ca', 'port']); // prettier-ignore
  for (const { fix } of failed) t.truthy(fix);
});

test('doctor opens a verified connection when asked to', async (t) => {
  const { run, write } = await initialisedHome(t);
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const ca = write('origin.pem', origin.ca);
  const env = { ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' };
  const distrusted = await run(['doctor', '--probe', origin.url], { env });
  t.is(distrusted.code, 1);
  t.regex(distrusted.stdout, /✗ probe .*\n.*upstream\.ca_files/);
  const trusted = await run(['doctor', '--probe', origin.url], { env: { ...env, ALTER_UPSTREAM_CA_FILES: ca } });
  t.is(trusted.code, 0, trusted.stdout);
  t.regex(trusted.stdout, /✓ probe .*TLSv1\.3, verified/);
  t.is((await run(['doctor', '--probe', 'http://localhost'])).code, 2);
});

test('help goes to stdout with examples, and wrong usage ends with 2', async (t) => {
  const { run } = cliHome(t);
  const help = await run(['secret', 'add', '--help']);
  t.is(help.code, 0);
  t.regex(help.stdout, /Examples:\n {2}\$ alter-proxy secret add/);
  t.regex((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  for (const args of [[], ['secret'], ['nope'], ['secret', 'nope'], ['secret', 'list', '--nope'], ['secret', 'show'], ['secret', 'show', 'a', 'b'], ['grant', 'issue'], ['run'], ['audit', 'tail', '-n', 'x'], ['start', '--log-level', 'loud']]) {
    const { code, stdout } = await run(args);
    t.is(code, 2, args.join(' '));
    t.is(stdout, '', args.join(' '));
  }
  t.is((await run(['secret', 'add', 'x', '--provider', 'openai', '--value=sk-live-9999'])).stderr, "error: unknown option '--value'\nhint: See `alter-proxy secret add --help`.\n");
});

test('with --json errors are JSON on stderr, wherever the option stands', async (t) => {
  const { run } = cliHome(t);
  for (const args of [['--json', 'secret', 'list'], ['secret', 'list', '--json'], ['secret', '--json', 'list']]) {
    const { code, stdout, stderr } = await run(args);
    t.is(code, 4);
    t.is(stdout, '');
    t.like(JSON.parse(stderr), { error: { code: 'home_missing' } });
  }
  t.like(JSON.parse((await run(['nope', '--json'])).stderr), { error: { code: 'usage' } });
});
