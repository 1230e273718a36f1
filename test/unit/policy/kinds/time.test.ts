import test from 'ava';
import { verdict } from '../../../support/policy-facts.ts';

const at = (rule: object, instant: string) => verdict({ kind: 'time', ...rule }, { now: Date.parse(instant) });

test('hours: the start belongs to them, the end does not', (t) => {
  const rule = { hours: ['09:00-17:00'] };
  for (const time of ['09:00:00.000', '12:00:00Z', '16:59:59.999']) t.is(at(rule, `2026-07-15T${time.replace('Z', '')}Z`), 'allow', time);
  for (const time of ['08:59:59.999', '17:00:00.000', '00:00:00.000']) t.is(at(rule, `2026-07-15T${time}Z`), 'deny', time);
  t.is(at({ hours: ['09:00-12:00', '13:00-17:00'] }, '2026-07-15T12:30:00Z'), 'deny');
  t.is(at({ hours: ['09:00-12:00', '13:00-17:00'] }, '2026-07-15T13:00:00Z'), 'allow');
  t.is(at({ hours: ['00:00-24:00'] }, '2026-07-15T23:59:59.999Z'), 'allow');
});

test('hours over midnight belong to the day on which they begin', (t) => {
  const rule = { hours: ['22:00-06:00'], days: ['fri'] };
  for (const instant of ['2026-07-17T22:00:00Z', '2026-07-17T23:59:59Z', '2026-07-18T00:00:00Z', '2026-07-18T05:59:59Z'])
    t.is(at(rule, instant), 'allow', instant);
  for (const instant of ['2026-07-17T21:59:59Z', '2026-07-18T06:00:00Z', '2026-07-18T22:00:00Z', '2026-07-17T05:00:00Z'])
    t.is(at(rule, instant), 'deny', instant);
  t.is(at({ hours: ['22:00-06:00'], days: ['sat'] }, '2026-07-19T01:00:00Z'), 'allow', 'Saturday night ends on Sunday');
  t.is(at({ hours: ['22:00-06:00'], days: ['sun'] }, '2026-07-19T01:00:00Z'), 'deny');
});

test('hours over midnight belong to the day on which they begin for dates, too', (t) => {
  const night = { hours: ['22:00-06:00'], from: '2026-12-31', until: '2026-12-31' };
  for (const rule of [night, { ...night, days: ['thu'] }]) {
    for (const instant of ['2026-12-31T22:00:00Z', '2026-12-31T23:59:59Z', '2027-01-01T00:00:00Z', '2027-01-01T05:59:59Z'])
      t.is(at(rule, instant), 'allow', instant);
    for (const instant of ['2026-12-31T03:00:00Z', '2026-12-31T21:59:59Z', '2027-01-01T06:00:00Z', '2027-01-01T22:00:00Z'])
      t.is(at(rule, instant), 'deny', instant);
  }
  t.is(at({ ...night, days: ['fri'] }, '2027-01-01T03:00:00Z'), 'deny', 'it began on a Thursday');
  t.is(at({ ...night, hours: ['09:00-10:00', '22:00-06:00'] }, '2026-12-31T09:30:00Z'), 'allow');
  t.is(at({ ...night, hours: ['09:00-10:00', '22:00-06:00'] }, '2027-01-01T09:30:00Z'), 'deny');
});

test('weekdays are those of the zone', (t) => {
  // Wednesday 23:30 in UTC is Thursday 01:30 in Berlin and Wednesday 16:30 in Los Angeles.
  const instant = '2026-07-15T23:30:00Z';
  t.is(at({ days: ['wed'] }, instant), 'allow');
  t.is(at({ days: ['thu'], zone: 'Europe/Berlin' }, instant), 'allow');
  t.is(at({ days: ['wed'], zone: 'Europe/Berlin' }, instant), 'deny');
  t.is(at({ days: ['wed'], zone: 'America/Los_Angeles' }, instant), 'allow');
  t.is(at({ days: [] }, instant), 'deny');
});

