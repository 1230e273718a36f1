import test from 'ava';
import { ZoneClock, isZone, zoneClock } from '../../../src/policy/zone-clock.ts';

const HOUR = 3_600_000;

test('the kept offset is the one that Intl gives, at every quarter of an hour of a year and in between', (t) => {
  for (const zone of ['Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe', 'Africa/Casablanca', 'Pacific/Chatham']) {
    const clock = new ZoneClock(zone);
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    });
    for (let now = Date.UTC(2026, 0, 1); now < Date.UTC(2027, 0, 1); now += 7 * HOUR + 601_000) {
      const { minute, weekday } = clock.at(now);
      const day = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][weekday] ?? '';
      const two = (number: number): string => String(number).padStart(2, '0');
      t.is(format.format(now), `${day} ${two(Math.floor(minute / 60))}:${two(minute % 60)}`, `${zone} ${new Date(now).toISOString()}`);
    }
  }
});

test('before 1970, too', (t) => {
  t.deepEqual(new ZoneClock('UTC').at(-1), { day: -1, minute: 1439, weekday: 3 });
});

test('a zone is one of the IANA database', (t) => {
  for (const zone of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+3']) t.true(isZone(zone), zone);
  for (const zone of ['', 'Europe/Atlantis', '+02:00', 'Europe/Berlin ', '../etc', 'local']) t.false(isZone(zone), zone);
  t.is(zoneClock('UTC'), zoneClock('UTC'));
});
