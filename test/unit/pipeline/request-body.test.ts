import { createHash } from 'node:crypto';
import os from 'node:os';
import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import type { BodyLength } from '../../../src/message/body.ts';
import { MemoryBudget } from '../../../src/message/memory-budget.ts';
import type { BodySpoolLimits } from '../../../src/pipeline/body-spool.ts';
import { RequestBody } from '../../../src/pipeline/request-body.ts';
import { HandSource, KeepingSink } from '../../support/body.ts';
import { eventually } from '../../support/eventually.ts';

interface Bodied {
  readonly source: HandSource;
  readonly body: RequestBody;
  readonly seen: { received: number };
  readonly bodyMemory: MemoryBudget;
}

const spoolTo = (folder: string, maxBytes: number): BodySpoolLimits => ({ maxBytes, folder, ciphered: () => undefined });

function bodied(length: BodyLength = { kind: 'chunked' }, bodySpool?: BodySpoolLimits): Bodied {
  const source = new HandSource();
  const seen = { received: 0 };
  const bodyMemory = new MemoryBudget(1_000_000);
  const body = new RequestBody(source, length, {
    received: (bytes) => {
      seen.received += bytes;
    },
    bodyMemory,
    bodySpool,
  });
  return { source, body, seen, bodyMemory };
}

const codeOf = async (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'none',
    (error: unknown) => (error instanceof AlterError ? error.code : String(error)),
  );

test('flows through when nobody reads it, and is counted', (t) => {
  const { source, body, seen } = bodied();
  const sink = new KeepingSink();
  t.is(body.leaving(), body);
  body.leaving().start(sink);
  sink.takes = false;
  t.false(source.sink?.write(Buffer.from('abc')));
  body.resume();
  source.sink?.end();
  t.deepEqual([sink.text, sink.ends.length, source.resumed, seen.received], ['abc', 1, 1, 3]);
});

test('is read once for everybody, and leaves from memory any number of times', async (t) => {
  const { source, body, seen } = bodied();
  const reads = [body.read(10), body.read(3), body.read(2)];
  const codes = Promise.all(reads.map(codeOf));
  source.sink?.write(Buffer.from('ab'));
  source.sink?.write(Buffer.from('c'));
  source.sink?.end();
  t.deepEqual(await codes, ['none', 'none', 'body_too_large_to_sign'], 'each with its own cap');
  t.is(await reads[0], await reads[1]);
  t.is(seen.received, 3);
  for (let i = 0; i < 2; i += 1) {
    const sink = new KeepingSink();
    body.leaving().start(sink);
    t.deepEqual([sink.text, sink.ends], ['abc', [undefined]]);
  }
});

test('too large by its announced length: nothing is asked of the client', async (t) => {
  const { source, body } = bodied({ kind: 'length', bytes: 11 });
  t.is(await codeOf(body.read(10)), 'body_too_large_to_sign');
  t.is(source.sink, undefined);
});

test('a look at what is short enough reads it, and asks nothing of a client that announces more', async (t) => {
  const { source, body } = bodied();
  const looking = body.peek(3);
  source.sink?.write(Buffer.from('abc'));
  source.sink?.end();
  t.is(String(await looking), 'abc');
  t.deepEqual([await body.read(3), body.wholeBytes], [await looking, 3]);

  const announced = bodied({ kind: 'length', bytes: 4 });
  t.is(await announced.body.peek(3), undefined);
  t.is(announced.source.sink, undefined);
});

/** A body that was looked at and turned out to be too long, with `more` at hand when its source was told to pause. */
async function lookedAt(more: readonly string[], bodySpool?: BodySpoolLimits): Promise<Bodied> {
  const made = bodied({ kind: 'chunked' }, bodySpool);
  const looking = made.body.peek(3);
  made.source.sink?.write(Buffer.from('ab'));
  const paused = made.source.sink?.write(Buffer.from('cd')) === false;
  for (const text of more) made.source.sink?.write(Buffer.from(text));
  if ((await looking) !== undefined || !paused) throw new Error('the body was not held');
  return made;
}

test('what a look found too long leaves whole, at the pace of its receiver, and is counted once', async (t) => {
  const { source, body, seen } = await lookedAt(['ef']);
  const sink = new KeepingSink();
  sink.takes = false;
  body.leaving().start(sink);
  t.deepEqual([sink.text, source.resumed], ['ab', 0]);
  sink.takes = true;
  body.resume();
  t.deepEqual([sink.text, source.resumed], ['abcdef', 1]);
  t.is(source.sink?.write(Buffer.from('gh')), true);
  source.sink?.end();
  t.deepEqual([sink.text, sink.ends, seen.received], ['abcdefgh', [undefined], 8]);
});

test('what a look found too long ends as its source ends, also when that was at hand', async (t) => {
  const ended = await lookedAt(['ef']);
  ended.source.sink?.end();
  const whole = new KeepingSink();
  ended.body.leaving().start(whole);
  t.deepEqual([whole.text, whole.ends, ended.source.resumed], ['abcdef', [undefined], 0]);

  const broken = await lookedAt([]);
  broken.source.sink?.abort(new Error('gone'));
  const aborted = new KeepingSink();
  broken.body.leaving().start(aborted);
  t.deepEqual([aborted.text, aborted.ends, aborted.aborts.map(({ message }) => message)], ['', [], ['gone']]);

  const { source, body } = await lookedAt([]);
  body.cancel(new Error('nobody wants it'));
  t.is(source.cancelled?.message, 'nobody wants it');
});