test('dates are those of the zone, both inclusive', (t) => {
  const rule = { from: '2026-03-01', until: '2026-03-31', zone: 'Asia/Tokyo' };
  t.is(at(rule, '2026-02-28T14:59:59Z'), 'deny');
  t.is(at(rule, '2026-02-28T15:00:00Z'), 'allow');
  t.is(at(rule, '2026-03-31T14:59:59Z'), 'allow');
  t.is(at(rule, '2026-03-31T15:00:00Z'), 'deny');
  t.is(at({ from: '2026-03-01' }, '2099-01-01T00:00:00Z'), 'allow');
  t.is(at({ until: '2026-03-01' }, '1999-01-01T00:00:00Z'), 'allow');
});

test('the gap: clocks go from 02:00 to 03:00, and hours that fall into it never come', (t) => {
  // Europe/Berlin, 2026-03-29, 01:00 UTC.
  const gap = { hours: ['02:00-03:00'], zone: 'Europe/Berlin' };
  for (const instant of ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-03-29T01:30:00Z']) t.is(at(gap, instant), 'deny', instant);
  const early = { hours: ['01:00-03:00'], zone: 'Europe/Berlin' };
  t.is(at(early, '2026-03-29T00:59:59.999Z'), 'allow', '01:59:59 local');
  t.is(at(early, '2026-03-29T01:00:00Z'), 'deny', '03:00 local');
  t.is(at({ hours: ['03:00-04:00'], zone: 'Europe/Berlin' }, '2026-03-29T01:00:00Z'), 'allow');
});

test('the overlap: clocks go from 03:00 to 02:00, and the hour comes twice', (t) => {
  // Europe/Berlin, 2026-10-25, 01:00 UTC.
  const overlap = { hours: ['02:00-03:00'], zone: 'Europe/Berlin' };
  t.is(at(overlap, '2026-10-24T23:59:59Z'), 'deny');
  for (const instant of ['2026-10-25T00:00:00Z', '2026-10-25T00:59:59Z', '2026-10-25T01:00:00Z', '2026-10-25T01:59:59Z'])
    t.is(at(overlap, instant), 'allow', instant);
  t.is(at(overlap, '2026-10-25T02:00:00Z'), 'deny');
});

test('one rule follows the clock through a change in both directions', (t) => {
  const rule = { kind: 'time', hours: ['09:00-17:00'], zone: 'America/New_York' };
  const now = (instant: string) => verdict(rule, { now: Date.parse(instant) });
  // 2026-03-08: UTC-5 until 07:00 UTC, then UTC-4.
  t.is(now('2026-03-07T13:30:00Z'), 'deny');
  t.is(now('2026-03-08T13:30:00Z'), 'allow');
  t.is(now('2026-03-07T14:00:00Z'), 'allow', 'a clock that goes back is followed, too');
  // 2026-11-01: UTC-4 until 06:00 UTC, then UTC-5.
  t.is(now('2026-10-31T13:30:00Z'), 'allow');
  t.is(now('2026-11-01T13:30:00Z'), 'deny');
});

test('zones that are off by a part of an hour, or change by half of one', (t) => {
  t.is(at({ hours: ['05:45-06:00'], zone: 'Asia/Kathmandu' }, '2026-07-15T00:00:00Z'), 'allow');
  // Australia/Lord_Howe, 2026-04-05 02:00 (UTC+11) becomes 01:30 (UTC+10:30), at 15:00 UTC the day before.
  const rule = { hours: ['01:30-02:00'], zone: 'Australia/Lord_Howe' };
  for (const instant of ['2026-04-04T14:30:00Z', '2026-04-04T14:59:59Z', '2026-04-04T15:00:00Z', '2026-04-04T15:29:59Z'])
    t.is(at(rule, instant), 'allow', instant);
  t.is(at(rule, '2026-04-04T15:30:00Z'), 'deny');
});
