import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { CommandError } from '../errors.ts';

const PASSED_ON = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;

/** Exit code of a shell for a command that it cannot find. */
const EXIT_NOT_FOUND = 127;
/** Exit code of a shell for a file that it cannot execute. */
const EXIT_NOT_EXECUTABLE = 126;

/**
 * Whether Ctrl-C reaches the child by itself: the terminal sends SIGINT and SIGQUIT to the whole foreground process group, and a second one
 * from here would read as "stop at once" to many programs. Fields 5 and 8 of /proc/self/stat are the own and the foreground group (proc(5)).
 */
function terminalInterruptsChild(): boolean {
  try {
    const fields = readFileSync('/proc/self/stat', 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    const [ownGroup, foregroundGroup] = [fields[2], fields[5]];
    return ownGroup !== undefined && ownGroup === foregroundGroup;
  } catch {
    // No /proc on this system.
    return process.stdin.isTTY;
  }
}

/** Passes signals on to the child from now on; they are handled between turns of the event loop, when the child is there. */
function passSignals(child: () => ChildProcess): () => void {
  const handlers = PASSED_ON.map((signal) => {
    const handler = () => {
      const fromTerminal = (signal === 'SIGINT' || signal === 'SIGQUIT') && terminalInterruptsChild();
      if (!fromTerminal) child().kill(signal);
    };
    process.on(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => {
    for (const remove of handlers) remove();
  };
}

function spawnError(error: Error, command: string): Error {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return new CommandNotRunError(`command not found: ${command}`, EXIT_NOT_FOUND, 'Check its name and PATH.');
  if (code === 'EACCES')
    return new CommandNotRunError(`not executable: ${command}`, EXIT_NOT_EXECUTABLE, 'Run chmod +x on the file, or name its interpreter.');
  return error;
}

/** The command could not be run; the exit code is the one that a shell gives. */
class CommandNotRunError extends CommandError {
  readonly #exit: number;

  constructor(message: string, exit: number, hint: string) {
    super('not_found', message, { hint });
    this.#exit = exit;
  }

  override get exit(): number {
    return this.#exit;
  }
}

/**
 * Runs a command on the terminal of this process and passes signals on to it. Resolves with its exit code, 128 + n when signal n ended it.
 * Rejects with {@link CommandNotRunError} when there is no such command.
 */
export function runChild(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    // Before the command exists: its first output may already bring a signal.
    const stopPassing = passSignals(() => child);
    const child = spawn(command, args, { stdio: 'inherit', env });
    child.once('error', (error) => {
      stopPassing();
      reject(spawnError(error, command));
    });
    child.once('exit', (code, signal) => {
      stopPassing();
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
