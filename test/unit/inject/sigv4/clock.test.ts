/** Contract: the Date of a refusal corrects the clock that requests are signed by, and a request is signed anew only if another clock had dated it. */
import test from 'ava';
import { ProviderClock } from '../../../../src/inject/sigv4/clock.ts';
import { HeaderList } from '../../../../src/message/header-list.ts';

const THEN = Date.UTC(2013, 4, 24);
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

const answer = (status: number, date: number | string, ...more: string[]) => ({
  status,
  headers: new HeaderList(['Date', typeof date === 'string' ? date : new Date(date).toUTCString(), ...more]),
});

test('a refusal says what time it is; whatever was signed by another clock may be signed anew', (t) => {
  const clock = new ProviderClock(() => THEN);
  t.true(clock.learn(answer(403, THEN + HOUR_MS), THEN, 0));
  t.deepEqual([clock.offsetMs, clock.now(), clock.local()], [HOUR_MS, THEN + HOUR_MS, THEN]);
  t.true(clock.learn(answer(400, THEN + HOUR_MS + 1000), THEN + 1000, 0), 'it was under way at the same time');
  t.true(clock.learn(answer(403, THEN + HOUR_MS + MINUTE_MS), THEN, 0));
  t.is(clock.offsetMs, HOUR_MS, 'a minute more or less is not learnt');
});

test('what was signed by the clock that was learnt is not signed anew, however soon it is refused and however long that took', (t) => {
  const clock = new ProviderClock(() => THEN);
  clock.learn(answer(403, THEN + HOUR_MS), THEN, 0);
  for (const status of [400, 403]) {
    for (const afterMs of [0, MINUTE_MS, 10 * MINUTE_MS])
      t.false(clock.learn(answer(status, THEN + HOUR_MS + afterMs), THEN + afterMs, HOUR_MS));
  }
});

for (const [name, given] of [
  ['a refusal at the right time', answer(403, THEN + 3 * MINUTE_MS)],
  ['an answer of another kind', answer(500, THEN + HOUR_MS)],
  ['a success', answer(200, THEN + HOUR_MS)],
  ['a date that is none', answer(403, 'yesterday')],
  ['a date that is more than a day off', answer(403, THEN + 48 * HOUR_MS)],
  ['an answer out of a cache', answer(403, THEN - HOUR_MS, 'Age', '3600')],
] as const) {
  test(`${name} corrects no clock`, (t) => {
    const clock = new ProviderClock(() => THEN);
    t.false(clock.learn(given, THEN, 0));
    t.is(clock.now(), THEN);
  });
}
