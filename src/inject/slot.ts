import type { PlaceholderPlace, PreparedInjection } from './injector.ts';

/** Whether every place where a placeholder stands is one that `injection` writes, so that none of them can remain. */
export function matchSlot(injection: PreparedInjection, places: readonly PlaceholderPlace[]): boolean {
  for (const { place } of places) if (!injection.writes.includes(place)) return false;
  return true;
}
