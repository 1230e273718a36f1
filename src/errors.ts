/** Every refusal of the proxy and every failure of a command is made from here, by a code of the registry. */
import { COMMAND_ERRORS, WIRE_ERRORS, type CommandCode, type WireCode } from './error-codes.ts';

export { COMMAND_ERRORS, WIRE_ERRORS } from './error-codes.ts';
export type { CommandCode, WireCode } from './error-codes.ts';

/** What may accompany an {@link AlterError}. */
export interface AlterErrorOptions {
  /** More text that is safe for the client. */
  readonly detail?: string;
  /** The policy rule that refused, or a finer reason for the audit event. */
  readonly rule?: string;
  /** Seconds for `Retry-After`. */
  readonly retryAfterS?: number;
  /** More fields of the answer: name, value, name, value … */
  readonly headers?: readonly string[];
  /** What lies behind, for the log only. */
  readonly cause?: unknown;
}

/** A refusal by the proxy. Its message, detail and rule are safe to show to the client. */
export class AlterError extends Error {
  readonly code: WireCode;
  readonly detail: string | undefined;
  readonly rule: string | undefined;
  readonly retryAfterS: number | undefined;
  readonly headers: readonly string[];

  constructor(code: WireCode, options: AlterErrorOptions = {}) {
    super(WIRE_ERRORS[code].title, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AlterError';
    this.code = code;
    this.detail = options.detail;
    this.rule = options.rule;
    this.retryAfterS = options.retryAfterS;
    this.headers = options.headers ?? [];
  }

  /** HTTP status of the answer. */
  get status(): number {
    return WIRE_ERRORS[this.code].status;
  }
}

/** A command, or the start of the proxy, failed. `message` is one line that says what was wrong. */
export class CommandError extends Error {
  readonly code: CommandCode;
  readonly hint: string;

  constructor(code: CommandCode, message: string, options: { readonly hint?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CommandError';
    this.code = code;
    this.hint = options.hint ?? COMMAND_ERRORS[code].hint;
  }

  /** Exit code for the process. */
  get exit(): number {
    return COMMAND_ERRORS[this.code].exit;
  }
}

/** The hint about a file that was not read for `cause`: what may not be read is not lost. Empty: the hint of the code stands. */
export function accessHint(cause: unknown): { readonly hint?: string } {
  if (!(cause instanceof Error) || !('code' in cause) || (cause.code !== 'EACCES' && cause.code !== 'EPERM')) return {};
  return { hint: 'Run the command as the user who owns the file, or see that this user may read it and enter its folder.' };
}

/** What has a list, with the command that shows it. */
const LISTS = {
  secret: 'secret list',
  grant: 'grant list',
  agent: 'agent list',
  provider: 'provider list',
  'identity provider': 'idp list',
} as const;

/** There is no such thing. Its own list is the hint: a command may have asked for it beside what the command is about. */
export function notFound(what: keyof typeof LISTS, name: string): CommandError {
  return new CommandError('not_found', `there is no ${what} ${JSON.stringify(name)}`, { hint: `See \`alter-proxy ${LISTS[what]}\`.` });
}
