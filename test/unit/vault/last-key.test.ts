import test from 'ava';
import { LastKey } from '../../../src/vault/last-key.ts';

test('a key is made for what is asked for, once as long as the same is asked for', (t) => {
  const made: string[] = [];
  const key = new LastKey((app, id) => {
    made.push(`${app}/${id}`);
    return `${app}:grant:${id}`;
  });
  t.is(key.of('a', '1'), 'a:grant:1');
  t.is(key.of('a', '1'), 'a:grant:1');
  t.deepEqual(made, ['a/1']);
  t.is(key.of('a', '2'), 'a:grant:2');
  t.is(key.of('b', '2'), 'b:grant:2');
  t.is(key.of('a', '1'), 'a:grant:1');
  t.deepEqual(made, ['a/1', 'a/2', 'b/2', 'a/1']);
});

test('what has no app, or no id, is asked for as such', (t) => {
  const key = new LastKey((app, id) => `${app}:${id}`);
  t.is(key.of('', ''), ':');
  t.is(key.of('', 'x'), ':x');
});
