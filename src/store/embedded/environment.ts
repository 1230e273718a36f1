import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { open, type Database, type Key, type RootDatabase } from 'lmdb';
import { CommandError } from '../../errors.ts';
import { StoreUnavailableError } from '../store.ts';
import { DiskRoom, type Amount } from './disk-room.ts';
import { watchFile } from './file-watch.ts';
import { checkMetaPages, checkPages, DamageError, LAYOUT_IS_KNOWN } from './integrity.ts';
import { NewestCommit, StaleStateError } from './newest-commit.ts';

const DATA_FILE = 'data.mdb';
const LOCK_FILE = 'lock.mdb';
const FORMAT_FILE = 'format';
const FORMAT = 'alter-proxy embedded store, format 1\n';
/** Room for 252 readers. Written out in full, because a full disk under a sparse mapped file is a SIGBUS. */
const LOCK_FILE_BYTES = 16_384;
/** What is wrong then. */
export const REPLACED = 'The file of the embedded store was replaced while it was open: restart every proxy that uses it';
/** How long a failed commit is given to say why it failed. */
const COMMIT_REASON_MS = 100;
/** How often a transaction is begun anew that would have built on a state which is not the newest. */
const MAX_BEGUN_ANEW = 50;

/** One open LMDB folder. Several stores of one process on the same folder share it. */
export interface Environment {
  /** Sealed records by ref text. */
  readonly records: Database<string, string>;
  /** Change number → ref text of the record that changed; at 0 the number of the last change. */
  readonly changes: Database<string, number>;
  /** [app, position] → audit event. */
  readonly audit: Database<string, Key[]>;
  /** [app, grant id] → `<count> <instant of the last use>`. */
  readonly uses: Database<string, Key[]>;
  /** Counter → places taken and end of the window. */
  readonly counters: Database<string, string>;

  /** Aborted once another file stands where the open one was: nobody else sees what is in this one any more. */
  readonly replaced: AbortSignal;

  /** Runs `action` on the newest state that any process has committed. */
  read<T>(action: () => T): T;
  /**
   * Runs `action`, which writes `amount`, in a write transaction; resolves when it is on the disk. `action` runs beside others in one
   * commit, so it decides before it writes and does not throw afterwards. `wrote` says whether it has written anything; always, unless given.
   */
  write<T>(amount: Amount, action: () => T, wrote?: (result: T) => boolean): Promise<T>;
  close(): Promise<void>;
}

interface Shared {
  readonly opening: Promise<Environment>;
  users: number;
}

const shared = new Map<string, Shared>();

/**
 * Opens the folder, creating it (0700, files 0600) when it does not exist.
 * Throws CommandError `store_corrupt` when the files are damaged, `file_unwritable` or `store_unreachable` when they cannot be used.
 */
export async function openEnvironment(folder: string): Promise<Environment> {
  prepareFolder(folder);
  const path = realpathSync(folder);
  const entry = shared.get(path) ?? { opening: openFiles(path), users: 0 };
  shared.set(path, entry);
  entry.users += 1;
  const leave = (): boolean => {
    entry.users -= 1;
    return entry.users === 0 && shared.delete(path);
  };
  try {
    return lend(await entry.opening, leave);
  } catch (error) {
    leave();
    throw error;
  }
}

/** The shared environment for one user. `leave` says whether this was the last one. */
function lend(environment: Environment, leave: () => boolean): Environment {
  let closed = false;
  const requireOpen = (): void => {
    if (closed) throw new StoreUnavailableError('The embedded store is closed');
  };
  return {
    ...environment,
    read: (action) => {
      requireOpen();
      return environment.read(action);
    },
    write: async (amount, action, wrote) => {
      requireOpen();
      return environment.write(amount, action, wrote);
    },
    close: async () => {
      if (closed) return;
      closed = true;
      if (leave()) await environment.close();
    },
  };
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    createFile(join(folder, LOCK_FILE), Buffer.alloc(LOCK_FILE_BYTES));
    if (sizeOf(join(folder, FORMAT_FILE)) === undefined) createFile(join(folder, DATA_FILE), Buffer.alloc(0));
  } catch (error) {
    throw new CommandError('file_unwritable', `The store folder ${folder} cannot be used: ${messageOf(error)}`, { cause: error });
  }
}

