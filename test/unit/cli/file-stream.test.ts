import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { FileStream } from '../../../src/cli/file-stream.ts';

function written(stream: FileStream, text: string): Promise<Error | null | undefined> {
  stream.on('error', () => undefined);
  return new Promise((resolve) => stream.write(text, resolve));
}

test('all of a text is in the file when it is written', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'alter-file-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = join(folder, 'file');
  const descriptor = openSync(file, 'w');
  const text = 'é'.repeat(1 << 20);
  const stream = new FileStream(descriptor);
  t.falsy(await written(stream, text));
  t.falsy(await written(stream, '.'));
  t.true(readFileSync(file, 'utf8') === `${text}.`);
  closeSync(descriptor);
});

test('a full disk is an error', async (t) => {
  const descriptor = openSync('/dev/full', 'w');
  t.like(await written(new FileStream(descriptor), 'text'), { code: 'ENOSPC' });
  closeSync(descriptor);
});
