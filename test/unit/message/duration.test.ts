import test from 'ava';
import { parseDuration, parseInstant } from '../../../src/message/duration.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

test('a duration is numbers with units', (t) => {
  t.is(parseDuration('45s'), 45_000);
  t.is(parseDuration('30m'), 1_800_000);
  t.is(parseDuration('12h'), 12 * HOUR);
  t.is(parseDuration('30d'), 30 * DAY);
  t.is(parseDuration('2w'), 14 * DAY);
  t.is(parseDuration('1h30m'), 1.5 * HOUR);
});

for (const text of ['', '30', 'd', '0s', '-1h', '1.5h', '1 h', '1h ', '1y', '1H', '1h30', '9999999999d', '999999d', '1e3s', 'Infinity']) {
  test(`"${text}" is no duration`, (t) => {
    t.is(parseDuration(text), undefined);
  });
}

test('the longest duration is a hundred years', (t) => {
  t.is(parseDuration('36500d'), 36_500 * DAY);
  t.is(parseDuration('36501d'), undefined);
});

test('an instant is a date, or a date and a time with its zone', (t) => {
  t.is(parseInstant('2027-01-31'), Date.UTC(2027, 0, 31));
  t.is(parseInstant('2027-01-31T18:00Z'), Date.UTC(2027, 0, 31, 18));
  t.is(parseInstant('2027-01-31T18:00:05Z'), Date.UTC(2027, 0, 31, 18, 0, 5));
  t.is(parseInstant('2027-01-31T18:00:05.250+02:00'), Date.UTC(2027, 0, 31, 16, 0, 5, 250));
  t.is(parseInstant('2028-02-29'), Date.UTC(2028, 1, 29));
});

for (const text of [
  '',
  '2027',
  '2027-01',
  '2027-02-29',
  '2027-13-01',
  '2027-01-31T18:00',
  '2027-01-31T24:00Z',
  '2027-01-31 18:00Z',
  '31.1.2027',
  'tomorrow',
  '1790000000',
]) {
  test(`"${text}" is no instant`, (t) => {
    t.is(parseInstant(text), undefined);
  });
}
