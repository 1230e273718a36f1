import type { Freshness, InvalidationListener } from '../store.ts';
import type { Environment } from './environment.ts';

/** Changes that are kept by name; who has missed more is told that anything may have changed. */
const KEPT_CHANGES = 1024;
const LAST = 0;

/** Notes, within the running write transaction, that the record `ref` has changed. */
export function noteChange(environment: Environment, ref: string): void {
  const change = lastChange(environment) + 1;
  void environment.changes.put(change, ref);
  void environment.changes.put(LAST, String(change));
  if (change > KEPT_CHANGES) void environment.changes.remove(change - KEPT_CHANGES);
}

/**
 * Follows the changes of any process by the number of the last one, which every write of a record moves: `alive` reads it
 * from the newest committed state, so it cannot miss a change that was acknowledged before the call.
 */
export function followChanges(environment: Environment, apps: readonly string[], listener: InvalidationListener): Freshness {
  let seen = environment.read(() => lastChange(environment));
  let open = true;
  const concerns = (ref: string): boolean => ref.startsWith('key:') || apps.includes(ref.slice(0, ref.indexOf(':')));
  return {
    alive: () => {
      if (!open) return false;
      const news = changesAfter(environment, seen);
      if (news === undefined) return false;
      seen = news.last;
      if (news.refs === undefined) listener(undefined);
      else for (const ref of news.refs) if (concerns(ref)) listener(ref);
      return true;
    },
    close: () => {
      open = false;
    },
  };
}

interface News {
  readonly last: number;
  /** What has changed; undefined: no longer known. */
  readonly refs: ReadonlySet<string> | undefined;
}

const NOTHING: ReadonlySet<string> = new Set();

/** What has changed after the change numbered `seen`, or undefined when it cannot be read. */
function changesAfter(environment: Environment, seen: number): News | undefined {
  try {
    return environment.read(() => {
      const last = lastChange(environment);
      return { last, refs: last === seen ? NOTHING : refsBetween(environment, seen, last) };
    });
  } catch {
    return undefined; // The caller then reads the record itself, and that failure is the one that is reported.
  }
}

function refsBetween(environment: Environment, from: number, to: number): Set<string> | undefined {
  if (to < from || to - from > KEPT_CHANGES) return undefined;
  const refs = new Set<string>();
  for (let change = from + 1; change <= to; change++) {
    const ref = environment.changes.get(change);
    if (ref === undefined) return undefined;
    refs.add(ref);
  }
  return refs;
}

function lastChange(environment: Environment): number {
  return Number(environment.changes.get(LAST) ?? '0');
}
