import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { reserveKeyFile } from '../../../src/cli/key-file.ts';

const KEY = `alter_key_agent_${'k'.repeat(43)}\n`;

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'alter-key-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

test('a file has room for its key before there is one, and holds nothing else afterwards', (t) => {
  const path = join(temporaryFolder(t), 'key');
  const file = reserveKeyFile(path, false);
  t.true(statSync(path).size >= KEY.length);
  file.fill(KEY);
  file.takePlace();
  t.is(readFileSync(path, 'utf8'), KEY);
});

test('a full disk leaves no file, and the error names the one that was wanted', (t) => {
  const folder = temporaryFolder(t);
  const module = new URL('../../../src/cli/key-file.js', import.meta.url).href;
  const script = `import { reserveKeyFile } from ${JSON.stringify(module)};
    for (const replace of [false, true])
      try { reserveKeyFile(process.argv[1], replace); } catch (error) { console.log(error.code, error.message); }`;
  const path = join(folder, 'key');
  // A limit on the size of files is a full disk for the one file that grows.
  const run = spawnSync('sh', ['-c', 'ulimit -f 0 && exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script, path], {
    encoding: 'utf8',
  });
  t.is(run.stdout, `file_unwritable ${path} cannot be written: EFBIG: file too large, write\n`.repeat(2), run.stderr);
  t.deepEqual(readdirSync(folder), []);
});
