import test from 'ava';
import { HeaderList } from '../../../src/message/header-list.ts';
import { headers, lines } from '../../support/headers.ts';

test('a list keeps order, spelling and duplicates', (t) => {
  const list = new HeaderList(['B', '1', 'a', '2', 'B', '3']);
  t.deepEqual([...list], [['B', '1'], ['a', '2'], ['B', '3']]); // prettier-ignore
  t.is(list.size, 3);
  t.deepEqual(list.flat(), ['B', '1', 'a', '2', 'B', '3']);
});

test('names are found in any case; the first value wins, getAll gives all in order', (t) => {
  const list = headers('X-Key: one', 'x-KEY: two', 'x-key-2: three');
  t.is(list.get('X-KEY'), 'one');
  t.deepEqual(list.getAll('x-key'), ['one', 'two']);
  t.true(list.has('X-Key-2'));
  t.false(list.has('x-ke'));
  t.is(list.get('missing'), undefined);
  t.deepEqual(list.getAll('missing'), []);
});

test('an empty value is present', (t) => {
  const list = headers('Empty:');
  t.is(list.get('empty'), '');
  t.true(list.has('empty'));
});

test('set removes every spelling and writes one field at the end', (t) => {
  const list = headers('x-key: 1', 'Accept: */*', 'X-KEY: 2');
  list.set('X-Key', '3');
  t.deepEqual(lines(list), ['Accept: */*', 'X-Key: 3']);
});

test('delete removes every spelling, says how many, and leaves near misses', (t) => {
  const list = headers('x-key: 1', 'x-keys: 2', 'X-KEY: 3', 'x_key: 4');
  t.is(list.delete('X-Key'), 2);
  t.deepEqual(lines(list), ['x-keys: 2', 'x_key: 4']);
  t.is(list.delete('X-Key'), 0);
});

test('filter sees lower-case names and leaves the kept fields as they were', (t) => {
  const list = headers('Alpha: 1', 'BETA: 2', 'gamma: 3');
  const seen: string[] = [];
  const removed = list.filter((name, value) => {
    seen.push(name.lower);
    return value !== '2';
  });
  t.is(removed, 1);
  t.deepEqual(seen, ['alpha', 'beta', 'gamma']);
  t.deepEqual(lines(list), ['Alpha: 1', 'gamma: 3']);
});

test('a list of kept fields changes on its own', (t) => {
  const list = headers('a: 1', 'gone: 2', 'c: 3');
  const copy = list.kept(({ lower }) => lower !== 'gone');
  copy.append('b', '2');
  copy.delete('a');
  t.deepEqual(lines(list), ['a: 1', 'gone: 2', 'c: 3']);
  t.deepEqual(lines(copy), ['c: 3', 'b: 2']);
});

test('a field that would be read as something else never gets in', (t) => {
  const list = headers('a: 1');
  for (const [name, value] of [
    ['', 'x'],
    ['b c', 'x'],
    ['b:', 'x'],
    ['b\r\nc', 'x'],
    ['b', 'x\r\nc: y'],
    ['b', 'x\n'],
    ['b', '\0'],
    ['b', '\u{100}'],
  ] as const) {
    t.throws(
      () => {
        list.append(name, value);
      },
      undefined,
      JSON.stringify([name, value]),
    );
    t.throws(() => new HeaderList([name, value]));
  }
  t.deepEqual(lines(list), ['a: 1']);
});
