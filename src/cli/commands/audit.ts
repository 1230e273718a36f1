import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ChangeEvent } from '../../audit/change.ts';
import type { AuditEvent } from '../../audit/event.ts';
import { CommandError } from '../../errors.ts';
import { ForeignValueError, StoreForbiddenError, StoreUnavailableError, type StoredEvent } from '../../store/store.ts';
import { parseEvent } from '../audit-events.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { formatChange, formatEvent } from '../event-line.ts';
import type { Paint } from '../output.ts';
import { printable } from '../printable.ts';
import type { Session } from '../session.ts';
import { takeUntil, untilSignal } from '../until-signal.ts';

interface TailOptions {
  readonly follow?: boolean;
  readonly lines: string;
}

const PAGE = 500;
const WAIT_MS = 1_000;
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 5_000;
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
  const ending = new AbortController();
  let after = from;
  const read = (): Promise<readonly StoredEvent[]> => store.readEvents(app, { after, limit: PAGE, waitMs: WAIT_MS });
  const next = store.kind === 'redis' ? () => readWhenBack(session, read, ending.signal) : read;
  try {
    return await takeUntil(stop.signal, next, (events) => {
      print(session, events);
      after = events.at(-1)?.position ?? after;
    });
  } finally {
    ending.abort();
    stop.release();
  }
}

/** Reads again and again while the store is away. Nothing was taken from a read that failed, so that nothing is left out or told twice. */
async function readWhenBack(
  { output }: Session,
  read: () => Promise<readonly StoredEvent[]>,
  ending: AbortSignal,
): Promise<readonly StoredEvent[]> {
  for (let failures = 0; ; failures++) {
    try {
      const events = await read();
      if (failures > 0) output.note('alter-proxy: the store is back');
      return events;
    } catch (error) {
      if (ending.aborted) return [];
      if (!mayPass(error)) throw error;
      if (failures === 0) output.note(`alter-proxy: ${printable(error.message)}; the events go on when the store is back`);
      await sleep(Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS), undefined, { signal: ending }).catch(() => undefined); // Rejects only when ending.
    }
  }
}

/** Whether the same may be answered a moment later. */
function mayPass(error: unknown): error is StoreUnavailableError {
  return error instanceof StoreUnavailableError && !(error instanceof StoreForbiddenError) && !(error instanceof ForeignValueError);
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
