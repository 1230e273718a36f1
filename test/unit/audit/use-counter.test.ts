import test from 'ava';
import { UseCounter } from '../../../src/audit/use-counter.ts';
import type { UseCounterOptions } from '../../../src/audit/use-counter.ts';
import { eventually } from '../../support/eventually.ts';

type Batch = Parameters<UseCounterOptions['sink']['addUses']>[1];

/** A store that takes what it is given while `failing` is false. */
function scene(options: Partial<UseCounterOptions> = {}) {
  const batches: Batch[] = [];
  const warnings: string[] = [];
  const state = { failing: false, now: 1000, attempts: 0 };
  const counter = new UseCounter({
    sink: {
      addUses: (app, uses) => {
        if (app !== 'default') throw new Error(`app ${app}`);
        state.attempts += 1;
        if (state.failing) return Promise.reject(new Error('down'));
        batches.push(uses);
        return Promise.resolve();
      },
    },
    app: 'default',
    everyMs: 5,
    now: () => state.now,
    log: { warn: (_fields, message) => warnings.push(message) },
    ...options,
  });
  return { counter, batches, warnings, state };
}

test('uses of a while leave as one batch, with their number and the last instant', async (t) => {
  const { counter, batches, state } = scene();
  counter.note('a');
  counter.note('b');
  state.now = 2000;
  counter.note('a');
  t.deepEqual(batches, []);
  await eventually(() => batches[0], 'the batch');
  t.deepEqual(batches, [
    [
      { id: 'a', count: 2, lastAt: 2000 },
      { id: 'b', count: 1, lastAt: 1000 },
    ],
  ]);
  counter.note('a');
  await eventually(() => batches[1], 'the next batch');
  t.deepEqual(batches[1], [{ id: 'a', count: 1, lastAt: 2000 }]);
});

test('closing writes what waits at once, and nothing is counted after', async (t) => {
  const { counter, batches } = scene({ everyMs: 60_000 });
  counter.note('a');
  await counter.close();
  t.deepEqual(batches, [[{ id: 'a', count: 1, lastAt: 1000 }]]);
  counter.note('a');
  await counter.close();
  t.is(batches.length, 1);
});

test('what the store does not take is tried again with what came meanwhile, and told once', async (t) => {
  const { counter, batches, warnings, state } = scene();
  state.failing = true;
  counter.note('a');
  await eventually(() => warnings[0], 'the warning');
  state.now = 2000;
  counter.note('a');
  counter.note('b');
  await eventually(() => state.attempts > 3 || undefined, 'some more attempts');
  t.is(warnings.length, 1);
  state.failing = false;
  await eventually(() => batches[0], 'the batch');
  t.deepEqual(
    [...(batches[0] ?? [])].sort((one, other) => one.id.localeCompare(other.id)),
    [
      { id: 'a', count: 2, lastAt: 2000 },
      { id: 'b', count: 1, lastAt: 2000 },
    ],
  );
});

test('a store that is down does not hinder the stop', async (t) => {
  const { counter, state, batches } = scene({ everyMs: 60_000 });
  state.failing = true;
  counter.note('a');
  await counter.close();
  t.deepEqual(batches, []);
});

test('the memory is bounded: further grants are not counted, known ones are', async (t) => {
  const { counter, batches } = scene({ everyMs: 60_000, maxGrants: 2 });
  for (const id of ['a', 'b', 'c', 'a']) counter.note(id);
  await counter.close();
  t.deepEqual(
    batches[0]?.map(({ id, count }) => [id, count]),
    [
      ['a', 2],
      ['b', 1],
    ],
  );
});
