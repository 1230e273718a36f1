import test from 'ava';
import { atTurnEnd, firstAtTurnEnd } from '../../../src/message/turn-end.ts';

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('callbacks are called once, in order, after the events of the turn', async (t) => {
  const called: string[] = [];
  atTurnEnd(() => called.push('a'));
  atTurnEnd(() => called.push('b'));
  await Promise.resolve();
  t.deepEqual(called, []);
  await immediate();
  t.deepEqual(called, ['a', 'b']);
  await immediate();
  t.deepEqual(called, ['a', 'b']);
});

test('what is asked for by a callback comes at the end of the next turn', async (t) => {
  const called: string[] = [];
  const ask = (name: string, then?: () => void): void => {
    atTurnEnd(() => {
      called.push(name);
      then?.();
    });
  };
  ask('a', () => {
    ask('c', () => {
      ask('d');
    });
  });
  ask('b');
  await immediate();
  t.deepEqual(called, ['a', 'b']);
  await immediate();
  t.deepEqual(called, ['a', 'b', 'c']);
  await immediate();
  t.deepEqual(called, ['a', 'b', 'c', 'd']);
});

test('what came is read before anything is written, also when it was told of later', async (t) => {
  const called: string[] = [];
  atTurnEnd(() => called.push('write a'));
  firstAtTurnEnd(() => {
    called.push('read');
    atTurnEnd(() => called.push('write b'));
    firstAtTurnEnd(() => called.push('read in the next turn'));
  });
  await immediate();
  t.deepEqual(called, ['read', 'write a', 'write b']);
  await immediate();
  t.deepEqual(called, ['read', 'write a', 'write b', 'read in the next turn']);
});
