import { CommandError } from '../../errors.ts';
import type { StoredEvent } from '../store.ts';
import type { Environment } from './environment.ts';

const POSITION_DIGITS = 16;
const FIRST = 0;
const END = Number.MAX_SAFE_INTEGER;
/** Events beyond the bound are dropped this many at once at most, so that no single append takes long. */
const MAX_DROPPED_AT_ONCE = 5000;

/** Appends `events` within the running write transaction, and drops the oldest beyond about `maxStream` (0: keep all). */
export function appendToLog(environment: Environment, app: string, events: readonly string[], maxStream: number): void {
  let position = edge(environment, app, true) ?? FIRST;
  for (const json of events) {
    position += 1;
    void environment.audit.put([app, position], json);
  }
  if (maxStream > 0) trim(environment, app, position, maxStream);
}

/** A sixteenth more than the bound is tolerated: most appends then drop nothing. */
function trim(environment: Environment, app: string, last: number, maxStream: number): void {
  const oldest = edge(environment, app, false) ?? last;
  const count = last - oldest + 1;
  if (count <= maxStream + (maxStream >> 4)) return;
  const dropped = Math.min(count - maxStream, MAX_DROPPED_AT_ONCE);
  for (let position = oldest; position < oldest + dropped; position++) void environment.audit.remove([app, position]);
}

/** Position of the newest (or oldest) event of `app`. */
function edge(environment: Environment, app: string, newest: boolean): number | undefined {
  const range = newest ? { start: [app, END], end: [app, FIRST], reverse: true } : { start: [app, FIRST], end: [app, END] };
  const [key] = [...environment.audit.getKeys({ ...range, limit: 1 })];
  return key === undefined ? undefined : Number(key[1]);
}

/** Up to `limit` events of `app` after `position`, or the last ones when it is undefined; oldest first. */
export function readLog(environment: Environment, app: string, after: string | undefined, limit: number): StoredEvent[] {
  const range =
    after === undefined
      ? { start: [app, END], end: [app, FIRST], reverse: true }
      : { start: [app, parsePosition(after)], exclusiveStart: true, end: [app, END] };
  const events = [...environment.audit.getRange({ ...range, limit })].map(({ key, value }) => ({
    position: String(key[1]).padStart(POSITION_DIGITS, '0'),
    json: value,
  }));
  return after === undefined ? events.reverse() : events;
}

/** Throws CommandError `usage` when `text` is not a position that this log gave. */
export function parsePosition(text: string): number {
  if (!/^\d{1,16}$/.test(text) || Number(text) >= END) throw new CommandError('usage', 'This is not a position of the audit log.');
  return Number(text);
}