/** Makes the file unless it is there. No other process sees it before it is whole. */
function createFile(path: string, content: Buffer | string): void {
  if (sizeOf(path) !== undefined) return;
  const unlinked = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    writeFileSync(unlinked, content, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(unlinked, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(unlinked, { force: true });
  }
}

function sizeOf(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.size;
}

async function openFiles(folder: string): Promise<Environment> {
  const dataFile = join(folder, DATA_FILE);
  let root: RootDatabase<string, string> | undefined;
  try {
    checkBeforeOpening(folder, dataFile);
    // The default of lmdb-js, overlapping sync, acknowledges commits before they are durable. Without batching by event
    // turn there is no hidden promise whose rejection nobody could handle.
    const options = { path: folder, encoding: 'string', overlappingSync: false, eventTurnBatching: false, maxDbs: 8 } as const;
    root = open<string, string>(options);
    if (LAYOUT_IS_KNOWN) checkUnderSnapshot(root, dataFile);
    const environment = environmentOf(root, dataFile, new NewestCommit(root, join(folder, LOCK_FILE)));
    createFile(join(folder, FORMAT_FILE), FORMAT);
    return environment;
  } catch (error) {
    await root?.close();
    throw openingError(folder, error);
  }
}

function checkBeforeOpening(folder: string, dataFile: string): void {
  const format = sizeOf(join(folder, FORMAT_FILE)) === undefined ? undefined : readFileSync(join(folder, FORMAT_FILE), 'utf8');
  if (format !== undefined && format !== FORMAT) throw new DamageError('the folder has another format');
  const size = sizeOf(dataFile) ?? 0;
  if (size === 0 && format !== undefined) throw new DamageError('the data file is missing or empty');
  if (size > 0 && LAYOUT_IS_KNOWN) checkMetaPages(dataFile);
}

/** Opening has touched no page but the heads; from here on a pinned reader keeps writers off the pages being checked. */
function checkUnderSnapshot(root: RootDatabase<string, string>, dataFile: string): void {
  const snapshot = root.useReadTransaction();
  try {
    checkPages(dataFile);
  } finally {
    snapshot.done();
  }
}

function openingError(folder: string, error: unknown): CommandError {
  if (error instanceof DamageError || /MDB_(CORRUPTED|INVALID|VERSION_MISMATCH|PAGE_NOTFOUND|PANIC)/.test(messageOf(error)))
    return new CommandError('store_corrupt', `The store folder ${folder} is damaged: ${messageOf(error)}`, { cause: error });
  return new CommandError('store_unreachable', `The store folder ${folder} cannot be opened: ${messageOf(error)}`, {
    hint: 'Check free space and memory, and that this user may read and write the folder.',
    cause: error,
  });
}

function environmentOf(root: RootDatabase<string, string>, dataFile: string, newest: NewestCommit): Environment {
  const room = new DiskRoom(dataFile, () => {
    const { lastPageNumber, pageSize } = root.getStats() as { readonly lastPageNumber: number; readonly pageSize: number };
    return (lastPageNumber + 1) * pageSize;
  });
  const watch = watchFile(dataFile);
  // Only what is missing is written: a store is readable also on a full disk.
  const present = new Set(root.getKeys());
  const database = <K extends Key>(name: string): Database<string, K> => {
    if (!present.has(name)) room.ensure();
    return root.openDB<string, K>({ name, encoding: 'string' });
  };
  return {
    records: database<string>('records'),
    changes: database<number>('changes'),
    audit: database<Key[]>('audit'),
    uses: database<Key[]>('uses'),
    counters: database<string>('counters'),
    replaced: watch.replaced,
    read: (action) => {
      if (watch.replaced.aborted) throw new StoreUnavailableError(REPLACED);
      try {
        // lmdb-js keeps one snapshot per turn of the event loop; another process may have committed since.
        root.resetReadTxn();
        return action();
      } catch (error) {
        throw new StoreUnavailableError(`The embedded store cannot be read: ${messageOf(error)}`, error);
      }
    },
    write: async (amount, action, wrote) => {
      watch.look();
      if (watch.replaced.aborted) throw new StoreUnavailableError(REPLACED);
      try {
        return await room.during(amount, (admit) =>
          onNewestState(newest, () =>
            root.transaction(() => {
              newest.require();
              admit();
              const result = action();
              if (wrote?.(result) ?? true) newest.written();
              return result;
            }),
          ),
        );
      } catch (error) {
        if (error instanceof StoreUnavailableError) throw error;
        const reason = await commitReason(error);
        throw new StoreUnavailableError(`The embedded store cannot be written: ${messageOf(reason)}`, reason);
      }
    },
    close: () => {
      watch.close();
      return root.close();
    },
  };
}

/** Has a transaction begun anew that must not write. */
async function onNewestState<T>(newest: NewestCommit, transact: () => Promise<T>): Promise<T> {
  for (let begun = 1; ; begun += 1) {
    try {
      return await transact();
    } catch (error) {
      if (!(error instanceof StaleStateError)) throw error;
      newest.ended();
      if (begun > MAX_BEGUN_ANEW) throw error;
    }
    // Not in step with another writer.
    await delay(Math.random() * begun);
  }
}

/** lmdb-js rejects with a general error and tells the cause through a promise of its own, a moment later. */
async function commitReason(error: unknown): Promise<unknown> {
  const { commitError } = error as { commitError?: Promise<never> };
  if (commitError === undefined) return error;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<unknown>((resolve) => {
    timer = setTimeout(resolve, COMMIT_REASON_MS, error);
  });
  const reason = commitError.catch((cause: unknown) => cause);
  try {
    return await Promise.race([reason, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
