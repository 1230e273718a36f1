import { AlterError, COMMAND_ERRORS, CommandError, WIRE_ERRORS } from '../errors.ts';
import { StoreUnavailableError } from '../store/store.ts';
import type { RecordUnreadableError } from '../vault/record-unreadable.ts';
import { printable } from './printable.ts';
import { wantsColour, type Terminal } from './terminal.ts';

/** What a failed command tells: the text for stderr and the code for the shell. */
export interface ErrorReport {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly exit: number;
}

const SYSTEM_REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or folder',
  ENOTDIR: 'not a folder',
  EISDIR: 'is a folder',
  ENOSPC: 'no space left on the device',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
};

const WRITES = new Set(['mkdir', 'mkdtemp', 'write', 'rename', 'unlink', 'rm', 'chmod', 'fsync', 'link', 'copyfile', 'ftruncate']);

/** What the operating system says of `error`, in words where we have some. */
export function systemReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ('code' in error ? SYSTEM_REASONS[String(error.code)] : undefined) ?? error.message;
}

/** The CommandError for a file that the operating system refuses, or undefined when `error` is something else. */
export function fileError(error: unknown): CommandError | undefined {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return undefined;
  const reason = SYSTEM_REASONS[String(error.code)];
  if (reason === undefined) return undefined;
  const path = 'path' in error ? `${String(error.path)}: ` : '';
  const writes = WRITES.has(String(error.syscall)) || error.code === 'ENOSPC' || error.code === 'EROFS';
  return new CommandError(writes ? 'file_unwritable' : 'file_unreadable', `${path}${reason}`, { cause: error });
}

/** The CommandError for output that has not left, at least in part. */
export function lostOutput(error: Error): CommandError {
  return new CommandError('file_unwritable', `the output cannot be written: ${systemReason(error)}`, { cause: error });
}

/** Whether a file could not be made because there is one already. */
export function isExisting(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}

/** What is told about `error`. */
export function reportOf(error: unknown): ErrorReport {
  if (error instanceof CommandError) return { code: error.code, message: error.message, hint: error.hint, exit: error.exit };
  if (error instanceof StoreUnavailableError) {
    const { exit, hint } = COMMAND_ERRORS.store_unreachable;
    return { code: 'store_unreachable', message: error.message, hint: error.hint ?? hint, exit };
  }
  if (error instanceof AlterError) {
    const message = error.detail === undefined ? error.message : `${error.message}: ${error.detail}`;
    return { code: error.code, message, hint: WIRE_ERRORS[error.code].hint, exit: error.status === 403 ? 3 : 1 };
  }
  const file = fileError(error);
  if (file !== undefined) return reportOf(file);
  const { exit, hint } = COMMAND_ERRORS.internal;
  return { code: 'internal', message: error instanceof Error ? error.message : String(error), hint, exit };
}

function printableLines(text: string): string {
  return text
    .split('\n')
    .map((line) => printable(line))
    .join('\n');
}

/** In which form a failure is told. */
interface ReportForm {
  readonly json: boolean;
  readonly colour: boolean;
}

/** Writes a failure to stderr, as one JSON document or as `error:` and `hint:` lines, and returns the exit code. */
export function reportError(error: unknown, terminal: Terminal, form: ReportForm): number {
  const report = reportOf(error);
  write(report, terminal, form);
  if (terminal.env['ALTER_DEBUG'] === '1' && error instanceof Error) terminal.stderr.write(`${describeForDebugging(error)}\n`);
  return report.exit;
}

/** Writes to stderr which records a listing has left out, in the same form, and returns the exit code. */
export function reportLeftOut(leftOut: readonly RecordUnreadableError[], terminal: Terminal, form: ReportForm): number {
  const message = leftOut.map((error) => error.message).join('\n');
  const report = reportOf(new CommandError('record_unreadable', message));
  write(report, terminal, form, { records: leftOut.map(({ record, reason }) => ({ record, reason })) });
  return report.exit;
}

/** `more` is for programs only. */
function write({ code, message, hint }: ErrorReport, { stderr, env }: Terminal, form: ReportForm, more: object = {}): void {
  if (form.json) {
    stderr.write(`${JSON.stringify({ error: { code, message, hint, ...more } })}\n`);
  } else {
    const colour = wantsColour(stderr, env, form.colour);
    const label = (name: string, sgr: string) => (colour ? `\u001b[${sgr}m${name}\u001b[0m` : name);
    stderr.write(`${label('error:', '1;31')} ${printableLines(message)}\n`);
    stderr.write(`${label('hint:', '36')} ${printableLines(hint)}\n`);
  }
}

function describeForDebugging(error: Error): string {
  const own = error.stack ?? error.message;
  return error.cause instanceof Error ? `${own}\ncaused by: ${describeForDebugging(error.cause)}` : own;
}
