/**
 * `alter-proxy run -- command`: the command reaches an API through a proxy of its own and never sees the credential; nobody without the
 * key of the run gets through; streams, signals and the exit code are the command's own; nothing is left behind.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cliHome, type CliProcess, type SpawningCliHome } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startOrigin, type Origin } from '../support/origin.ts';

interface Scene {
  readonly cli: SpawningCliHome;
  readonly origin: Origin;
  readonly grant: string;
}

async function newHome(t: ExecutionContext): Promise<SpawningCliHome> {
  const cli = cliHome(t);
  await cli.prepare(['init']);
  return cli;
}

/** A home that may reach an origin on this machine, with a grant for it. */
async function scene(t: ExecutionContext): Promise<Scene> {
  const cli = await newHome(t);
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const ca = cli.write('origin.pem', origin.ca);
  const config = readFileSync(join(cli.home, 'config.yaml'), 'utf8');
  cli.write('home/config.yaml', `${config}\nupstream:\n  ca_files: ['${ca}']\n  allow_private: ['localhost', '127.0.0.1']\n`);
  const host = `localhost:${String(origin.port)}`;
  await cli.prepare(['secret', 'add', 'origin', '--provider', 'custom-bearer', '--host', host], { stdin: 'sk-live-9999' });
  const grant = await cli.prepare(['grant', 'issue', '--secret', 'origin', '--label', 'run']);
  return { cli, origin, grant: grant.trim() };
}

function leftovers(home: string): string[] {
  const run = join(home, 'run');
  return existsSync(run) ? readdirSync(run).filter((name) => name !== 'run.log') : [];
}

async function printed(process: CliProcess, text: string): Promise<void> {
  await eventually(() => (process.stdout().includes(text) ? true : undefined), `"${text}" on stdout`, 30_000);
}

test('curl gets an answer for which the API saw the credential, and the command did not', async (t) => {
  const { cli, origin, grant } = await scene(t);
  const { code, stdout, stderr } = await cli.run([
    'run',
    '--proxy-localhost',
    '--',
    'curl',
    '-sS',
    `${origin.url}/echo`,
    '-H',
    `X-Alter-Grant: ${grant}`,
  ]);
  t.is(code, 0, stderr);
  t.is(origin.requests.length, 1);
  t.is(origin.requests[0]?.headers.authorization, 'Bearer sk-live-9999');
  t.is(origin.requests[0]?.headers['x-alter-grant'], undefined);
  t.true(stdout.startsWith('{'));
  t.is(stderr, '');
  t.deepEqual(leftovers(cli.home), []);
  t.regex(await cli.prepare(['audit', 'tail']), /success +200 +GET +localhost:\d+\/echo +run +\d+ ms\n$/);
});

test('a placeholder in the place of the credential works as well', async (t) => {
  const { cli, origin, grant } = await scene(t);
  const script = 'curl -sS "$URL/echo" -H "Authorization: Bearer $TOKEN"';
  const env = { URL: origin.url, TOKEN: `alter_grant_${grant}` };
  const { code, stderr } = await cli.run(['run', '--proxy-localhost', 'sh', '-c', script], { env });
  t.is(code, 0, stderr);
  t.is(origin.requests[0]?.headers.authorization, 'Bearer sk-live-9999');
});

test('a wrong key is refused; a client of the own user that sends none is not', async (t) => {
  const { cli, origin, grant } = await scene(t);
  const script =
    'curl -sS -o /dev/null -w "%{http_code} %{http_connect}" -x "http://$AS${HTTPS_PROXY##*@}" "$URL/echo" -H "X-Alter-Grant: $GRANT"; true';
  const request = async (as: string): Promise<string> => {
    const env = { URL: origin.url, GRANT: grant, AS: as };
    return (await cli.run(['run', '--proxy-localhost', '--', 'sh', '-c', script], { env })).stdout;
  };
  t.is(await request(`x:alter_key_app_${'k'.repeat(43)}@`), '000 407');
  t.is(origin.requests.length, 0);
  t.is(await request(''), '200 200');
  t.is(origin.requests.length, 1);
});

