/** A hidden prompt turns the echo off, takes one line, and gives the terminal back whatever happens. */
import test from 'ava';
import { askHidden, askVisible } from '../../../src/cli/prompt.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

const PROMPT = 'Key, hidden: ';

async function type(keys: string): Promise<{ value: string | undefined; error: unknown; raw: boolean; stderr: string }> {
  const terminal = fakeTerminal({ tty: true });
  terminal.typeAfter(PROMPT, keys);
  const outcome = await askHidden(terminal, 'Key, hidden').then(
    (value) => ({ value, error: undefined }),
    (error: unknown) => ({ value: undefined, error }),
  );
  return { ...outcome, raw: terminal.raw(), stderr: terminal.written().stderr };
}

test('what is typed is taken and never shown', async (t) => {
  const { value, stderr, raw } = await type('sk-live-1234\r');
  t.is(value, 'sk-live-1234');
  t.is(stderr, `${PROMPT}(12 characters)\n`);
  t.false(raw);
});

test('the echo is off while it waits', async (t) => {
  const terminal = fakeTerminal({ tty: true });
  const asked = askHidden(terminal, 'Key, hidden');
  t.true(terminal.raw());
  terminal.stdin.write('x\n');
  await asked;
  t.false(terminal.raw());
});

test('keys may come one by one, and characters in pieces', async (t) => {
  const terminal = fakeTerminal({ tty: true });
  const asked = askHidden(terminal, 'Key, hidden');
  for (const octet of Buffer.from('aé🙂b')) terminal.stdin.write(Buffer.from([octet]));
  terminal.stdin.write('\r');
  t.is(await asked, 'aé🙂b');
});

test('backspace takes one character back, Ctrl-U all', async (t) => {
  t.is((await type('abc\u007f\u007fd\r')).value, 'ad');
  t.is((await type('a🙂\u007fb\r')).value, 'ab');
  t.is((await type('\u007f\u007fa\r')).value, 'a');
  t.is((await type('wrong\u0015right\r')).value, 'right');
});

test('Ctrl-C cancels and gives the terminal back', async (t) => {
  const { error, raw } = await type('sk-live\u0003');
  t.like(error, { code: 'not_allowed', message: 'cancelled' });
  t.false(raw);
});

test('a paste of several lines is refused, because the rest would land elsewhere', async (t) => {
  const { error, raw } = await type('-----BEGIN KEY-----\nabc\n');
  t.like(error, { code: 'usage' });
  t.notRegex(String(error), /abc|BEGIN/);
  t.false(raw);
});

test('the end of input is no value', async (t) => {
  const terminal = fakeTerminal({ tty: true });
  const asked = askHidden(terminal, 'Key, hidden');
  terminal.stdin.end();
  t.like(await t.throwsAsync(asked), { code: 'usage' });
});

test('a visible question takes a trimmed line, and the end of input is the empty one', async (t) => {
  const terminal = fakeTerminal({ tty: true });
  const asked = askVisible(terminal, 'Name: ');
  terminal.stdin.write('  openai \n');
  t.is(await asked, 'openai');
  t.is(await askVisible(fakeTerminal({ tty: true, stdin: '' }), 'Name: '), '');
});
