import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { StoreUnavailableError } from '../store.ts';

/** The file is lengthened by this much, as soon as less than this much is left beside what is being written. */
const AHEAD_BYTES = 1 << 20;
/** What stays for what LMDB writes besides when the disk is full. */
const KEPT_BYTES = 64 * 1024;
/** What stays for changes of records and their events then (a grant can still be revoked), and is not given to requests: events, uses, counters. */
const KEPT_FOR_RECORDS_BYTES = 512 * 1024;
/** Copies of the pages on the way to what one transaction changes. */
const PATH_BYTES = 48 * 1024;
/** Values fill their pages by half at the worst, and a page that is split is copied. */
const PAGES_FACTOR = 4;
const ZEROS = Buffer.alloc(256 * 1024);

/** What a transaction writes: about how many octets, and whether it belongs to a change of a record. */
export interface Amount {
  readonly bytes: number;
  readonly record: boolean;
}

/**
 * Keeps the data file longer than what LMDB uses of it, in blocks that are really on the disk. A full disk then shows here, as an error,
 * and never within a commit: there lmdb-js writes its message past the end of the memory it has for it (mdb_page_flush: a text of any
 * length into 100 octets), which damages the process.
 *
 * LMDB goes by the page numbers in the heads of the file, so that it does not mind a longer one. What is added is appended (O_APPEND):
 * another process that lengthens the file, or commits, at the same moment is not written over.
 */
export class DiskRoom {
  readonly #file: string;
  readonly #usedBytes: () => number;
  /** Octets for which there was room and whose commit is still to come. */
  #admitted = 0;

  /** `usedBytes`: up to where any process uses the file at present. */
  constructor(file: string, usedBytes: () => number) {
    this.#file = file;
    this.#usedBytes = usedBytes;
  }

  /**
   * Runs `transact`, which writes `amount`. It calls `admit` first thing within the write transaction: no other process moves the end of what
   * is used then, and what this one has admitted into the same commit is counted. `admit` throws StoreUnavailableError when the disk has no
   * such room.
   */
  async during<T>(amount: Amount, transact: (admit: () => void) => Promise<T>): Promise<T> {
    const bytes = PAGES_FACTOR * amount.bytes + PATH_BYTES;
    let admitted = 0;
    try {
      return await transact(() => {
        this.#ensure(this.#admitted + bytes, amount.record ? KEPT_BYTES : KEPT_FOR_RECORDS_BYTES);
        admitted = bytes;
        this.#admitted += bytes;
      });
    } finally {
      this.#admitted -= admitted;
    }
  }

  /** Makes room for a change of the store's own. Throws StoreUnavailableError when the disk has none. */
  ensure(): void {
    this.#ensure(PATH_BYTES, KEPT_BYTES);
  }

  #ensure(bytes: number, kept: number): void {
    try {
      const { size } = statSync(this.#file);
      const left = size - this.#usedBytes() - bytes;
      if (left < AHEAD_BYTES) lengthen(this.#file, 2 * AHEAD_BYTES - left, left >= kept);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StoreUnavailableError(`The disk has no room for the embedded store, so that nothing was written: ${reason}`, error);
    }
  }
}

/** Appends zeros. `optional`: it is no failure when there is no room for them. */
function lengthen(file: string, bytes: number, optional: boolean): void {
  const fd = openSync(file, 'a');
  try {
    for (let left = bytes; left > 0;) left -= writeSync(fd, ZEROS, 0, Math.min(left, ZEROS.length));
  } catch (error) {
    if (!optional) throw error;
  } finally {
    closeSync(fd);
  }
}
