import { closeSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Where the proxy of a run logs: never to the streams of the command, unless that was asked for. */
export interface RunLog {
  /** File descriptor. */
  readonly destination: number;
  close(): void;
}

const STANDARD_ERROR = 2;
/** A log that grew past this makes room when the next run begins. */
const MAX_BYTES = 4 << 20;

function rotate(path: string): void {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > MAX_BYTES) renameSync(path, `${path}.1`);
}

/** Opens the log of a run: `file`, stderr when it is `-`, or `run.log` in `runDir`. */
export function openRunLog(runDir: string, file: string | undefined): RunLog {
  if (file === '-') return { destination: STANDARD_ERROR, close: () => undefined };
  const path = file === undefined ? join(runDir, 'run.log') : resolve(file);
  if (file === undefined) {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    rotate(path);
  }
  const descriptor = openSync(path, 'a', 0o600);
  return {
    destination: descriptor,
    close: () => {
      closeSync(descriptor);
    },
  };
}
