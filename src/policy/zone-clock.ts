/** What the clock on the wall of a time zone shows. */
export interface LocalTime {
  /** Days since 1970-01-01, local. */
  readonly day: number;
  /** Minutes since local midnight, 0 to 1439. */
  readonly minute: number;
  /** 0 is Sunday. */
  readonly weekday: number;
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAY_MINUTES = 1440;
/** Offsets of all zones change at instants that are a multiple of this since the epoch (tz database, from 1972 on). */
const QUARTER_MS = 15 * MINUTE_MS;

/**
 * The clock of one IANA zone. Asking Intl for an offset costs some 2 µs, so it is kept until the next quarter of an hour. From an instant to
 * local time there are no gaps and no overlaps: every instant has one local time, also when clocks are changed.
 */
export class ZoneClock {
  readonly #format: Intl.DateTimeFormat;
  #quarter = NaN;
  #offsetMs = 0;

  /** Throws RangeError when there is no such zone. */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The local time at `now`, milliseconds since the epoch. */
  at(now: number): LocalTime {
    const local = now + this.#offsetAt(now);
    const day = Math.floor(local / DAY_MS);
    const minute = Math.floor(local / MINUTE_MS) - day * DAY_MINUTES;
    // 1970-01-01 was a Thursday.
    return { day, minute, weekday: (((day + 4) % 7) + 7) % 7 };
  }

  #offsetAt(now: number): number {
    const quarter = Math.floor(now / QUARTER_MS);
    if (quarter !== this.#quarter) {
      this.#offsetMs = this.#readOffset(quarter * QUARTER_MS);
      this.#quarter = quarter;
    }
    return this.#offsetMs;
  }

  #readOffset(instant: number): number {
    const parts: Partial<Record<string, number>> = {};
    for (const { type, value } of this.#format.formatToParts(instant)) parts[type] = Number(value);
    const { year = NaN, month = NaN, day = NaN, hour = NaN, minute = NaN, second = NaN } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant;
  }
}

const clocks = new Map<string, ZoneClock>();
const MAX_CLOCKS = 64;

/** The clock of `zone`, shared by all rules. Throws RangeError when there is no such zone. */
export function zoneClock(zone: string): ZoneClock {
  const known = clocks.get(zone);
  if (known !== undefined) return known;
  const clock = new ZoneClock(zone);
  if (clocks.size >= MAX_CLOCKS) clocks.clear();
  clocks.set(zone, clock);
  return clock;
}

/** Whether this process knows the IANA zone. Offsets such as `+02:00` are none: they do not follow the law. */
export function isZone(zone: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return false;
  try {
    zoneClock(zone);
    return true;
  } catch {
    return false;
  }
}
