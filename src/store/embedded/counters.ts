import type { CounterState, CounterTake } from '../store.ts';
import type { Environment } from './environment.ts';

/** Counters whose window is over are taken away this many at a time, whenever a window begins. */
const SWEPT_AT_ONCE = 4;

/** How often a counter was used, and when its window ends: milliseconds since the epoch. */
interface Window {
  readonly used: number;
  readonly endsAt: number;
}

/** Takes a place in a window within the running write transaction, if there is one. */
export function takePlace(environment: Environment, key: string, { limit, windowMs }: CounterTake, now: number): CounterState {
  const window = runningWindow(environment.counters.get(key), windowMs, now);
  if (window === undefined) sweep(environment, key, now);
  const { used, endsAt } = window ?? { used: 0, endsAt: now + windowMs };
  const resetMs = endsAt - now;
  if (used >= limit) return { taken: false, used, resetMs };
  void environment.counters.put(key, `${String(used + 1)} ${String(endsAt)}`);
  return { taken: true, used: used + 1, resetMs };
}

/** A window that ends later than a whole one from now was begun by a clock that was put back since. */
function runningWindow(stored: string | undefined, windowMs: number, now: number): Window | undefined {
  const window = parse(stored);
  return window !== undefined && window.endsAt > now && window.endsAt <= now + windowMs ? window : undefined;
}

function parse(stored: string | undefined): Window | undefined {
  const [used, endsAt] = stored?.split(' ').map(Number) ?? [];
  return used === undefined || endsAt === undefined ? undefined : { used, endsAt };
}

function sweep(environment: Environment, after: string, now: number): void {
  const range = { start: after, exclusiveStart: true, limit: SWEPT_AT_ONCE };
  for (const { key, value } of [...environment.counters.getRange(range)]) {
    if ((parse(value)?.endsAt ?? 0) <= now) void environment.counters.remove(key);
  }
}
