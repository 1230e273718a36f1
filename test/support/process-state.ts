import { readFileSync } from 'node:fs';
import { isAlive } from '../../src/cli/run-file.ts';

/**
 * Whether a process still does something. One that has ended keeps its id until its parent asks for it, and process 1 of many containers,
 * which inherits the children of those that were killed, never asks.
 */
export function isRunning(pid: number): boolean {
  return isAlive(pid) && stateOf(pid) !== 'Z';
}

/** The letter of proc_pid_stat(5), behind the name in parentheses; undefined where there is no /proc, and when the process is gone. */
function stateOf(pid: number): string | undefined {
  try {
    return /\) (\w)[^)]*$/.exec(readFileSync(`/proc/${String(pid)}/stat`, 'utf8'))?.[1];
  } catch {
    return undefined;
  }
}
