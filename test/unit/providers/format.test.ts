import test from 'ava';
import { fieldReferences, hasStrayBrace, renderFormat } from '../../../src/providers/format.ts';

test('references are found in order, each once', (t) => {
  t.deepEqual(fieldReferences('Token {b} {a_1}{b}'), ['b', 'a_1']);
  t.deepEqual(fieldReferences('no reference'), []);
  t.deepEqual(fieldReferences('{A} {} { a } {1a}'), []);
});

test('a brace outside a reference is noticed', (t) => {
  for (const format of ['{A}', '{', 'a}', '{{a}}', '{a-b}']) t.true(hasStrayBrace(format), format);
  for (const format of ['', '{a}', 'x {a} y {b}']) t.false(hasStrayBrace(format), format);
});

test('a value is put in as it is', (t) => {
  t.is(
    renderFormat('{a}/{b}/{a}', (field) => `<${field}$&{b}>`),
    '<a$&{b}>/<b$&{b}>/<a$&{b}>',
  );
});
