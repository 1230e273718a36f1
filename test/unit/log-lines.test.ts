import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { LogLines } from '../../src/log-lines.ts';

/** A pipe with a name: what is written while nobody has it open for reading fails. */
function namedPipe(t: { teardown(end: () => void): void }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'alter-log-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const pipe = path.join(folder, 'log');
  execFileSync('mkfifo', [pipe]);
  const openReader = () => openSync(pipe, constants.O_RDONLY | constants.O_NONBLOCK);
  const reader = openReader();
  const descriptor = openSync(pipe, constants.O_WRONLY);
  t.teardown(() => {
    closeSync(descriptor);
  });
  return { descriptor, reader, openReader };
}

function readAll(reader: number): string {
  const buffer = Buffer.alloc(65_536);
  return buffer.toString('utf8', 0, readSync(reader, buffer));
}

test('lines that cannot be written are lost, and told before the next one that can', (t) => {
  const { descriptor, reader, openReader } = namedPipe(t);
  const lines = new LogLines(descriptor);
  lines.write('first\n');
  t.is(readAll(reader), 'first\n');
  closeSync(reader);
  for (const line of ['second\n', 'third\n', 'fourth\n'])
    t.notThrows(() => {
      lines.write(line);
    });
  const again = openReader();
  lines.write('fifth\n');
  lines.write('sixth\n');
  const [told = '', ...rest] = readAll(again).split('\n');
  closeSync(again);
  t.like(JSON.parse(told), { level: 'error', pid: process.pid, lost: 3, code: 'EPIPE' });
  t.deepEqual(rest, ['fifth', 'sixth', '']);
});

test('a full disk ends nothing', (t) => {
  const descriptor = openSync('/dev/full', 'w');
  const lines = new LogLines(descriptor);
  t.notThrows(() => {
    for (let i = 0; i < 100; i += 1) lines.write('line\n');
  });
  closeSync(descriptor);
});

test('a line that was cut by a full disk does not run into the next one', (t) => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'alter-log-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = path.join(folder, 'log');
  const module = fileURLToPath(new URL('../../src/log-lines.js', import.meta.url));
  // Whoever empties a log that has become too large makes room.
  const script = `const { LogLines } = await import(${JSON.stringify(module)});
    const { openSync, truncateSync } = await import('node:fs');
    const lines = new LogLines(openSync(${JSON.stringify(file)}, 'a'));
    for (let i = 0; i < 100; i += 1) lines.write(JSON.stringify({ i }).padEnd(99) + '\\n');
    truncateSync(${JSON.stringify(file)}, 120);
    lines.write('{"i":"last"}\\n');`;
  // A limit on the size of files is a full disk for the one file that grows.
  const run = spawnSync('sh', ['-c', 'ulimit -f 1 && exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { ...process.env, NODE_V8_COVERAGE: '' },
  });
  t.is(run.status, 0, run.stderr);
  const [first = '', cut = '', told = '', last, ...rest] = readFileSync(file, 'utf8').split('\n');
  t.deepEqual(JSON.parse(first), { i: 0 });
  t.is(cut.trimEnd(), '{"i":1}');
  const { lost, code } = JSON.parse(told) as { readonly lost: number; readonly code: string };
  t.true(lost > 80 && lost < 100, told);
  t.is(code, 'EFBIG');
  t.deepEqual([last, ...rest], ['{"i":"last"}', '']);
});
