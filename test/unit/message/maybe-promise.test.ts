import test from 'ava';
import { all, chain } from '../../../src/message/maybe-promise.ts';

test('a value is handed on at once', (t) => {
  t.is(
    chain(2, (value) => value + 1),
    3,
  );
});

test('a promise is handed on when it has its value', async (t) => {
  t.is(await chain(Promise.resolve(2), (value) => value + 1), 3);
});

test('a rejection passes by', async (t) => {
  const failed: Promise<number> = Promise.reject(new Error('gone'));
  await t.throwsAsync(async () => chain(failed, () => t.fail()), { message: 'gone' });
});

test('several values are one list, at once unless one of them is a promise', async (t) => {
  t.deepEqual(all([1, 2]), [1, 2]);
  t.deepEqual(all([]), []);
  const later = all<number>([1, Promise.resolve(2), 3]);
  t.true(later instanceof Promise);
  t.deepEqual(await later, [1, 2, 3]);
  await t.throwsAsync(async () => all([1, Promise.reject(new Error('gone'))]), { message: 'gone' });
});
