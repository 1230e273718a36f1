const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const LONGEST_MS = 100 * 365 * UNIT_MS.d;

type Unit = keyof typeof UNIT_MS;

/**
 * Milliseconds of a duration as people write it: `30d`, `12h`, `1h30m`, `2w`. Undefined when it is not one: no unit, zero, or longer than
 * a hundred years.
 */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,9}[smhdw])+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)([smhdw])/g)) total += Number(amount) * UNIT_MS[unit as Unit];
  return total > 0 && total <= LONGEST_MS ? total : undefined;
}

// A date, or a date and a time with its zone (RFC 3339 §5.6; seconds may be left out).
const INSTANT = /^(\d{4}-\d{2}-\d{2})(?:T([01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** Milliseconds since the epoch of an instant as people write it; a date alone is its first moment in UTC. Undefined when it is none. */
export function parseInstant(text: string): number | undefined {
  const [, date] = INSTANT.exec(text) ?? [];
  // A day that its month does not have would become one of the next month.
  if (date === undefined || Number.isNaN(Date.parse(date)) || new Date(date).toISOString().slice(0, 10) !== date) return undefined;
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}
