import type { Readable, Writable } from 'node:stream';

/** What a command reads from. A terminal knows raw mode. */
export type Input = Readable & { readonly isTTY?: boolean; readonly isRaw?: boolean; setRawMode?(raw: boolean): unknown };

/** What a command writes to. */
export type TextStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** The surroundings of a command: its three streams and its environment. */
export interface Terminal {
  readonly stdin: Input;
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Whether a human sits at both ends: they can be asked. */
export function isInteractive(terminal: Terminal): boolean {
  return terminal.stdin.isTTY === true && terminal.stderr.isTTY === true;
}

/** Colours go only to a terminal, and not when NO_COLOR (no-color.org) is set or the terminal is dumb. */
export function wantsColour(stream: TextStream, env: Terminal['env'], flag: boolean): boolean {
  return flag && stream.isTTY === true && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
