import test from 'ava';
import { printable } from '../../../src/cli/printable.ts';

test('ordinary text of any script stays as it is', (t) => {
  for (const text of ['', 'api.example.com/v1', 'größe 日本語 🙂', "it's `fine` \\u001b"]) t.is(printable(text), text);
});

test('what could act on a terminal is spelled out', (t) => {
  t.is(printable('\u001b[31mred'), '\\u001b[31mred');
  t.is(printable('a\nb\r\tc'), 'a\\u000ab\\u000d\\u0009c');
  t.is(printable('\u009b2J'), '\\u009b2J');
  t.is(printable('\u007f'), '\\u007f');
});

test('marks that reorder text are spelled out', (t) => {
  t.is(printable('evil\u202etxt.exe'), 'evil\\u202etxt.exe');
  t.is(printable('\u2066x\u2069'), '\\u2066x\\u2069');
});
