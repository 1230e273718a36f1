import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { type ExecutionContext } from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { parseMeta } from '../../../src/store/embedded/page-format.ts';
import { openStore } from '../../../src/store/open.ts';
import type { RecordRef, Store } from '../../../src/store/store.ts';
import { storeContract } from './contract.ts';
import { StoreProcess, wholeText, type FullDisk } from './store-process.ts';

const PAGE = 4096;
const grant = (id: string): RecordRef => ({ kind: 'grant', app: 'default', id });
const open = (path: string): Promise<Store> => openStore({ kind: 'embedded', path }, { auditMaxStream: 0 });

storeContract('embedded', (t) => {
  const folder = temporaryFolder(t);
  return ({ auditMaxStream = 0 } = {}) => openStore({ kind: 'embedded', path: join(folder, 'store') }, { auditMaxStream });
});

test.serial('the folder is closed to others, and so is every file in it', async (t) => {
  const folder = join(temporaryFolder(t), 'deep', 'store');
  const umask = process.umask(0);
  t.teardown(() => process.umask(umask));
  const store = await open(folder);
  await store.put(grant('a'), undefined, 'x');
  t.is(statSync(folder).mode & 0o777, 0o700);
  t.deepEqual(readdirSync(folder).sort(), ['data.mdb', 'format', 'lock.mdb']);
  for (const file of readdirSync(folder)) t.is(statSync(join(folder, file)).mode & 0o777, 0o600, file);
  await store.close();
});

