import test from 'ava';
import { createOutput } from '../../../src/cli/output.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';

const PLAIN = { json: false, colour: true };

test('a table is aligned, without borders and without spaces at the end', (t) => {
  const output = createOutput(fakeTerminal(), PLAIN);
  t.deepEqual(
    output.table(
      ['name', 'status'],
      [
        ['openai', 'active'],
        ['x', ''],
      ],
    ),
    ['NAME    STATUS', 'openai  active', 'x'],
  );
});

test('wide characters keep the columns aligned', (t) => {
  const [, wide, narrow] = createOutput(fakeTerminal(), PLAIN).table(
    ['n', 's'],
    [
      ['日本', 'a'],
      ['abcd', 'a'],
    ],
  );
  t.is(wide, '日本  a');
  t.is(narrow, 'abcd  a');
});

test('a stored text cannot drive the terminal', (t) => {
  const lines = createOutput(fakeTerminal({ tty: true }), PLAIN).facts([['Label', 'a\u001b[2J\nforged: line']]);
  t.is(lines.length, 1);
  t.true(lines.join().includes('\\u001b[2J\\u000aforged'));
});

test('facts without a value are left out', (t) => {
  t.deepEqual(createOutput(fakeTerminal(), PLAIN).facts([['Name', 'x'], ['Note', undefined]]), ['Name  x']); // prettier-ignore
});

test('colours go to a terminal only, and not when they are not wanted', (t) => {
  const painted = '\u001b[31mno\u001b[39m';
  t.is(createOutput(fakeTerminal({ tty: true }), PLAIN).paint('red', 'no'), painted);
  t.is(createOutput(fakeTerminal({ tty: true, env: { NO_COLOR: '' } }), PLAIN).paint('red', 'no'), painted);
  t.is(createOutput(fakeTerminal(), PLAIN).paint('red', 'no'), 'no');
  t.is(createOutput(fakeTerminal({ tty: true, env: { NO_COLOR: '1' } }), PLAIN).paint('red', 'no'), 'no');
  t.is(createOutput(fakeTerminal({ tty: true, env: { TERM: 'dumb' } }), PLAIN).paint('red', 'no'), 'no');
  t.is(createOutput(fakeTerminal({ tty: true }), { json: false, colour: false }).paint('red', 'no'), 'no');
});

test('results are for people or for programs, remarks for people only', (t) => {
  const forPeople = fakeTerminal();
  const people = createOutput(forPeople, PLAIN);
  people.result({ id: 1 }, () => ['one', 'two']);
  people.note('by the way');
  t.deepEqual(forPeople.written(), { stdout: 'one\ntwo\n', stderr: 'by the way\n' });

  const forPrograms = fakeTerminal();
  const programs = createOutput(forPrograms, { json: true, colour: true });
  programs.result({ id: 1 }, () => t.fail('text is not made for programs'));
  programs.note('by the way');
  t.deepEqual(JSON.parse(forPrograms.written().stdout), { id: 1 });
  t.is(forPrograms.written().stderr, '');
});
