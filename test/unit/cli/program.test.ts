/** What holds for every command: help, usage, exit codes, and how errors are told. */
import test from 'ava';
import { inProcessHome, initialised } from '../../support/cli.ts';

test('without a home, commands say how to make one', async (t) => {
  const { run } = inProcessHome(t);
  for (const args of [['secret', 'list'], ['config', 'check'], ['start'], ['run', '--', 'true'], ['ca', 'show'], ['keyring', 'list']]) {
    const { code, stdout, stderr } = await run(args);
    t.is(code, 4, args.join(' '));
    t.is(stdout, '');
    t.regex(stderr, /^error: there is no home folder at .*\nhint: Create one with `alter-proxy init`/);
  }
});

test('help goes to stdout with examples, and wrong usage ends with 2', async (t) => {
  const { run } = inProcessHome(t);
  const help = await run(['secret', 'add', '--help']);
  t.is(help.code, 0);
  t.regex(help.stdout, /Examples:\n {2}\$ alter-proxy secret add/);
  t.regex((await run(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/);
  for (const args of [
    [],
    ['secret'],
    ['nope'],
    ['secret', 'nope'],
    ['secret', 'list', '--nope'],
    ['secret', 'show'],
    ['secret', 'show', 'a', 'b'],
    ['grant', 'issue'],
    ['run'],
    ['audit', 'tail', '-n', 'x'],
    ['start', '--log-level', 'loud'],
  ]) {
    const { code, stdout } = await run(args);
    t.is(code, 2, args.join(' '));
    t.is(stdout, '', args.join(' '));
  }
  t.is(
    (await run(['secret', 'add', 'x', '--provider', 'openai', '--value=sk-live-9999'])).stderr,
    "error: unknown option '--value'\nhint: See `alter-proxy secret add --help`.\n",
  );
});

test('what is missing is looked for in its own list, whatever the command is about', async (t) => {
  const { run } = await initialised(inProcessHome(t));
  const stdin = 'sk-1\n';
  for (const name of ['openai', 'revoked']) t.is((await run(['secret', 'add', name, '--provider', 'openai'], { stdin })).code, 0);
  t.is((await run(['secret', 'revoke', 'revoked'])).code, 0);
  for (const [args, list] of [
    [['grant', 'issue', '--secret', 'openia', '--label', 'x'], 'secret list'],
    [['grant', 'issue', '--secret', 'revoked', '--label', 'x'], 'secret list --all'],
    [['secret', 'add', 'x', '--provider', 'opnai'], 'provider list'],
    [['key', 'create', 'x', '--agent', 'nobody'], 'agent list'],
    [['policy', 'show', '--grant', '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11'], 'grant list'],
    [['grant', 'issue', '--secret', 'openai', '--label', 'x', '--user', 'nowhere:ann'], 'idp list'],
    [['key', 'revoke', 'none'], 'key list'],
  ] as const) {
    const { code, stderr } = await run(args, { stdin });
    t.is(code, 4, stderr);
    t.true(stderr.endsWith(`\nhint: See \`alter-proxy ${list}\`.\n`), stderr);
  }
});

test('a flag of the wrong form is wrong usage, also where it is a setting; a file that is wrong as well is not', async (t) => {
  const { run, write } = await initialised(inProcessHome(t));
  const flag = await run(['start', '--port', 'abc']);
  t.is(flag.code, 2);
  t.regex(flag.stderr, /^error: --port: is text; use .*\nhint: See `alter-proxy start --help`\.\n$/);
  const both = await run(['start', '--port', 'abc', '--config', write('wrong.yaml', 'nonsense: 1\n')]);
  t.is(both.code, 1);
  t.regex(both.stderr, /nonsense: is not a known setting.*\n.*--port: is text.*\nhint: Mend the line/s);
});

test('with --json errors are JSON on stderr, wherever the option stands', async (t) => {
  const { run } = inProcessHome(t);
  for (const args of [
    ['--json', 'secret', 'list'],
    ['secret', 'list', '--json'],
    ['secret', '--json', 'list'],
  ]) {
    const { code, stdout, stderr } = await run(args);
    t.is(code, 4);
    t.is(stdout, '');
    t.like(JSON.parse(stderr), { error: { code: 'home_missing' } });
  }
  t.like(JSON.parse((await run(['nope', '--json'])).stderr), { error: { code: 'usage' } });
  const group = await run(['grant', '--json']);
  t.is(group.code, 2);
  const error = { code: 'usage', message: 'a command is missing', hint: 'See `alter-proxy grant --help`.' };
  t.deepEqual(JSON.parse(group.stderr), { error });
});
