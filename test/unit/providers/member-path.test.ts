import test from 'ava';
import { memberPath } from '../../../src/providers/member-path.ts';

test('dots, or a JSON pointer', (t) => {
  t.deepEqual(memberPath('key'), ['key']);
  t.deepEqual(memberPath('auth.api_key'), ['auth', 'api_key']);
  t.deepEqual(memberPath('/auth/api.key'), ['auth', 'api.key']);
  t.deepEqual(memberPath('/a~1b/c~0d/~01'), ['a/b', 'c~d', '~1']);
});

test('what names no member', (t) => {
  for (const path of ['', '.', 'a.', '.a', 'a..b', '/', '/a/', '//a', '/a~2', '/a~', Array(17).fill('a').join('.')])
    t.is(memberPath(path), undefined, path);
});
