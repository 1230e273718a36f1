import type { ChangeEvent } from '../audit/change.ts';
import type { AuditEvent } from '../audit/event.ts';

/** The event, or undefined when the stream holds something that is none: a newer or foreign writer. */
export function parseEvent(json: string): AuditEvent | ChangeEvent | undefined {
  try {
    const event = JSON.parse(json) as AuditEvent | ChangeEvent | null;
    if (typeof event !== 'object' || event === null || typeof event.start !== 'string') return undefined;
    return typeof (event.type === 'change' ? event.action : event.outcome) === 'string' ? event : undefined;
  } catch {
    return undefined;
  }
}

/** Events of exchanges alone. */
export function exchangesAmong(events: readonly (AuditEvent | ChangeEvent | undefined)[]): AuditEvent[] {
  return events.flatMap((event) => (event === undefined || event.type === 'change' ? [] : [event]));
}
