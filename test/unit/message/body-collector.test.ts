import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { BodyCollector } from '../../../src/message/body-collector.ts';
import { MemoryBudget } from '../../../src/message/memory-budget.ts';
import { HandSource } from '../../support/body.ts';

function collecting(maxBytes: number, memory = 1_000_000): { source: HandSource; collector: BodyCollector; told: unknown[] } {
  const source = new HandSource();
  const told: unknown[] = [];
  const budget = new MemoryBudget(memory);
  const collector = new BodyCollector(source, {
    maxBytes,
    take: (bytes) => budget.take(bytes),
    done: (content) => told.push(content.toString('latin1')),
    failed: (error) => told.push(error.code),
    tooLarge: () => new AlterError('body_too_large_to_sign'),
  });
  collector.start();
  return { source, collector, told };
}

test('keeps the bytes of chunks whose memory is used again', (t) => {
  const { source, told } = collecting(100_000);
  const chunk = Buffer.alloc(1);
  for (let i = 0; i < 50_000; i += 1) {
    chunk[0] = 65 + (i % 26);
    t.true(source.sink?.write(chunk));
  }
  source.sink?.end();
  t.is(told.length, 1);
  t.is(String(told[0]).slice(0, 27), 'ABCDEFGHIJKLMNOPQRSTUVWXYZA');
  t.is(String(told[0]).length, 50_000);
});

test('the cap itself fits; a byte more is refused once, and the rest is not wanted', (t) => {
  const fits = collecting(4);
  fits.source.sink?.write(Buffer.from('abcd'));
  fits.source.sink?.end();
  t.deepEqual(fits.told, ['abcd']);
  const over = collecting(4);
  over.source.sink?.write(Buffer.from('abc'));
  t.true(over.source.sink?.write(Buffer.from('de')), 'so that the rest of it can be read and dropped');
  over.source.sink?.write(Buffer.from('f'));
  over.source.sink?.end();
  over.source.sink?.abort(new Error('late'));
  t.deepEqual(over.told, ['body_too_large_to_sign']);
  t.true(over.source.cancelled instanceof AlterError);
});

test('a body that breaks off has the code of what broke it', (t) => {
  const slow = collecting(10);
  slow.source.sink?.write(Buffer.from('x'));
  slow.source.sink?.abort(new AlterError('request_timeout'));
  slow.source.sink?.end();
  t.deepEqual(slow.told, ['request_timeout']);
  const gone = collecting(10);
  gone.source.sink?.abort(new Error('closed'));
  t.deepEqual(gone.told, ['malformed_request']);
});

test('who closes it hears why, once', (t) => {
  const { source, collector, told } = collecting(10);
  collector.close(new AlterError('grant_revoked'));
  collector.close(new AlterError('grant_expired'));
  source.sink?.end();
  t.deepEqual(told, ['grant_revoked']);
});

test('memory is asked for as it is needed, and no more than the cap', (t) => {
  const enough = collecting(100_000, 100_000);
  for (let i = 0; i < 10; i += 1) enough.source.sink?.write(Buffer.alloc(10_000));
  enough.source.sink?.end();
  t.is(String(enough.told[0]).length, 100_000);
  const short = collecting(100_000, 50_000);
  for (let i = 0; i < 10; i += 1) t.true(short.source.sink?.write(Buffer.alloc(10_000)));
  short.source.sink?.end();
  t.deepEqual(short.told, ['body_memory_full']);
  t.truthy(short.source.cancelled);
});
