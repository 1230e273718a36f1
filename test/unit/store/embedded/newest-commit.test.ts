import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { NewestCommit, StaleStateError } from '../../../../src/store/embedded/newest-commit.ts';
import { openStore } from '../../../../src/store/open.ts';
import type { RecordRef, Store } from '../../../../src/store/store.ts';
import { wholeText } from '../store-process.ts';

const grant = (id: string): RecordRef => ({ kind: 'grant', app: 'default', id });
const open = (path: string): Promise<Store> => openStore({ kind: 'embedded', path }, { auditMaxStream: 0 });

/** A process on a store, of which the number of the last commit is played: as the data file has it, and as the lock file has it. */
function play(t: ExecutionContext, lockFile: Buffer) {
  const folder = mkdtempSync(join(tmpdir(), 'alter-newest-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'lock.mdb');
  writeFileSync(file, lockFile);
  const state = { committed: 7, base: 7 };
  const newest = new NewestCommit({ getWriteTxnId: () => state.base + 1, getStats: () => ({ lastTxnId: state.committed }) }, file);
  return {
    newest,
    state,
    noted: () => readFileSync(file).readBigUInt64LE(8),
    /** A transaction; says whether it was let through. */
    begins: (): boolean => {
      try {
        newest.require();
        return true;
      } catch (error) {
        t.true(error instanceof StaleStateError);
        return false;
      }
    },
    /** Commits what was written in the transaction. */
    commits: () => {
      newest.written();
      state.base += 1;
      state.committed = state.base;
    },
    foreignCommit: () => {
      state.base += 1;
      state.committed = state.base;
    },
  };
}

function lockFile(magic: number): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeBigUInt64LE(6n, 8);
  return bytes;
}

const LOCK_FILE = lockFile(0xbeefc0de);

test('transactions on the newest state are let through, whoever made it', (t) => {
  const { begins, commits, foreignCommit } = play(t, LOCK_FILE);
  t.true(begins());
  commits();
  t.true(begins());
  t.true(begins(), 'two in one commit');
  commits();
  foreignCommit();
  t.true(begins());
});

test('one on an older state is not, and notes the newest one; the next but one is', (t) => {
  const { begins, state, noted, newest } = play(t, LOCK_FILE);
  state.base = 6;
  t.false(begins());
  t.is(noted(), 7n);
  t.false(begins(), 'in the same transaction');
  newest.ended();
  state.base = 7;
  t.false(begins(), 'LMDB takes the refused one, of the same number, for the commit');
  newest.ended();
  t.true(begins());
});

test('after one that wrote nothing, a commit of its number by another process is not built on at once', (t) => {
  const { begins, commits, foreignCommit, newest } = play(t, LOCK_FILE);
  t.true(begins());
  t.true(begins(), 'nothing was committed meanwhile');
  foreignCommit();
  t.false(begins());
  t.false(begins(), 'in the same transaction');
  newest.ended();
  t.true(begins());
  commits();
  foreignCommit();
  t.true(begins(), 'its own commit has another number');
});

test('what is no lock file of LMDB is left alone', (t) => {
  const { begins, state, noted } = play(t, lockFile(0));
  state.base = 6;
  t.false(begins());
  t.is(noted(), 6n);
});

test('a commit that a process forgets in the lock file while it opens the store is neither lost nor built over', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'alter-newest-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const store = await open(folder);
  t.true(await store.put(grant('before'), undefined, wholeText('before')));
  forgetLastCommit(folder);
  t.true(await store.put(grant('after'), undefined, wholeText('after')));
  forgetLastCommit(folder);
  await Promise.all([
    store.put(grant('one'), undefined, wholeText('one')),
    store.put(grant('two'), wholeText('other'), wholeText('two')),
    store.appendEvents('default', ['event']),
  ]);
  for (const id of ['before', 'after', 'one']) t.is(store.get(grant(id)), wholeText(id));
  t.is(store.get(grant('two')), undefined);
  await store.close();
  // Opening looks through all pages.
  const again = await open(folder);
  t.is(again.get(grant('one')), wholeText('one'));
  await again.close();
});

/** What opening does that read the number of the last commit before another process made it. In a process of its own: to close the file gives up locks. */
function forgetLastCommit(folder: string): void {
  const script = `
    const { openSync, readSync, writeSync } = require('node:fs');
    const file = openSync(process.argv[1], 'r+');
    const number = Buffer.alloc(8);
    readSync(file, number, 0, 8, 8);
    number.writeBigUInt64LE(number.readBigUInt64LE() - 1n);
    writeSync(file, number, 0, 8, 8);`;
  execFileSync(process.execPath, ['-e', script, join(folder, 'lock.mdb')]);
}
