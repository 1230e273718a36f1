import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { SpoolFile } from '../../../src/pipeline/spool-file.ts';

async function folder(t: ExecutionContext): Promise<string> {
  const made = await mkdtemp(path.join(os.tmpdir(), 'alter-proxy-spool-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  return made;
}

const NOBODY = (): void => undefined;

async function contentOf(read: () => Promise<Buffer | undefined>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let piece = await read(); piece !== undefined; piece = await read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

test('gives back what was appended, to any number of readers at once', async (t) => {
  const file = await SpoolFile.create(await folder(t), NOBODY);
  const content = randomBytes(200_001);
  await file.append(content.subarray(0, 1));
  await file.append(content.subarray(1));
  t.is(file.length, content.length);
  const readers = [file.reader(), file.reader()];
  for (const read of await Promise.all(readers.map(contentOf))) t.true(read.equals(content));
  await file.close();
});

test('tells of all bytes that were encrypted or decrypted', async (t) => {
  let bytes = 0;
  const file = await SpoolFile.create(await folder(t), (more) => (bytes += more));
  await file.append(randomBytes(100_000));
  t.is(bytes, 100_000);
  await contentOf(file.reader());
  t.is(bytes, 200_000);
  await file.close();
});

test('an empty one', async (t) => {
  const file = await SpoolFile.create(await folder(t), NOBODY);
  t.is((await contentOf(file.reader())).length, 0);
  await file.close();
});

test('has no name in the folder', async (t) => {
  const place = await folder(t);
  const file = await SpoolFile.create(place, NOBODY);
  await file.append(Buffer.from('content'));
  // An open file keeps its name on Windows, until it is closed.
  if (process.platform !== 'win32') t.deepEqual(await readdir(place), []);
  await file.close();
  t.deepEqual(await readdir(place), []);
});

test('closing waits for what is under way, may be asked for twice, and ends reading', async (t) => {
  const file = await SpoolFile.create(await folder(t), NOBODY);
  const read = file.reader();
  const appended = file.append(Buffer.alloc(1_000_000));
  await Promise.all([appended, file.close(), file.close()]);
  t.is(file.length, 1_000_000);
  await t.throwsAsync(read());
});

test('a folder that is not there', async (t) => {
  await t.throwsAsync(SpoolFile.create(path.join(await folder(t), 'none'), NOBODY), { code: 'ENOENT' });
});
