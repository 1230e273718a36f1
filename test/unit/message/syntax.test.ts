import test from 'ava';
import { foldUnderscores, isFieldValue, isToken, trimSpaces } from '../../../src/message/syntax.ts';

test('a token has no separators, spaces or other scripts', (t) => {
  for (const token of ['GET', 'x-api-key', "!#$%&'*+-.^_`|~09"]) t.true(isToken(token), token);
  for (const text of ['', 'a b', 'a:', 'a\n', 'ü', 'a(b)', 'a"', 'a,b', 'a/b', '\0']) t.false(isToken(text), JSON.stringify(text));
});

test('a field value has tabs and bytes above ASCII, but no control characters', (t) => {
  for (const value of ['', 'a b', 'a\tb', '\xfc', '\x80\xff']) t.true(isFieldValue(value), JSON.stringify(value));
  for (const value of ['a\rb', 'a\nb', 'a\0b', '\x1b', '\x7f', '\u0100', '…']) t.false(isFieldValue(value), JSON.stringify(value));
});

test('around a value only spaces and tabs are white space', (t) => {
  for (const value of ['', 'a', 'a b\tc', '\xa0', '\xa0a\x85', 'voil\xc3\xa0']) {
    for (const space of ['', ' ', '\t', ' \t ']) t.is(trimSpaces(`${space}${value}${space}`), value);
  }
});

test('underscores are read as dashes', (t) => {
  t.is(foldUnderscores('x_alter_grant'), 'x-alter-grant');
  t.is(foldUnderscores('x-alter-grant'), 'x-alter-grant');
});
