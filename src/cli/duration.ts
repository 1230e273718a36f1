/** Times as commands print them. */

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A span in its largest fitting unit: `3 days`, `1 hour`, `45 seconds`. */
export function formatSpan(ms: number): string {
  const units: readonly (readonly [number, string])[] = [
    [UNIT_MS.d, 'day'],
    [UNIT_MS.h, 'hour'],
    [UNIT_MS.m, 'minute'],
  ];
  const [size, name] = units.find(([unit]) => ms >= unit) ?? [UNIT_MS.s, 'second'];
  const count = Math.floor(ms / size);
  return `${String(count)} ${name}${count === 1 ? '' : 's'}`;
}

/** An instant relative to now, for tables: `in 3 days`, `2 hours ago`, `never` when there is none. */
export function formatInstant(instant: number | undefined, now: number): string {
  if (instant === undefined) return 'never';
  if (instant < now) return `${formatSpan(now - instant)} ago`;
  // Up to the next minute, so that a grant issued for 30 days a moment ago does not read "in 29 days".
  const left = instant - now;
  return `in ${formatSpan(left < UNIT_MS.m ? left : Math.ceil(left / UNIT_MS.m) * UNIT_MS.m)}`;
}

/** An instant for programs: ISO 8601 in UTC, or null when there is none. */
export function isoInstant(instant: number | undefined): string | null {
  return instant === undefined ? null : new Date(instant).toISOString();
}
