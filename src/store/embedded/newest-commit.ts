import { openSync, readSync, statSync, writeSync } from 'node:fs';
import { LAYOUT_IS_KNOWN } from './integrity.ts';

/** The root database of lmdb-js, as far as it is asked here. */
interface CommitNumbers {
  /** Within a write transaction: the number that its commit will have. */
  getWriteTxnId(): number;
  getStats(): object;
}

/** A write transaction that must not write: it would build on a state which is not the newest one. The next one may. */
export class StaleStateError extends Error {
  override readonly name = 'StaleStateError';

  constructor() {
    super('another process was opening it at the same moment, again and again');
  }
}

/** Head of the lock file (liblmdb/mdb.c: MDB_txbody): magic, format, and the number of the last commit in 8 octets. */
const MAGIC = 0xbeefc0de;
const LAST_COMMIT_AT = 8;
const HEAD_BYTES = 16;

/**
 * Sees to it that write transactions build on the newest state.
 *
 * A process that opens a store reads the number of the last commit from the data file, and a moment later writes it into the lock file, without the lock
 * of the writers (mdb_env_open2 of the liblmdb in lmdb-js 3.5). A commit that another process makes in between is forgotten there: the next writer
 * begins with the state before, undoes that commit, and writes on pages that are in use. The heads of the data file still tell of the commit, so each
 * write transaction is compared with them before it writes.
 *
 * LMDB also keeps its list of free pages from one write transaction of a process to the next as long as the last commit has the number of that
 * transaction, which it also has when nothing was written in it and another process made a commit instead (mdb_txn_renew0). The list is out of
 * date then, and pages in use are written on. So such a transaction writes nothing either; the next one has another number.
 */
export class NewestCommit {
  readonly #numbers: CommitNumbers;
  readonly #lockFile: string;
  /** Number of the last transaction of this process. */
  #begun = -1;
  /** Number of the last one in which something was written. */
  #written = -1;
  /** One that must not write may not have ended yet: what else is to be done in it is refused as well. */
  #refusing = false;

  constructor(numbers: CommitNumbers, lockFile: string) {
    this.#numbers = numbers;
    this.#lockFile = lockFile;
  }

  /** First thing within a write transaction. Throws {@link StaleStateError} where it must not write. */
  require(): void {
    const base = this.#numbers.getWriteTxnId() - 1;
    const { lastTxnId: newest } = this.#numbers.getStats() as { readonly lastTxnId: number };
    const isOutOfDate = this.#begun === base && this.#written !== base;
    this.#begun = base + 1;
    if (base === newest && !isOutOfDate && !this.#refusing) return;
    this.#refusing = true;
    if (base < newest) noteLastCommit(this.#lockFile, newest);
    throw new StaleStateError();
  }

  /** Something was written in the transaction under way. */
  written(): void {
    this.#written = this.#begun;
  }

  /** A transaction that was refused has ended. */
  ended(): void {
    this.#refusing = false;
  }
}

/**
 * Open lock files by device and inode. They stay open: when a process closes any descriptor of a file, it gives up all locks it has on it (POSIX), and
 * with them LMDB's.
 */
const open = new Map<string, number>();

/** Under the lock of the writers. */
function noteLastCommit(lockFile: string, number: number): void {
  if (!LAYOUT_IS_KNOWN) return;
  const { dev, ino } = statSync(lockFile);
  const key = `${String(dev)}:${String(ino)}`;
  const fd = open.get(key) ?? openSync(lockFile, 'r+');
  open.set(key, fd);
  const head = Buffer.alloc(HEAD_BYTES);
  if (readSync(fd, head, 0, HEAD_BYTES, 0) !== HEAD_BYTES || head.readUInt32LE(0) !== MAGIC) return;
  head.writeBigUInt64LE(BigInt(number), LAST_COMMIT_AT);
  writeSync(fd, head, LAST_COMMIT_AT, HEAD_BYTES - LAST_COMMIT_AT, LAST_COMMIT_AT);
}
