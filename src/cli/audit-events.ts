import type { AuditEvent } from '../audit/event.ts';

/** The event, or undefined when the stream holds something that is none: a newer or foreign writer. */
export function parseEvent(json: string): AuditEvent | undefined {
  try {
    const event = JSON.parse(json) as AuditEvent | null;
    return typeof event === 'object' && event !== null && typeof event.start === 'string' && typeof event.outcome === 'string'
      ? event
      : undefined;
  } catch {
    return undefined;
  }
}