test('what a look found too long can be read and hashed as if nobody had looked', async (t) => {
  const read = await lookedAt(['ef']);
  const reading = read.body.read(10);
  read.source.sink?.write(Buffer.from('gh'));
  read.source.sink?.end();
  t.is(String(await reading), 'abcdefgh');
  read.body.close();
  t.is(read.bodyMemory.used, 0);

  const long = await lookedAt([]);
  t.is(await codeOf(long.body.read(3)), 'body_too_large_to_sign');

  const spooled = await lookedAt(['ef'], spoolTo(os.tmpdir(), 100));
  const digest = spooled.body.digest(5);
  spooled.source.sink?.write(Buffer.from('gh'));
  spooled.source.sink?.end();
  t.deepEqual(await digest, { sha256: hashOf('abcdefgh'), bytes: 8 });
  spooled.body.close();
});

test('a body that could not be read does not leave: some of it is lost', async (t) => {
  const { source, body } = bodied();
  const reading = codeOf(body.read(3));
  source.sink?.write(Buffer.from('abcd'));
  t.is(await reading, 'body_too_large_to_sign');
  const sink = new KeepingSink();
  body.leaving().start(sink);
  source.sink?.write(Buffer.from('ef'));
  source.sink?.end();
  t.deepEqual([sink.text, sink.ends], ['', []]);
  t.like(sink.aborts[0], { code: 'body_too_large_to_sign' });
});

test('when the exchange ends, readers hear of it and memory is given back', async (t) => {
  const during = bodied();
  const reading = codeOf(during.body.read(10));
  during.source.sink?.write(Buffer.from('abc'));
  t.true(during.bodyMemory.used > 0);
  during.body.close();
  t.is(await reading, 'internal_error');
  t.truthy(during.source.cancelled);
  t.is(during.bodyMemory.used, 0);
  t.is(await codeOf(during.body.read(10)), 'internal_error');
  during.body.close();
  t.is(during.bodyMemory.used, 0);

  const after = bodied();
  const read = after.body.read(10);
  after.source.sink?.end();
  await read;
  after.body.close();
  t.is(after.bodyMemory.used, 0);
  t.is(after.source.cancelled, undefined);
});

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');

test('a digest up to its cap is made in memory, and of what was read already', async (t) => {
  const { source, body } = bodied({ kind: 'chunked' }, spoolTo('/nowhere', 100));
  const digest = body.digest(10);
  source.sink?.write(Buffer.from('0123456789'));
  source.sink?.end();
  t.deepEqual(await digest, { sha256: hashOf('0123456789'), bytes: 10 });
  t.is(String(await body.read(10)), '0123456789');
  t.deepEqual(await body.digest(5), await digest);
  body.close();
});

test('above its cap it goes to a file, known length or not; then it can leave again, but not be read', async (t) => {
  for (const length of [{ kind: 'chunked' }, { kind: 'length', bytes: 11 }] as const) {
    const { source, body, bodyMemory } = bodied(length, spoolTo(os.tmpdir(), 11));
    const digest = body.digest(10);
    source.sink?.write(Buffer.from('012345'));
    source.sink?.write(Buffer.from('6789x'));
    source.sink?.end();
    t.deepEqual(await digest, { sha256: hashOf('0123456789x'), bytes: 11 });
    t.deepEqual([body.wholeBytes, body.content, bodyMemory.used], [11, undefined, 0]);
    t.is(await codeOf(body.read(100)), 'body_too_large_to_sign');
    t.deepEqual(await body.digest(5), await digest);
    for (let i = 0; i < 2; i += 1) {
      const sink = new KeepingSink();
      body.leaving().start(sink);
      await eventually(() => (sink.ends.length > 0 ? true : undefined), 'the end');
      t.is(sink.text, '0123456789x');
    }
    body.close();
    body.close();
    t.is(body.wholeBytes, undefined);
  }
});

test('above the largest file, or without one, it is refused', async (t) => {
  const announced = bodied({ kind: 'length', bytes: 12 }, spoolTo(os.tmpdir(), 11));
  t.is(await codeOf(announced.body.digest(10)), 'body_too_large_to_sign');
  t.is(announced.source.sink, undefined, 'at once');

  for (const spool of [spoolTo(os.tmpdir(), 11), undefined]) {
    const { source, body } = bodied({ kind: 'chunked' }, spool);
    const digest = codeOf(body.digest(10));
    source.sink?.write(Buffer.from('0123456789ab'));
    t.is(await digest, 'body_too_large_to_sign');
    t.truthy(source.cancelled);
    body.close();
  }
});

test('when the exchange ends while the body goes to a file, readers hear of it', async (t) => {
  const { source, body, bodyMemory } = bodied({ kind: 'chunked' }, spoolTo(os.tmpdir(), 1000));
  const digest = codeOf(body.digest(10));
  source.sink?.write(Buffer.from('01234'));
  source.sink?.write(Buffer.from('6789ab'));
  body.close();
  t.is(await digest, 'internal_error');
  t.is(bodyMemory.used, 0);
  t.truthy(source.cancelled);
});
