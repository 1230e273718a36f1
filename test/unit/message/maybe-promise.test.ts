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
  const doubled = (value: number): number => 2 * value;
  t.deepEqual(all([1, 2], doubled), [2, 4]);
  t.deepEqual(all([], doubled), []);
  const later = all([1, 2, 3], (value) => (value === 2 ? Promise.resolve(4) : doubled(value)));
  t.true(later instanceof Promise);
  t.deepEqual(await later, [2, 4, 6]);
});

// A rejection that nobody hears of would end this process, and with it the test.
test('the first failure is that of the list, whether thrown or rejected, and no other is left unheard', async (t) => {
  const failing = (text: string): Promise<number> => {
    if (text.startsWith('throw')) throw new Error(text);
    return Promise.reject(new Error(text));
  };
  for (const texts of [['reject'], ['throw'], ['reject', 'throw'], ['throw', 'reject'], ['reject 1', 'reject 2', 'throw']])
    await t.throwsAsync(async () => all(texts, failing), { message: texts[0] ?? '' }, texts.join());
});