test.serial('another process never sees a file of a new store before it is whole', async (t) => {
  const folder = temporaryFolder(t);
  const rounds = 40;
  // Looks without a pause for each file in turn, and tells its first size.
  const script = `const { statSync } = require('node:fs');
    const sizes = new Set();
    for (let round = 0; round < ${String(rounds)}; round += 1) {
      let file;
      while (file === undefined) file = statSync(process.argv[1] + '/' + round + '/lock.mdb', { throwIfNoEntry: false });
      sizes.add(file.size);
      if (round === 0) console.log('looking');
    }
    console.log(JSON.stringify([...sizes]));`;
  const looking = spawn(process.execPath, ['-e', script, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => looking.kill('SIGKILL'));
  const told = createInterface({ input: looking.stdout })[Symbol.asyncIterator]();
  for (let round = 0; round < rounds; round += 1) {
    await (await open(join(folder, String(round)))).close();
    if (round === 0) await told.next();
  }
  t.deepEqual(JSON.parse(String((await told.next()).value)), [16_384]);
});

test.serial('records and events outlive the process', async (t) => {
  const folder = temporaryFolder(t);
  const first = await open(folder);
  await first.put(grant('a'), undefined, 'x');
  await first.appendEvents('default', ['1']);
  await first.close();
  const second = await open(folder);
  t.is(await second.get(grant('a')), 'x');
  await second.appendEvents('default', ['2']);
  t.deepEqual(
    (await second.readEvents('default', { limit: 9 })).map((event) => event.json),
    ['1', '2'],
  );
  await second.close();
});

test.serial('stores of one process on one folder share it, opened together or not, until the last is closed', async (t) => {
  const folder = temporaryFolder(t);
  const [one, two] = await Promise.all([open(folder), open(folder)]);
  await one.put(grant('a'), undefined, 'x');
  await one.close();
  await one.close();
  t.is(two.get(grant('a')), 'x');
  t.true(await two.put(grant('b'), undefined, 'y'));
  const [, three] = await Promise.all([two.close(), open(folder)]);
  t.is(three.get(grant('b')), 'y');
  await three.close();
  writeFileSync(join(folder, 'data.mdb'), 'damaged');
  for (const result of await Promise.allSettled([open(folder), open(folder)])) t.is(result.status, 'rejected');
});

test.serial('a read is no promise: the hot path need not wait', async (t) => {
  const store = await open(temporaryFolder(t));
  t.is(store.get(grant('a')), undefined);
  await store.put(grant('a'), undefined, 'x');
  t.is(store.get(grant('a')), 'x');
  await store.close();
});

test.serial('what another process has written is seen by the very next read and told by the very next alive', async (t) => {
  const folder = temporaryFolder(t);
  const store = await open(folder);
  const told: (string | undefined)[] = [];
  const freshness = store.watch(['default'], (changed) => told.push(changed));
  const other = await startProcess(t, folder);
  for (let n = 1; n <= 20; n++) {
    t.true(await other.run({ order: 'put', ref: grant('a'), ...(n > 1 && { expected: String(n - 1) }), value: String(n) }));
    t.true(freshness.alive());
    t.is(told.length, n);
    t.is(store.get(grant('a')), String(n));
  }
  t.deepEqual([...new Set(told)], ['default:grant:a']);
  const waiting = store.readEvents('default', { limit: 1, waitMs: 10_000 });
  await other.run({ order: 'append', app: 'default', events: ['theirs'] });
  t.is((await waiting)[0]?.json, 'theirs');
  await store.close();
  t.false(freshness.alive());
});

test.serial('two processes that count at the same time give away exactly as many places as the limit', async (t) => {
  const folder = temporaryFolder(t);
  const store = await open(folder);
  const other = await startProcess(t, folder);
  const theirs = other.run({ order: 'take', name: 'a', limit: 40, times: 60 });
  const take = { name: 'a', limit: 40, windowMs: 60_000 };
  const ours = await Promise.all(Array.from({ length: 60 }, () => store.takeFromCounter('default', take)));
  t.is(ours.filter(({ taken }) => taken).length + Number(await theirs), 40);
  await store.close();
});

test.serial('a write by another process is seen within one turn of the event loop', async (t) => {
  const folder = temporaryFolder(t);
  const store = await open(folder);
  const other = await startProcess(t, folder);
  await store.put(grant('a'), undefined, '1');
  t.is(store.get(grant('a')), '1'); // From here to the end of this turn lmdb-js would keep its snapshot.
  other.child.send({ order: 'put', ref: grant('a'), expected: '1', value: '2' });
  const deadline = performance.now() + 5000;
  while (store.get(grant('a')) !== '2' && performance.now() < deadline);
  t.is(store.get(grant('a')), '2');
  await store.close();
});

test.serial('who was away for longer than changes are remembered is told that anything may have changed', async (t) => {
  const folder = temporaryFolder(t);
  const store = await open(folder);
  const told: (string | undefined)[] = [];
  const freshness = store.watch(['default'], (changed) => told.push(changed));
  await Promise.all(Array.from({ length: 1024 }, (_, n) => store.put(grant(`a${n}`), undefined, 'x')));
  t.true(freshness.alive());
  t.is(told.length, 1024);
  told.length = 0;
  await Promise.all(Array.from({ length: 1025 }, (_, n) => store.put(grant(`b${n}`), undefined, 'x')));
  t.true(freshness.alive());
  t.deepEqual(told, [undefined]);
  await store.close();
});

test.serial('kill -9 in the middle of writing loses nothing that was acknowledged, and leaves every record whole', async (t) => {
  const folder = temporaryFolder(t);
  const records = new Set<string>();
  const events = new Set<string>();
  const deletable = /-(\d+)$/;
  for (let round = 0; round < 6; round++) {
    const writer = await startProcess(t, folder);
    const enough = new Promise<void>((resolve) => {
      let left = 4 + round * 4;
      writer.child.on('message', (message: { record?: string; event?: string }) => {
        if (message.record !== undefined) records.add(message.record);
        if (message.event !== undefined) events.add(message.event);
        if (--left === 0) resolve();
      });
    });
    writer.child.send({ order: 'writeForEver', prefix: `r${round}` });
    await enough;
    await writer.kill();

    const store = await open(folder);
    for (const id of records) {
      const text = store.get(grant(id));
      // The second of three may have been deleted again.
      if (text !== undefined || Number(deletable.exec(id)?.[1]) % 3 !== 1) t.is(text, wholeText(id), id);
    }
    const { ids } = await store.list('default', 'grant', { limit: 10_000 });
    for (const id of ids) t.is(store.get(grant(id)), wholeText(id));
    const log = (await store.readEvents('default', { limit: 100_000 })).map((event) => event.json);
    for (const id of events) t.is(log.filter((json) => json === wholeText(id)).length, 2, id);
    for (const json of log) t.is(json, wholeText(json.slice(0, json.indexOf('|'))));
    await store.close();
  }
  t.true(records.size > 20 && events.size > 20);
});

test.serial('a writer that died with the lock does not keep others from writing', async (t) => {
  const folder = temporaryFolder(t);
  const store = await open(folder);
  for (let round = 0; round < 3; round++) {
    const writer = await startProcess(t, folder);
    writer.child.send({ order: 'writeForEver', prefix: `r${round}` });
    await writer.next();
    await writer.kill();
    t.true(await store.put(grant(`mine-${round}`), undefined, 'x'));
  }
  await store.close();
});

test.serial('a full disk refuses events, leaves the store readable, and records can still be changed', async (t) => {
  const folder = temporaryFolder(t);
  const child = await startProcess(t, folder, 8000); // 4 MB
  const seen = (await child.run({ order: 'fillUp' })) as FullDisk;
  t.true(seen.acknowledged > 5);
  t.is(seen.errors.length, 4);
  for (const error of seen.errors) {
    t.is(error.name, 'StoreUnavailableError');
    t.regex(error.message, /no room for the embedded store.*file too large/i);
  }
  t.true(seen.readable);
  t.is(seen.changed, 200);
  await child.kill();
  t.is(child.stderr(), '', 'LMDB itself met the full disk');
  const store = await open(folder);
  t.is((await store.readEvents('default', { after: '0', limit: 10_000 })).length, seen.acknowledged + seen.changed);
  t.is(store.get(grant('changed')), wholeText('200'));
  await store.appendEvents('default', ['there is room again']);
  await store.close();
});

test.serial('a full disk is met by no commit of several processes either, and they leave room for records', async (t) => {
  const folder = temporaryFolder(t);
  const children: StoreProcess[] = [];
  for (let n = 0; n < 8; n += 1) children.push(await startProcess(t, folder, 30_000)); // 15 MB
  const seen = await Promise.all(children.map((child, n) => child.run({ order: 'fillUpBeside', name: String(n) })));
  for (const { records, errors } of seen as { records: number; errors: string[] }[]) {
    t.is(records, 20);
    t.is(errors.length, 1);
    t.regex(errors[0] ?? '', /no room for the embedded store/);
  }
  for (const child of children) t.is(child.stderr(), '');
});

test.serial('a full disk refuses a store that is not there yet', async (t) => {
  const child = new StoreProcess(temporaryFolder(t), 200); // 100 KB
  t.teardown(() => child.kill());
  await t.throwsAsync(child.next(), { message: 'the child has ended' });
  t.regex(child.stderr(), /store_unreachable|no room/);
});

const damages: Readonly<Record<string, (file: string) => void>> = {
  'garbage from start to end': (file) => overwrite(file, 0, randomBytes(statSync(file).size)),
  'text instead of a store': (file) => writeFileSync(file, 'hello, this is not a store\n'.repeat(2000)),
  'random bytes over both heads': (file) => overwrite(file, 0, randomBytes(2 * PAGE)),
  'random bytes over the first head': (file) => overwrite(file, 0, randomBytes(PAGE)),
  'random bytes over the second head': (file) => overwrite(file, PAGE, randomBytes(PAGE)),
  'zero bytes beyond the heads': (file) => overwrite(file, 2 * PAGE, Buffer.alloc(usedBytes(file) - 2 * PAGE)),
  'random bytes beyond the heads': (file) => overwrite(file, 2 * PAGE, randomBytes(usedBytes(file) - 2 * PAGE)),
  'cut off after the heads': (file) => truncateSync(file, 2 * PAGE),
  'cut off within the heads': (file) => truncateSync(file, 100),
  'cut off in the middle': (file) => truncateSync(file, Math.floor(usedBytes(file) / 2)),
  empty: (file) => truncateSync(file, 0),
  missing: (file) => unlinkSync(file),
};

for (const [what, damage] of Object.entries(damages))
  test.serial(`damage is found when the store is opened: ${what}`, async (t) => {
    const folder = temporaryFolder(t);
    await fill(folder);
    damage(join(folder, 'data.mdb'));
    const error = await t.throwsAsync(open(folder), { instanceOf: CommandError });
    t.is(error.code, 'store_corrupt');
    t.true(error.message.includes(folder), error.message);
    t.false(error.message.includes('\n'));
  });

test.serial('damage to any single page is found, or does not matter to any record', async (t) => {
  const folder = temporaryFolder(t);
  const whole = await fill(folder);
  const file = join(folder, 'data.mdb');
  const copy = join(temporaryFolder(t), 'data.mdb');
  copyFileSync(file, copy);
  const pages = usedBytes(file) / PAGE;
  let found = 0;
  for (let page = 0; page < pages; page++) {
    overwrite(file, page * PAGE, Buffer.alloc(PAGE));
    const result = await open(folder).catch((error: unknown) => error as CommandError);
    if (result instanceof Error) {
      found += 1;
      t.is(result.code, 'store_corrupt', `page ${page}`);
    } else {
      // The page was free, or the tail of a value, whose seal then does not open.
      const { ids } = await result.list('default', 'grant', { limit: 1000 });
      t.deepEqual(
        ids.filter((id) => !id.startsWith('big')).map((id) => result.get(grant(id))),
        ids.filter((id) => !id.startsWith('big')).map(wholeText),
      );
      t.is(ids.length, whole);
      await result.close();
    }
    copyFileSync(copy, file);
  }
  t.true(found > pages / 3, `${found} of ${pages}`);
});

test.serial('a store that other processes are writing to is not taken for damaged', async (t) => {
  const folder = temporaryFolder(t);
  const writer = await startProcess(t, folder);
  writer.child.send({ order: 'writeForEver', prefix: 'w' });
  for (let n = 0; n < 40; n++) {
    await writer.next();
    await (await open(folder)).close();
  }
  t.pass();
});

test.serial('the lock file may be garbage: it is made anew by who opens the store first', async (t) => {
  const folder = temporaryFolder(t);
  await fill(folder);
  overwrite(join(folder, 'lock.mdb'), 0, randomBytes(16_384));
  const store = await open(folder);
  t.is(store.get(grant('r1')), wholeText('r1'));
  await store.close();
});

test.serial('a folder of another format is refused', async (t) => {
  const folder = temporaryFolder(t);
  await fill(folder);
  writeFileSync(join(folder, 'format'), 'alter-proxy embedded store, format 2\n');
  t.is((await t.throwsAsync(open(folder), { instanceOf: CommandError })).code, 'store_corrupt');
});

test.serial('a folder that cannot be made is said to be so', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'file'), '');
  const error = await t.throwsAsync(open(join(folder, 'file', 'store')), { instanceOf: CommandError });
  t.is(error.code, 'file_unwritable');
  t.true(error.message.includes(join(folder, 'file', 'store')));
});

