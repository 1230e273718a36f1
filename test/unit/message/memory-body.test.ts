import test from 'ava';
import { MemoryBody } from '../../../src/message/memory-body.ts';
import { KeepingSink } from '../../support/body.ts';

test('an empty body ends without a chunk', (t) => {
  const sink = new KeepingSink();
  new MemoryBody(Buffer.alloc(0)).start(sink);
  t.deepEqual([sink.chunks.length, sink.ends.length], [0, 1]);
});

test('waits for a sink that is full, and ends once', (t) => {
  const content = Buffer.alloc(200_000, 'x');
  const sink = new KeepingSink();
  sink.takes = false;
  const body = new MemoryBody(content);
  body.start(sink);
  t.is(sink.chunks.length, 1);
  t.is(sink.ends.length, 0);
  for (let i = 0; i < 5; i += 1) body.resume();
  t.deepEqual(Buffer.concat(sink.chunks), content);
  t.is(sink.ends.length, 1);
});

test('a cancelled body says nothing more', (t) => {
  const sink = new KeepingSink();
  sink.takes = false;
  const body = new MemoryBody(Buffer.alloc(200_000));
  body.start(sink);
  body.cancel();
  body.resume();
  t.deepEqual([sink.chunks.length, sink.ends.length, sink.aborts.length], [1, 0, 0]);
});
