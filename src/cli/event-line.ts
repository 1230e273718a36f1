import type { ChangeEvent } from '../audit/change.ts';
import type { AuditEvent, AuditOutcome } from '../audit/event.ts';
import type { Paint, Style } from './output.ts';
import { printable } from './printable.ts';

const OUTCOME_STYLES: Readonly<Partial<Record<string, Style>>> = {
  success: 'green',
  policy_denied: 'red',
  principal_denied: 'red',
  provider_error: 'yellow',
  network_error: 'yellow',
  aborted: 'dim',
  interrupted: 'yellow',
} satisfies Record<AuditOutcome, Style>;

function two(number: number): string {
  return String(number).padStart(2, '0');
}

/** `11-22 01:20:33` in the time zone of this machine. */
function localTime(iso: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return '??-?? ??:??:??';
  const date = `${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${date} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function target(event: AuditEvent): string {
  // A connection that was refused before it named a destination.
  if (event.host === '') return '-';
  const host = event.host.includes(':') ? `[${event.host}]` : event.host;
  const usualPort = event.scheme === 'http' ? 80 : 443;
  const port = event.port === usualPort ? '' : `:${String(event.port)}`;
  const scheme = event.scheme === 'http' ? 'http://' : '';
  const query = event.queryNames.length === 0 ? '' : `?${event.queryNames.join('&')}`;
  return printable(`${scheme}${host}${port}${event.path}${query}`);
}

function duration(ms: number): string {
  return ms < 10_000 ? `${String(Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** One event as one line for people: time, outcome, status, method, destination, grant, duration, and why it was refused. */
export function formatEvent(event: AuditEvent, paint: Paint): string {
  const why = [event.code, event.rule].filter((text) => text !== null && text !== '').join('/');
  const warnings = (event as Partial<AuditEvent>).warnings ?? [];
  const columns = [
    paint('dim', localTime(event.start)),
    paint(OUTCOME_STYLES[event.outcome] ?? 'dim', printable(event.outcome).padEnd(16)),
    (event.status === null ? '-' : String(event.status)).padEnd(3),
    printable(event.type === 'request' ? event.method : event.type).padEnd(7),
    target(event).padEnd(40),
    paint('cyan', event.grantLabel === null ? '-' : printable(event.grantLabel)),
    paint('dim', duration(event.durationMs)),
    paint('red', printable(why)),
    // Events of an earlier version have no such member.
    paint('yellow', warnings.length === 0 ? '' : printable(`would deny: ${warnings.join(', ')}`)),
  ];
  return columns.join('  ').trimEnd();
}

/** One change as one line for people: time, what was done, to which record, what it is linked with, which members, and by whom. */
export function formatChange(event: ChangeEvent, paint: Paint): string {
  const links = Object.entries(event.links).map(([what, id]) => `${what} ${id}`);
  const columns = [
    paint('dim', localTime(event.start)),
    paint('cyan', 'change'.padEnd(16)),
    printable(event.action).padEnd(18),
    printable(event.target),
    paint('cyan', event.label === null ? '-' : printable(event.label)),
    printable(links.join(', ')),
    printable(event.members.join(', ')),
    paint('dim', `by ${printable(event.by)}`),
  ];
  return columns.filter((column) => column !== '').join('  ');
}
