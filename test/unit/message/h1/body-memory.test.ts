/** Contract: the memory of bodies is freed each time so many of their bytes have passed, and small messages do not count. */
import test from 'ava';
import { bulkPassed, freeBodyMemory } from '../../../../src/message/h1/body-memory.ts';
import { MessageWriter } from '../../../../src/message/h1/message-writer.ts';

const SILENT = { write: () => true, writableLength: 0, cork: () => undefined, uncork: () => undefined };

test.serial('once for each stretch of bytes, not before it is full', (t) => {
  let freed = 0;
  freeBodyMemory(1000, () => (freed += 1));
  bulkPassed(999);
  t.is(freed, 0);
  bulkPassed(1);
  t.is(freed, 1);
  bulkPassed(999);
  t.is(freed, 1);
  bulkPassed(5000);
  t.is(freed, 2);
  freeBodyMemory(1000, undefined);
  bulkPassed(5000);
  t.is(freed, 2);
});

test.serial('bodies in bulk count in both framings; heads and small bodies do not', (t) => {
  let freed = 0;
  const writer = new MessageWriter(SILENT, () => undefined);
  const send = (framing: { kind: 'chunked' } | { kind: 'length'; bytes: number }, body: Buffer): void => {
    writer.head('HTTP/1.1 200 OK\r\n\r\n', framing);
    writer.data(body);
    writer.end(undefined);
  };
  freeBodyMemory(64 * 1024, () => (freed += 1));
  for (let i = 0; i < 100; i += 1) send({ kind: 'length', bytes: 1024 }, Buffer.alloc(1024));
  t.is(freed, 0);
  send({ kind: 'length', bytes: 64 * 1024 }, Buffer.alloc(64 * 1024));
  t.is(freed, 1);
  send({ kind: 'chunked' }, Buffer.alloc(64 * 1024));
  t.is(freed, 2);
  freeBodyMemory(0, undefined);
});
