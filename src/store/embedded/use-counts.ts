import type { Uses } from '../store.ts';
import type { Environment } from './environment.ts';

/** Adds `uses` within the running write transaction. */
export function addToCounts(environment: Environment, app: string, uses: readonly Uses[]): void {
  for (const { id, count, lastAt } of uses) {
    const before = countOf(environment, app, id);
    const total = count + (before?.count ?? 0);
    void environment.uses.put([app, id], `${String(total)} ${String(Math.max(lastAt, before?.lastAt ?? 0))}`);
  }
}

/** The uses of `ids` so far, of those that were used. */
export function readCounts(environment: Environment, app: string, ids: readonly string[]): readonly Uses[] {
  return ids.flatMap((id) => countOf(environment, app, id) ?? []);
}

function countOf(environment: Environment, app: string, id: string): Uses | undefined {
  const text = environment.uses.get([app, id]);
  if (text === undefined) return undefined;
  const [count = '', lastAt = ''] = text.split(' ');
  return { id, count: Number(count), lastAt: Number(lastAt) };
}
