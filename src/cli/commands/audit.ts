import type { Command } from 'commander';
import type { ChangeEvent } from '../../audit/change.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { CommandError } from '../../errors.ts';
import type { StoredEvent } from '../../store/store.ts';
import { parseEvent } from '../audit-events.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { formatChange, formatEvent } from '../event-line.ts';
import type { Paint } from '../output.ts';
import type { Session } from '../session.ts';
import { takeUntil, untilSignal } from '../until-signal.ts';

interface TailOptions {
  readonly follow?: boolean;
  readonly lines: string;
}

const PAGE = 500;
const WAIT_MS = 1_000;
const MAX_LINES = 100_000;

function parseLines(text: string): number {
  const lines = Number(text);
  if (/^\d{1,6}$/.test(text) && lines <= MAX_LINES) return lines;
  throw new CommandError('usage', `--lines takes a number from 0 to ${String(MAX_LINES)}`);
}

function print(session: Session, events: readonly StoredEvent[]): void {
  for (const { json, position } of events) {
    const event = parseEvent(json);
    if (event === undefined) session.output.note(`alter-proxy: the event at ${position} is not readable`);
    else session.output.line(session.output.json ? JSON.stringify(event) : lineOf(event, session.output.paint));
  }
}

function lineOf(event: AuditEvent | ChangeEvent, paint: Paint): string {
  return event.type === 'change' ? formatChange(event, paint) : formatEvent(event, paint);
}

async function follow(session: Session, from: string | undefined): Promise<number> {
  const store = await session.store();
  const { app } = session.config();
  const stop = untilSignal(['SIGINT', 'SIGTERM']);
  let after = from;
  const read = (): Promise<readonly StoredEvent[]> => store.readEvents(app, { after, limit: PAGE, waitMs: WAIT_MS });
  try {
    return await takeUntil(stop.signal, read, (events) => {
      print(session, events);
      after = events.at(-1)?.position ?? after;
    });
  } finally {
    stop.release();
  }
}

async function tail(session: Session, options: TailOptions): Promise<number> {
  const lines = parseLines(options.lines);
  const store = await session.store();
  // Following from "after nothing" would mean the last events again and again: one position is needed in any case.
  const last = await store.readEvents(session.config().app, { limit: Math.max(lines, 1) });
  print(session, lines === 0 ? [] : last);
  if (options.follow === true) return await follow(session, last.at(-1)?.position);
  if (last.length === 0) session.output.note('No events yet.');
  return 0;
}

/** `audit tail`. */
export function addAuditCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'audit', 'What was done with grants, and what was changed');
  const command = declare(group, 'tail', 'Print the latest audit events, oldest first.', [
    'alter-proxy audit tail -n 50',
    'alter-proxy audit tail --follow',
    'alter-proxy audit tail --json | jq \'select(.outcome != "success")\'   # one event per line',
  ])
    .option('-f, --follow', 'keep printing events as they come')
    .option('-n, --lines <number>', 'how many events', '20');
  perform<TailOptions>(command, runtime, tail);
}
