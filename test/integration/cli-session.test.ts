/** A session of an operator with the real command, one process after another, as in a shell. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { cliHome } from '../support/cli.ts';

test('from nothing to a grant, and back', async (t) => {
  const { home, run, write } = cliHome(t);
  const steps: (readonly [readonly string[], number, RegExp, string?])[] = [
    [['secret', 'list'], 4, /^error: there is no home folder at .*\nhint: Create one with `alter-proxy init`/],
    [['init'], 0, /^✓ Created /],
    [['init'], 3, /^error: .* exists and is not empty\nhint: /],
    [['secret', 'add', 'openai', '--provider', 'openai'], 0, /^Stored secret openai \(ms_\w+\) for api\.openai\.com\n/, 'sk-live-9999\n'],
    [['secret', 'add', 'openai', '--provider', 'openai', '--field', 'api_key=sk-live-9999'], 2, /^error: --field api_key takes no value/],
    [['secret', 'rotate', 'openai', '--field', `api_key=@${write('new', 'sk-live-9999-new')}`], 0, /to version 2/],
    [['grant', 'issue', '--secret', 'openai', '--label', 'first'], 0, /^[0-9a-f-]{36}\nIssued for api\.openai\.com/],
    [['grant', 'list'], 0, /^ID +LABEL +FOR +SECRET .* STATUS\n[0-9a-f-]{36} +first +system +openai +never +never +0 +- +active\n$/],
    [['secret', 'delete', 'openai'], 3, /hint: Pass --yes/, 'openai\n'],
    [['secret', 'delete', 'openai', '--yes'], 0, /^Deleted secret openai/],
    [['grant', 'list', '--all'], 0, /credential revoked/],
    [['audit', 'tail'], 0, /change +secret\.add .*change +grant\.issue .*change +secret\.delete /s],
    [['nope'], 2, /^error: unknown command 'nope'\nhint: See `alter-proxy --help`\.\n$/],
  ];
  for (const [args, code, expected, stdin] of steps) {
    const result = await run(args, stdin === undefined ? {} : { stdin });
    const printed = result.stdout + result.stderr;
    t.is(result.code, code, `${args.join(' ')}: ${printed}`);
    t.regex(printed, expected);
    t.false(printed.includes('9999') || printed.includes('\u001b'), 'neither a value nor colours go into a pipe');
  }
  t.regex(readFileSync(join(home, 'key'), 'utf8'), /^alter_key_app_[\w-]{43}\n$/);
});

test('a reader that has had enough ends the command quietly', async (t) => {
  const { home } = cliHome(t);
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const child = spawn(process.execPath, [main, 'provider', 'list', '--json'], {
    env: { ...process.env, ALTER_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.destroy();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (stderr += chunk));
  await once(child, 'close');
  t.is(stderr, '');
});

test('output that finds no room is an error', async (t) => {
  const { run, prepare } = cliHome(t);
  await prepare(['init']);
  for (const args of [['--version'], ['--help'], ['provider', 'list'], ['grant', 'list'], ['ca', 'export', '--format', 'bundle']]) {
    const { code, stderr } = await run(args, { stdout: '/dev/full' });
    t.is(code, 1, args.join(' '));
    t.regex(stderr, /^error: the output cannot be written: no space left on the device\nhint: Check free space/, args.join(' '));
  }
  const { code, stderr } = await run(['grant', 'list', '--json'], { stdout: '/dev/full' });
  t.is(code, 1);
  t.is((JSON.parse(stderr) as { readonly error: { readonly code: string } }).error.code, 'file_unwritable');
});

test('a key that finds no room on stdout is revoked, and the one that it was to replace stays as it was', async (t) => {
  const { run, prepare, folder } = cliHome(t);
  await prepare(['init']);
  await prepare(['key', 'create', 'ci', '--ttl', '30d']);
  const list = async () =>
    JSON.parse(await prepare(['key', 'list', '--all', '--json'])) as {
      readonly name: string;
      readonly prefix: string;
      readonly status: string;
    }[];
  const before = await list();
  for (const args of [
    ['create', 'new'],
    ['rotate', 'ci'],
    ['rotate', 'ci', '--grace', '0'],
    ['rotate', 'ci', '--json'],
  ]) {
    const known = new Set((await list()).map(({ prefix }) => prefix));
    const { code, stderr } = await run(['key', ...args], { stdout: '/dev/full' });
    t.is(code, 1, args.join(' '));
    const made = (await list()).filter(({ prefix }) => !known.has(prefix));
    t.deepEqual(made.map(({ name, status }) => [name, status]), [[args[1], 'revoked']]); // prettier-ignore
    t.true(
      stderr.includes(`the output cannot be written: no space left on the device; the new key ${made[0]?.prefix} was revoked`),
      stderr,
    );
    t.is(stderr.match(/cannot be written/g)?.length, 1, stderr);
    t.notRegex(stderr, /only time|old key/);
  }
  t.deepEqual((await list()).filter(({ status }) => status !== 'revoked'), before); // prettier-ignore
  // What only tells that the key is in its file may get lost.
  const file = join(folder, 'ci.key');
  t.is((await run(['key', 'rotate', 'ci', '--out', file], { stdout: '/dev/full' })).code, 1);
  t.regex(readFileSync(file, 'utf8'), /^alter_key_app_/);
  t.deepEqual((await list()).filter(({ name, status }) => name === 'ci' && status !== 'revoked').map(({ status }) => status).sort(), ['active', 'deprecated']); // prettier-ignore
});

test('a key whose reader has gone is revoked, too', async (t) => {
  const { prepare, start } = cliHome(t);
  await prepare(['init']);
  const { child, ended } = start(['key', 'create', 'unread']);
  child.stdout?.destroy();
  t.is((await ended).code, 1);
  const keys = JSON.parse(await prepare(['key', 'list', '--all', '--json'])) as readonly {
    readonly name: string;
    readonly status: string;
  }[];
  t.is(keys.find(({ name }) => name === 'unread')?.status, 'revoked');
});

test('output that finds room only in part is an error', async (t) => {
  const { home, folder, prepare } = cliHome(t);
  await prepare(['init']);
  const file = join(folder, 'bundle.pem');
  const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
  const command = [process.execPath, main, 'ca', 'export', '--format', 'bundle'];
  const env = { ...process.env, ALTER_HOME: home, NODE_V8_COVERAGE: '', FILE: file };
  // A limit on the size of files is a full disk for the one file that grows.
  const cut = spawnSync('sh', ['-c', 'ulimit -f 16; exec "$0" "$@" > "$FILE"', ...command], { env, encoding: 'utf8' });
  t.is(cut.status, 1);
  t.regex(cut.stderr, /^error: the output cannot be written: EFBIG/);
  const whole = spawnSync('sh', ['-c', 'exec "$0" "$@" > "$FILE"', ...command], { env, encoding: 'utf8' });
  t.is(whole.status, 0, whole.stderr);
  t.regex(readFileSync(file, 'utf8'), /-----END CERTIFICATE-----\n$/);
});