test.serial('a folder of the operator keeps the mode that it has', async (t) => {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o750);
  await (await open(folder)).close();
  t.is(statSync(folder).mode & 0o777, 0o750);
});

async function startProcess(t: ExecutionContext, folder: string, fileBlocks?: number): Promise<StoreProcess> {
  const other = new StoreProcess(folder, fileBlocks);
  t.teardown(() => other.kill());
  t.is(await other.next(), 'ready');
  return other;
}

/** Writes records, small and larger than a page, and events; returns the number of records. */
async function fill(folder: string): Promise<number> {
  const store = await open(folder);
  await Promise.all(Array.from({ length: 60 }, (_, n) => store.put(grant(`r${n}`), undefined, wholeText(`r${n}`))));
  await Promise.all(Array.from({ length: 3 }, (_, n) => store.put(grant(`big${n}`), undefined, 'b'.repeat(20_000))));
  await store.appendEvents(
    'default',
    Array.from({ length: 60 }, (_, n) => wholeText(`e${n}`)),
  );
  await store.close();
  return 63;
}

/** Up to where LMDB uses its file: to the end of the last page that one of its heads tells of. */
function usedBytes(file: string): number {
  const heads = readFileSync(file).subarray(0, 2 * PAGE);
  return (Math.max(...[0, PAGE].map((at) => parseMeta(heads.subarray(at, at + PAGE)).lastPage)) + 1) * PAGE;
}

function overwrite(file: string, position: number, bytes: Buffer): void {
  const fd = openSync(file, 'r+');
  try {
    if (position + bytes.length > fstatSync(fd).size) throw new Error('the damage would reach past the file');
    writeSync(fd, bytes, 0, bytes.length, position);
  } finally {
    closeSync(fd);
  }
}

function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'alter-store-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
