import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { openRunLog } from '../../../src/cli/run-log.ts';

function folder(t: ExecutionContext): string {
  const path = mkdtempSync(join(tmpdir(), 'alter-run-log-'));
  t.teardown(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return path;
}

function append(runDir: string, line: string, file?: string): void {
  const log = openRunLog(runDir, file);
  writeSync(log.destination, line);
  log.close();
}

test('runs append to one log that only its owner may read', (t) => {
  const runDir = join(folder(t), 'run');
  append(runDir, 'one\n');
  append(runDir, 'two\n');
  t.is(readFileSync(join(runDir, 'run.log'), 'utf8'), 'one\ntwo\n');
  t.is(statSync(join(runDir, 'run.log')).mode & 0o777, 0o600);
});

test('a log that has grown large makes room', (t) => {
  const runDir = join(folder(t), 'run');
  append(runDir, 'old\n');
  truncateSync(join(runDir, 'run.log'), (4 << 20) + 1);
  append(runDir, 'new\n');
  t.is(readFileSync(join(runDir, 'run.log'), 'utf8'), 'new\n');
  t.is(statSync(join(runDir, 'run.log.1')).size, (4 << 20) + 1);
});

test('another file may be named, and "-" is standard error', (t) => {
  const path = folder(t);
  append(join(path, 'run'), 'x\n', join(path, 'mine.log'));
  t.is(readFileSync(join(path, 'mine.log'), 'utf8'), 'x\n');
  t.is(openRunLog(path, '-').destination, 2);
});
