import test from 'ava';
import { BackOff } from '../../../../src/cli/workers/back-off.ts';

test('a worker that ends again and again is replaced later and later, up to ten seconds', (t) => {
  const backOff = new BackOff();
  const waits = Array.from({ length: 9 }, () => backOff.after(5));
  t.deepEqual(waits, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
});

test('a minute of life begins anew, a moment less does not', (t) => {
  const backOff = new BackOff();
  backOff.after(0);
  t.is(backOff.after(59_999), 200);
  t.is(backOff.after(60_000), 100);
  t.is(backOff.after(0), 200);
});
