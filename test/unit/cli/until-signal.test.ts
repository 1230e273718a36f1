/** Contract: values are taken in order until the end comes, which drops the one under way; each wait leaves nothing behind. */
import test from 'ava';
import { takeUntil } from '../../../src/cli/until-signal.ts';
import { liveHeapBytes } from '../../support/heap.ts';

interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
}

function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

test('values are taken until the end, and what comes after it is dropped', async (t) => {
  const end = deferred<number>();
  const held = deferred<string>();
  const given = [Promise.resolve('a'), Promise.resolve('b'), held.promise];
  const taken: string[] = [];
  const next = (): Promise<string> => {
    if (taken.length === 2) end.resolve(130);
    return given[taken.length] ?? Promise.reject(new Error('asked for more'));
  };
  const result = await takeUntil(end.promise, next, (value) => taken.push(value));
  t.is(result, 130);
  held.resolve('c');
  await held.promise;
  t.deepEqual(taken, ['a', 'b']);
});

test('a failure of either side is that of the whole', async (t) => {
  const never = new Promise<number>(() => undefined);
  const failing = (): Promise<string> => Promise.reject(new Error('not read'));
  await t.throwsAsync(takeUntil(never, failing, t.fail), { message: 'not read' });
  const notPrinted = (): void => {
    throw new Error('not printed');
  };
  await t.throwsAsync(
    takeUntil(never, () => Promise.resolve('a'), notPrinted),
    { message: 'not printed' },
  );
});

test('a long wait for the end keeps nothing of the values before it', async (t) => {
  const end = deferred<number>();
  const marks: number[] = [];
  let count = 0;
  await takeUntil(
    end.promise,
    () => Promise.resolve(count),
    () => {
      count += 1;
      if (count % 10_000 === 0) marks.push(liveHeapBytes());
      if (count === 30_000) end.resolve(0);
    },
  );
  const [before = 0, , after = 0] = marks;
  t.true((after - before) / 20_000 < 50, `${after - before} bytes`);
});
