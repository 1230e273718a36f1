/** Lines in any number of pieces: bounded, and each byte looked at once. */
import test from 'ava';
import { H1Error } from '../../../../src/message/h1/error.ts';
import { LineReader } from '../../../../src/message/h1/line-reader.ts';

const read = (reader: LineReader, text: string, limit = 10, from = 0) =>
  reader.read(Buffer.from(text, 'latin1'), from, limit, 'line_too_long');

test('a line in one piece comes with its LF, and reading stops behind it', (t) => {
  const reader = new LineReader();
  t.is(read(reader, 'xxab\r\ncd', 10, 2), 'ab\r\n');
  t.is(reader.next, 6);
  t.false(reader.pending);
});

test('a line in pieces comes when its LF does', (t) => {
  const reader = new LineReader();
  t.is(read(reader, 'a'), undefined);
  t.true(reader.pending);
  t.is(read(reader, '\xe9\r'), undefined);
  t.is(read(reader, '\nrest'), 'a\xe9\r\n');
  t.is(reader.next, 1);
  t.false(reader.pending);
});

test('a line of the limit passes, one byte more is refused, as soon as it is known', (t) => {
  const tooLong = { instanceOf: H1Error };
  t.is(read(new LineReader(), '12345678\r\n'), '12345678\r\n');
  t.throws(() => read(new LineReader(), '123456789\r\n'), tooLong);
  t.throws(() => read(new LineReader(), '1234567890'), tooLong);
  const inPieces = new LineReader();
  t.is(read(inPieces, '123456789'), undefined);
  t.throws(() => read(inPieces, '0'), tooLong);
});

test('a long line byte by byte costs time in proportion to its length', (t) => {
  const reader = new LineReader();
  const bytes = Buffer.alloc(200_000, 'x');
  for (let i = 0; i < bytes.length; i += 1) reader.read(bytes.subarray(i, i + 1), 0, 300_000, 'line_too_long');
  t.is(reader.read(Buffer.from('\n'), 0, 300_000, 'line_too_long')?.length, 200_001);
});
