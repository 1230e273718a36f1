import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { BodySpool, type SpooledContent } from '../../../src/pipeline/body-spool.ts';
import { SpooledBody } from '../../../src/pipeline/spooled-body.ts';
import { HandSource, KeepingSink } from '../../support/body.ts';
import { eventually } from '../../support/eventually.ts';

interface Spooling {
  readonly source: HandSource;
  readonly spool: BodySpool;
  /** What it came to: the content, or the code of the refusal. */
  readonly came: Promise<SpooledContent | string>;
  readonly told: string[];
}

async function spooling(t: ExecutionContext, { before = Buffer.alloc(0), maxBytes = 10_000_000, below = '' } = {}): Promise<Spooling> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'alter-proxy-spool-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const source = new HandSource();
  const told: string[] = [];
  let settle: (outcome: SpooledContent | string) => void = () => undefined;
  const came = new Promise<SpooledContent | string>((resolve) => (settle = resolve));
  const spool = new BodySpool(source, before, {
    maxBytes,
    folder: path.join(folder, below),
    ciphered: () => undefined,
    done: (content) => {
      told.push('done');
      settle(content);
    },
    failed: ({ code }) => {
      told.push(code);
      settle(code);
    },
    tooLarge: () => new AlterError('body_too_large_to_sign'),
    memoryFree: () => told.push('free'),
  });
  return { source, spool, came, told };
}

async function contentOf(t: ExecutionContext, came: Promise<SpooledContent | string>): Promise<SpooledContent> {
  const content = await came;
  if (typeof content === 'string') throw new Error(content);
  t.teardown(() => content.file.close());
  return content;
}

async function leaves({ file }: SpooledContent): Promise<Buffer> {
  const sink = new KeepingSink();
  new SpooledBody(file).start(sink);
  await eventually(() => (sink.ends.length > 0 ? true : undefined), 'the end');
  return Buffer.concat(sink.chunks);
}

const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

test('what was collected and what follows, in order, in chunks of any size', async (t) => {
  const whole = randomBytes(1_500_000);
  for (const collected of [0, 1, 700_000]) {
    const { spool, came, told } = await spooling(t, { before: whole.subarray(0, collected) });
    for (let at = collected, size = 1; at < whole.length; at += size, size = size * 3 + 1)
      spool.write(Buffer.from(whole.subarray(at, at + size)));
    spool.end();
    const content = await contentOf(t, came);
    t.is(content.sha256, sha256(whole));
    t.is(content.file.length, whole.length);
    t.true((await leaves(content)).equals(whole));
    t.true((await leaves(content)).equals(whole), 'a second time');
    t.deepEqual(told, ['free', 'done']);
  }
});

test('the client is paused while the disk has enough to do, and goes on then', async (t) => {
  const { source, spool, came } = await spooling(t);
  let takes = true;
  for (let written = 0; takes && written < 4_000_000; written += 65_536) takes = spool.write(Buffer.alloc(65_536));
  t.false(takes);
  await eventually(() => (source.resumed > 0 ? true : undefined), 'the client goes on');
  t.is(source.resumed, 1);
  spool.end();
  await contentOf(t, came);
});

test('a body above the limit, by one byte', async (t) => {
  const { source, spool, came, told } = await spooling(t, { before: Buffer.alloc(60), maxBytes: 100 });
  spool.write(Buffer.alloc(40));
  t.deepEqual(told, []);
  spool.write(Buffer.alloc(1));
  t.is(await came, 'body_too_large_to_sign');
  t.truthy(source.cancelled);
  spool.end();
  t.deepEqual(told, ['body_too_large_to_sign']);
});

test('a body that ends early, one that nobody waits for, and a folder that is not there', async (t) => {
  const early = await spooling(t);
  early.spool.write(Buffer.alloc(10));
  early.spool.abort(new Error('gone'));
  t.is(await early.came, 'malformed_request');

  const closed = await spooling(t);
  closed.spool.write(Buffer.alloc(10));
  closed.spool.close(new AlterError('internal_error'));
  closed.spool.close(new AlterError('internal_error'));
  t.is(await closed.came, 'internal_error');
  t.truthy(closed.source.cancelled);

  const nowhere = await spooling(t, { below: 'none' });
  nowhere.spool.write(Buffer.alloc(10));
  t.is(await nowhere.came, 'body_spool_failed');
  t.truthy(nowhere.source.cancelled);
  for (const { told } of [early, closed, nowhere]) t.is(told.length, 1);
});

test('what leaves from the file keeps the pace of its receiver', async (t) => {
  const whole = randomBytes(300_000);
  const { spool, came } = await spooling(t, { before: whole });
  spool.end();
  const { file } = await contentOf(t, came);
  const body = new SpooledBody(file);
  const sink = new KeepingSink();
  sink.takes = false;
  body.start(sink);
  for (let pieces = 1; Buffer.concat(sink.chunks).length < whole.length; pieces += 1) {
    await eventually(() => (sink.chunks.length === pieces ? true : undefined), 'a piece');
    await new Promise((resolve) => setImmediate(resolve));
    t.is(sink.chunks.length, pieces);
    body.resume();
  }
  t.true(Buffer.concat(sink.chunks).equals(whole));
  await eventually(() => (sink.ends.length > 0 ? true : undefined), 'the end');
});

test('a file that cannot be read ends the body before its time; a body that nobody wants is not read', async (t) => {
  const { spool, came } = await spooling(t, { before: Buffer.alloc(100) });
  spool.end();
  const { file } = await contentOf(t, came);
  const [broken, unwanted] = [new KeepingSink(), new KeepingSink()];
  const body = new SpooledBody(file);
  body.start(unwanted);
  body.cancel();
  await file.close();
  new SpooledBody(file).start(broken);
  await eventually(() => (broken.aborts.length > 0 ? true : undefined), 'the abort');
  t.like(broken.aborts[0], { code: 'body_spool_failed' });
  t.deepEqual([broken.ends.length, unwanted.ends.length, unwanted.chunks.length, unwanted.aborts.length], [0, 0, 0, 0]);
});
