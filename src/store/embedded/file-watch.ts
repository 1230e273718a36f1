import { statSync } from 'node:fs';

const LOOK_EVERY_MS = 1000;

/** Tells whether a file still is the one that was opened. */
export interface FileWatch {
  /** Aborted once it is another one. */
  readonly replaced: AbortSignal;
  /** Looks now. */
  look(): void;
  /** Looks no more. */
  close(): void;
}

/** Looks once a second whether `file` still is the one that it was at first, as after a restore it is not. */
export function watchFile(file: string): FileWatch {
  const identity = (): string | undefined => {
    const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
    return stat === undefined ? undefined : `${String(stat.dev)} ${String(stat.ino)}`;
  };
  const opened = identity();
  const replaced = new AbortController();
  const look = (): void => {
    try {
      if (!replaced.signal.aborted && identity() !== opened) replaced.abort();
    } catch {
      // Whether the file is another one cannot be told now.
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS).unref();
  return {
    replaced: replaced.signal,
    look,
    close: () => {
      clearInterval(timer);
    },
  };
}