test('the environment names the proxy and files that exist while the command runs', async (t) => {
  const cli = await newHome(t);
  const script = `
    const { existsSync } = require('node:fs');
    const missing = ['SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'NODE_EXTRA_CA_CERTS', 'GIT_SSL_CAINFO'].filter((name) => !existsSync(process.env[name]));
    console.log(JSON.stringify({ missing, https: process.env.HTTPS_PROXY, key: process.env.ALTER_KEY, no: process.env.NO_PROXY }));
  `;
  const key = `alter_key_app_${'A'.repeat(43)}`;
  const { stdout, stderr } = await cli.run(['run', '--', process.execPath, '-e', script], { env: { ALTER_KEY: key } });
  const seen = JSON.parse(stdout) as Record<string, unknown>;
  t.deepEqual(seen['missing'], [], stderr);
  t.regex(String(seen['https']), /^http:\/\/x:alter_key_app_[\w-]{43}@127\.0\.0\.1:\d+$/);
  t.is(seen['no'], 'localhost,127.0.0.1,::1');
  t.false('key' in seen);
});

test('the exit code is the one of the command', async (t) => {
  const cli = await newHome(t);
  t.is((await cli.run(['run', '--', 'sh', '-c', 'exit 0'])).code, 0);
  t.is((await cli.run(['run', '--', 'sh', '-c', 'exit 7'])).code, 7);
  t.is((await cli.run(['run', '--', 'sh', '-c', 'kill -KILL $$'])).code, 137);
  const missing = await cli.run(['run', '--', 'no-such-command-at-all']);
  t.is(missing.code, 127);
  t.regex(missing.stderr, /^error: command not found: no-such-command-at-all\n/);
  t.is((await cli.run(['run', '--', cli.write('plain.txt', 'x')])).code, 126);
  t.deepEqual(leftovers(cli.home), []);
});

test("options after the command are the command's own, with or without --", async (t) => {
  const cli = await newHome(t);
  t.is((await cli.run(['run', 'echo', '--json', '--home', '-h', '--', 'x'])).stdout, '--json --home -h -- x\n');
  t.is((await cli.run(['run', '--', 'printf', '%s\n', '--version'])).stdout, '--version\n');
});

test('stdin, stdout and stderr are those of the command, and the proxy adds nothing', async (t) => {
  const cli = await newHome(t);
  const { stdout, stderr } = await cli.run(['run', '--log-level', 'debug', '--', 'sh', '-c', 'cat; echo err >&2'], { stdin: 'through' });
  t.is(stdout, 'through');
  t.is(stderr, 'err\n');
});

test('signals are passed on, and the command decides how to end', async (t) => {
  const cli = await newHome(t);
  const signals = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
  const script = `
    for (const [index, name] of ${JSON.stringify(signals)}.entries()) process.on(name, () => process.exit(40 + index));
    setInterval(() => {}, 1000);
    console.log('ready');
  `;
  for (const [index, signal] of signals.entries()) {
    const running = cli.start(['run', '--', process.execPath, '-e', script]);
    await printed(running, 'ready');
    running.child.kill(signal);
    t.is((await running.ended).code, 40 + index, signal);
  }
  t.deepEqual(leftovers(cli.home), []);
});

test('a command that a signal ends gives 128 and its number', async (t) => {
  const cli = await newHome(t);
  const running = cli.start(['run', '--', 'sh', '-c', 'echo ready; exec sleep 60']);
  await printed(running, 'ready');
  running.child.kill('SIGTERM');
  t.is((await running.ended).code, 143);
});

test('a broken home ends the run before the command starts', async (t) => {
  const cli = await newHome(t);
  cli.write('home/ca/ca.pem', 'nonsense');
  const { code, stdout, stderr } = await cli.run(['run', '--', 'echo', 'started']);
  t.is(code, 1);
  t.is(stdout, '');
  t.regex(stderr, /^error: .*ca\.pem/);
});
