import test from 'ava';
import { chain } from '../../../src/message/maybe-promise.ts';

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
