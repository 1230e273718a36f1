/** Contract: the text is that of Date.prototype.toISOString, whichever time was asked before. */
import test from 'ava';
import fc from 'fast-check';
import { isoTime } from '../../../src/pipeline/iso-time.ts';

test('any sequence of times', (t) => {
  const moment = fc.integer({ min: -10_000_000_000_000, max: 10_000_000_000_000 });
  const nearby = fc.integer({ min: -1500, max: 1500 });
  fc.assert(
    fc.property(moment, fc.array(nearby), (start, steps) => {
      for (const step of [0, ...steps]) t.is(isoTime(start + step), new Date(start + step).toISOString());
    }),
  );
});

test('the last millisecond of a second and the first of the next', (t) => {
  const second = Date.UTC(2026, 0, 2, 3, 4, 5);
  t.is(isoTime(second + 999), '2026-01-02T03:04:05.999Z');
  t.is(isoTime(second + 1000), '2026-01-02T03:04:06.000Z');
  t.is(isoTime(second + 7), '2026-01-02T03:04:05.007Z');
});
