import { RuleFault, onlyMembers, textAt, textsAt } from '../fault.ts';
import type { RuleMembers } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';
import { isZone, zoneClock } from '../zone-clock.ts';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const WHEN = ['hours', 'days', 'from', 'until'] as const;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;

/** Minutes since midnight; `end` is exclusive, and not later than `start` when the hours go over midnight. */
interface Hours {
  readonly start: number;
  readonly end: number;
}

/**
 * `hours` (`09:00-17:30`: the start belongs to it, the end does not; `22:00-06:00` goes over midnight and belongs to the day on which it
 * begins, in the eyes of `days`, `from` and `until`), `days` (`mon` … `sun`), and the dates `from` and `until`, both inclusive. All of it on
 * the clock of `zone`, an IANA name.
 */
export const time: RuleKind = {
  kind: 'time',
  compile(rule) {
    onlyMembers(rule, ['zone', ...WHEN]);
    if (WHEN.every((member) => rule[member] === undefined)) throw new RuleFault([], `needs one of ${WHEN.join(', ')}`);
    const zone = textAt(rule, 'zone', 'an IANA time zone, such as Europe/Berlin or UTC', isZone) ?? 'UTC';
    const hours = textsAt(rule, 'hours', 'hours such as 09:00-17:30', (text) => parseHours(text) !== undefined)?.flatMap(
      (text) => parseHours(text) ?? [],
    );
    const days = daysAt(rule);
    const from = dayAt(rule, 'from') ?? -Infinity;
    const until = dayAt(rule, 'until') ?? Infinity;
    if (from > until) throw new RuleFault(['until'], 'must not be before from');
    const clock = zoneClock(zone);
    const isOn = (date: number, weekday: number): boolean => date >= from && date <= until && (days === undefined || days.has(weekday));
    return {
      type: 'check',
      requires: `the time in ${zone} is within ${describe(rule)}`,
      passes: ({ now }) => {
        const { day, minute, weekday } = clock.at(now);
        const today = isOn(day, weekday);
        if (hours === undefined) return today;
        const yesterday = isOn(day - 1, (weekday + 6) % 7);
        for (const some of hours) if (isWithin(some, minute, today, yesterday)) return true;
        return false;
      },
    };
  },
};

/** Whether hours that begin today, or began yesterday, are under way; each counts only when its day does. */
function isWithin({ start, end }: Hours, minute: number, today: boolean, yesterday: boolean): boolean {
  if (start < end) return today && minute >= start && minute < end;
  return (today && minute >= start) || (yesterday && minute < end);
}

function parseHours(text: string): Hours | undefined {
  const [, startHour, startMinute, endHour, endMinute] = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text) ?? [];
  const start = minuteOf(startHour, startMinute);
  const end = minuteOf(endHour, endMinute);
  if (start === undefined || end === undefined || start === end || start === DAY_MINUTES) return undefined;
  return { start, end };
}

function minuteOf(hour: string | undefined, minute: string | undefined): number | undefined {
  const minutes = Number(hour) * 60 + Number(minute);
  return Number(minute) < 60 && minutes <= DAY_MINUTES ? minutes : undefined;
}

function daysAt(rule: RuleMembers): ReadonlySet<number> | undefined {
  const right = `one of ${DAYS.join(', ')}`;
  const days = textsAt(rule, 'days', right, (text) => DAYS.some((day) => day === text));
  return days === undefined ? undefined : new Set(days.map((text) => DAYS.findIndex((day) => day === text)));
}

/** The date at `member` in days since 1970-01-01. */
function dayAt(rule: RuleMembers, member: string): number | undefined {
  const text = textAt(rule, member, 'a date such as 2026-12-31', isDate);
  return text === undefined ? undefined : Date.parse(`${text}T00:00:00Z`) / DAY_MS;
}

function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const instant = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(instant) && new Date(instant).toISOString().startsWith(text);
}

function describe(rule: RuleMembers): string {
  const list = (member: string): string[] => {
    const value = rule[member];
    return Array.isArray(value) ? [value.join(', ') || 'never'] : [];
  };
  const date = (member: string): string[] => (typeof rule[member] === 'string' ? [`${member} ${rule[member]}`] : []);
  return [...list('days'), ...list('hours'), ...date('from'), ...date('until')].join(' ');
}
