/** Contract: what was added is in the list until it is deleted, whatever else comes and goes; what is in none can be asked to leave. */
import test from 'ava';
import fc from 'fast-check';
import { PlacedList, type Placed } from '../../../src/message/placed-list.ts';

test('any coming and going leaves what a set would hold', (t) => {
  fc.assert(
    fc.property(fc.array(fc.record({ at: fc.nat(19), add: fc.boolean() }), { maxLength: 200 }), (steps) => {
      const items: Placed[] = Array.from({ length: 20 }, () => ({ place: -1 }));
      const list = new PlacedList<Placed>();
      const expected = new Set<Placed>();
      for (const { at, add } of steps) {
        const item = items[at] ?? { place: -1 };
        if (!add) {
          if (list.delete(item) !== expected.delete(item)) return false;
        } else if (!expected.has(item)) {
          list.add(item);
          expected.add(item);
        }
        const all = list.all();
        if (list.size !== expected.size || all.length !== expected.size || !all.every((one) => expected.has(one))) return false;
      }
      return new Set(list.all()).size === expected.size && items.every((item) => expected.has(item) || item.place === -1);
    }),
  );
  t.pass();
});

test('a list that changes while it is gone through is gone through as it was', (t) => {
  const list = new PlacedList<Placed>();
  const items = [{ place: -1 }, { place: -1 }, { place: -1 }];
  for (const item of items) list.add(item);
  const seen: Placed[] = [];
  for (const item of list.all()) {
    seen.push(item);
    list.delete(item);
  }
  t.deepEqual(seen, items);
  t.is(list.size, 0);
});
