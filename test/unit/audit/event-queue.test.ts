/** Contract: events leave in order, each once, in batches of bounded size; a batch that was handed out does not change until it is dropped. */
import test from 'ava';
import { EventQueue } from '../../../src/audit/event-queue.ts';

const CHARACTERS = 512 * 1024;

/** The batches in which everything leaves. */
function drained(queue: EventQueue): string[][] {
  const batches: string[][] = [];
  while (queue.length > 0) {
    batches.push([...queue.first()]);
    queue.drop();
  }
  return batches;
}

function queueOf(events: readonly string[]): EventQueue {
  const queue = new EventQueue();
  for (const event of events) queue.push(event);
  return queue;
}

test('an empty queue gives an empty batch', (t) => {
  const queue = new EventQueue();
  t.deepEqual(queue.first(), []);
  queue.drop();
  t.is(queue.length, 0);
});

test('500 events are one batch; the next one begins another', (t) => {
  const events = Array.from({ length: 1001 }, (_, n) => String(n));
  const batches = drained(queueOf(events));
  t.deepEqual(
    batches.map((batch) => batch.length),
    [500, 500, 1],
  );
  t.deepEqual(batches.flat(), events);
});

test('a batch has at most 512 Ki characters; a longer event goes alone', (t) => {
  const half = 'h'.repeat(CHARACTERS / 2);
  const long = 'l'.repeat(CHARACTERS + 1);
  t.deepEqual(drained(queueOf([half, half, 'a'])), [[half, half], ['a']]);
  t.deepEqual(drained(queueOf(['a', long, 'b', 'c'])), [['a'], [long], ['b', 'c']]);
});

test('what comes while a batch is under way joins the next one, and counts as waiting until it is dropped', (t) => {
  const queue = queueOf(['a', 'b']);
  const first = queue.first();
  queue.push('c');
  t.is(queue.first(), first);
  t.deepEqual(first, ['a', 'b']);
  t.is(queue.length, 3);
  queue.drop();
  t.is(queue.length, 1);
  t.deepEqual(queue.first(), ['c']);
  queue.push('d');
  t.deepEqual(drained(queue), [['c'], ['d']]);
});
