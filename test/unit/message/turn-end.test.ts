import test from 'ava';
import { atTurnEnd, exchangeBegins, exchangeEnds, firstAtTurnEnd, readAtOnce } from '../../../src/message/turn-end.ts';

const immediate = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test.serial('callbacks are called once, in order, after the events of the turn', async (t) => {
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

test.serial('what is asked for by a callback comes at the end of the next turn', async (t) => {
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

test.serial('what came is read before anything is written, also when it was told of later', async (t) => {
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

test.serial('what comes is read and answered at once while one exchange is under way at most, and only then', async (t) => {
  const called: string[] = [];
  const read = (): void => {
    called.push('read');
    atTurnEnd(() => called.push('write'));
    t.false(readAtOnce(() => called.push('never within another')));
  };
  exchangeBegins();
  t.true(readAtOnce(read));
  t.deepEqual(called.splice(0), ['read', 'write']);
  exchangeBegins();
  t.false(readAtOnce(read));
  exchangeEnds();
  firstAtTurnEnd(() => called.push('waits'));
  t.false(readAtOnce(read), 'another waits already');
  await immediate();
  t.deepEqual(called, ['waits']);
  exchangeEnds();
});

test.serial('what is read at once while others are written is written as well, and nothing is lost or called twice', async (t) => {
  const called: string[] = [];
  atTurnEnd(() => {
    called.push('a');
    atTurnEnd(() => called.push('b'));
    t.true(
      readAtOnce(() => {
        called.push('read');
        atTurnEnd(() => {
          called.push('c');
          atTurnEnd(() => called.push('d'));
        });
      }),
    );
  });
  atTurnEnd(() => called.push('e'));
  await immediate();
  t.deepEqual(called, ['a', 'read', 'b', 'c', 'e']);
  await immediate();
  t.deepEqual(called, ['a', 'read', 'b', 'c', 'e', 'd']);
});
