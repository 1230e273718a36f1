import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import test from 'ava';
import { reportError } from '../../../src/cli/report-error.ts';
import { AlterError, CommandError } from '../../../src/errors.ts';
import { StoreUnavailableError } from '../../../src/store/store.ts';
import { fakeTerminal, type FakeTerminalOptions } from '../../support/fake-terminal.ts';

function report(error: unknown, json = false, options: FakeTerminalOptions = {}): { exit: number; stderr: string; stdout: string } {
  const terminal = fakeTerminal(options);
  const exit = reportError(error, terminal, { json, colour: true });
  return { exit, ...terminal.written() };
}

function thrown(body: () => unknown): unknown {
  try {
    body();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('an error is a line and a hint, without a stack', (t) => {
  t.deepEqual(report(new CommandError('home_exists', '/x exists')), {
    exit: 3,
    stderr: 'error: /x exists\nhint: Choose another folder with --home; an existing home is never overwritten.\n',
    stdout: '',
  });
});

test('programs get one JSON document on stderr', (t) => {
  const { exit, stderr, stdout } = report(new CommandError('not_found', 'there is no secret "x"', { hint: 'Look.' }), true);
  t.is(exit, 4);
  t.is(stdout, '');
  t.deepEqual(JSON.parse(stderr), { error: { code: 'not_found', message: 'there is no secret "x"', hint: 'Look.' } });
});

test('a store that is away and a refusal of the core are told by their own codes', (t) => {
  t.like(JSON.parse(report(new StoreUnavailableError('connect ECONNREFUSED'), true).stderr), { error: { code: 'store_unreachable' } });
  t.like(JSON.parse(report(new AlterError('store_unavailable'), true).stderr), { error: { code: 'store_unavailable' } });
  t.is(report(new AlterError('store_unavailable')).exit, 1);
  t.is(report(new AlterError('grant_not_allowed')).exit, 3);
});

test('what the operating system refuses is told with the path and the reason', (t) => {
  const missing = report(thrown(() => readFileSync('/nowhere/at/all')));
  t.is(missing.exit, 1);
  t.regex(missing.stderr, /^error: \/nowhere\/at\/all: no such file or folder\nhint: Check that the file exists/);
  t.regex(report(thrown(() => mkdirSync('/nowhere/at/all'))).stderr, /hint: Check free space/);
  t.regex(report(thrown(() => mkdtempSync('/nowhere/at/all'))).stderr, /hint: Check free space/);
});

test('anything else is a defect that says what happened', (t) => {
  t.deepEqual(report(new TypeError('x is not a function')).stderr.split('\n').slice(0, 2), [
    'error: x is not a function',
    'hint: This is a defect; please report it with the command you ran.',
  ]);
});

test('ALTER_DEBUG=1 adds the stack with its causes', (t) => {
  const error = new CommandError('internal', 'outer', { cause: new Error('inner') });
  t.notRegex(report(error).stderr, / at /);
  const { stderr } = report(error, false, { env: { ALTER_DEBUG: '1' } });
  t.regex(stderr, /CommandError: outer\n {4}at /);
  t.regex(stderr, /caused by: Error: inner/);
});

test('several lines stay lines, and none of them can drive the terminal', (t) => {
  t.regex(
    report(new CommandError('config_invalid', 'a.yaml:1:1: x\na.yaml:2:1: \u001b[2J')).stderr,
    /^error: a\.yaml:1:1: x\na\.yaml:2:1: \\u001b\[2J\n/,
  );
});

test('only a terminal gets colours', (t) => {
  t.true(report(new CommandError('usage', 'x'), false, { tty: true }).stderr.startsWith('\u001b[1;31merror:'));
  t.true(report(new CommandError('usage', 'x')).stderr.startsWith('error:'));
});
