import test from 'ava';
import { confirmByName } from '../../../src/cli/confirm.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

test('the exact name confirms', async (t) => {
  const terminal = fakeTerminal({ tty: true });
  const asked = confirmByName(terminal, 'This deletes it.', 'openai');
  terminal.stdin.write('openai\n');
  await t.notThrowsAsync(asked);
  t.regex(terminal.written().stderr, /This deletes it\./);
});

for (const answer of ['OpenAI', 'open', 'y', 'yes', '']) {
  test(`"${answer}" does not confirm "openai"`, async (t) => {
    const terminal = fakeTerminal({ tty: true });
    const asked = confirmByName(terminal, 'This deletes it.', 'openai');
    terminal.stdin.write(`${answer}\n`);
    t.like(await t.throwsAsync(asked), { code: 'not_allowed', exit: 3 });
  });
}

test('without a terminal nothing is asked and --yes is named', async (t) => {
  const error = await t.throwsAsync(confirmByName(fakeTerminal({ stdin: 'openai\n' }), 'This deletes it.', 'openai'));
  t.like(error, { code: 'not_allowed', hint: 'Pass --yes to confirm.' });
});
