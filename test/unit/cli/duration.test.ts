import test from 'ava';
import { formatInstant, formatSpan, isoInstant } from '../../../src/cli/duration.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test('a span is told in its largest fitting unit', (t) => {
  t.is(formatSpan(0), '0 seconds');
  t.is(formatSpan(1_000), '1 second');
  t.is(formatSpan(59_999), '59 seconds');
  t.is(formatSpan(60_000), '1 minute');
  t.is(formatSpan(HOUR), '1 hour');
  t.is(formatSpan(47 * HOUR), '1 day');
  t.is(formatSpan(48 * HOUR), '2 days');
});

test('an instant is told relative to now', (t) => {
  const now = 1_000_000_000;
  t.is(formatInstant(undefined, now), 'never');
  t.is(formatInstant(now - 2 * HOUR, now), '2 hours ago');
  t.is(formatInstant(now + 30 * DAY - 5, now), 'in 30 days');
  t.is(formatInstant(now + HOUR - 5, now), 'in 1 hour');
  t.is(formatInstant(now + 10_000, now), 'in 10 seconds');
});

test('programs get ISO 8601 or null', (t) => {
  t.is(isoInstant(0), '1970-01-01T00:00:00.000Z');
  t.is(isoInstant(undefined), null);
});
