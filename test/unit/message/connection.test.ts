import test from 'ava';
import { addConnectionOptions } from '../../../src/message/connection.ts';

test('options are gathered in lower case, empty ones skipped', (t) => {
  const names = new Set(['close']);
  addConnectionOptions('Keep-Alive,\tX-One ,, x-one', names);
  t.deepEqual([...names], ['close', 'keep-alive', 'x-one']);
});
