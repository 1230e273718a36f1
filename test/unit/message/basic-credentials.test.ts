import test from 'ava';
import { decodeBasic } from '../../../src/message/basic-credentials.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('the first colon divides user and password', (t) => {
  t.deepEqual(decodeBasic(base64('user:pass:word')), { username: 'user', password: 'pass:word' });
  t.deepEqual(decodeBasic(base64(':')), { username: '', password: '' });
  t.deepEqual(decodeBasic(base64('grün:weiß')), { username: 'grün', password: 'weiß' });
});

test('padding may be missing', (t) => {
  t.deepEqual(decodeBasic(base64('a:b').replace(/=+$/, '')), { username: 'a', password: 'b' });
});

test('what is not base64 of a pair is nothing', (t) => {
  for (const text of ['', 'a b', '****', base64('nocolon'), '=', 'YTpi=YTpi']) t.is(decodeBasic(text), undefined, text);
});
