import test from 'ava';
import { exchangeBegins, exchangeEnds } from '../../../src/message/turn-end.ts';
import { TurnReader } from '../../../src/message/turn-reader.ts';

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

// With others under way, there is something to do together with.
test.before(() => {
  exchangeBegins();
  exchangeBegins();
});

function reader(): { readonly read: string[]; readonly arrivals: TurnReader; later(text: string): void } {
  const read: string[] = [];
  const arrivals = new TurnReader((chunk) => read.push(chunk.toString()));
  return { read, arrivals, later: (text) => arrivals.later(Buffer.from(text)) };
}

test.serial('bytes are read at the end of the turn, and those before them at once: never out of order, none twice', async (t) => {
  const { read, later } = reader();
  later('a');
  t.deepEqual(read, []);
  later('b');
  t.deepEqual(read, ['a']);
  await immediate();
  t.deepEqual(read, ['a', 'b']);
  await immediate();
  t.deepEqual(read, ['a', 'b']);
});

test.serial('what waits can be read before its time, or be dropped', async (t) => {
  const { read, arrivals, later } = reader();
  later('a');
  arrivals.now();
  t.deepEqual(read, ['a']);
  later('b');
  arrivals.drop();
  arrivals.now();
  await immediate();
  t.deepEqual(read, ['a']);
});

test.serial('while whoever takes it wants no more, a piece waits until he does', async (t) => {
  const { read, arrivals, later } = reader();
  later('a');
  arrivals.pause();
  await immediate();
  t.deepEqual(read, []);
  later('b');
  t.deepEqual(read, ['a'], 'a socket that gives more all the same');
  arrivals.resume();
  t.deepEqual(read, ['a']);
  await immediate();
  t.deepEqual(read, ['a', 'b']);
});

test.serial('the connections of a turn are read one after another', async (t) => {
  const read: string[] = [];
  const connections = ['a', 'b', 'c'].map((name) => new TurnReader((chunk) => read.push(name + chunk.toString())));
  for (const connection of connections) connection.later(Buffer.from('1'));
  connections[1]?.later(Buffer.from('2'));
  t.deepEqual(read, ['b1']);
  await immediate();
  t.deepEqual(read, ['b1', 'a1', 'b2', 'c1']);
});

test.serial('a piece is read at once while nobody else is under way, but for one behind which more comes', async (t) => {
  const { read, arrivals, later } = reader();
  exchangeEnds();
  later('a');
  t.deepEqual(read, ['a']);
  arrivals.later(Buffer.alloc(16_384, 'b'));
  t.deepEqual(read, ['a']);
  later('c');
  t.deepEqual(
    read.map((text) => text[0]),
    ['a', 'b'],
  );
  await immediate();
  t.deepEqual(read.splice(2), ['c']);
  exchangeBegins();
});
