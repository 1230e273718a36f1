/** What holds for every command: help, usage, exit codes, and how errors are told. */
import test from 'ava';
import { inProcessHome } from '../../support/cli.ts';

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
});
