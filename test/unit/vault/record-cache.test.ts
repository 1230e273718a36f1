import test from 'ava';
import type { RecordRef } from '../../../src/store/store.ts';
import { FreshnessGuard, RecordCache } from '../../../src/vault/record-cache.ts';
import { MemoryStore } from '../../support/memory-store.ts';
import { codeOf } from '../../support/vault-fixture.ts';

const ref: RecordRef = { kind: 'grant', app: 'default', id: '1' };
const other: RecordRef = { kind: 'grant', app: 'default', id: '2' };
const KEY = 'default:grant:1';

interface Bench {
  readonly store: MemoryStore;
  readonly guard: FreshnessGuard;
  readonly cache: RecordCache<{ readonly content: string }>;
  /** Texts that were opened, in order. */
  readonly opened: string[];
  now: number;
}

/** A cache over a store in which opening a text takes a turn of the event loop and gives a new object. */
function bench(options: { readonly maxEntries?: number; readonly maxStaleMs?: number } = {}): Bench {
  const store = new MemoryStore();
  const opened: string[] = [];
  const made = { store, opened, now: 1000 };
  const guard = new FreshnessGuard(store, ['default'], () => made.now);
  const cache = new RecordCache({
    store,
    guard,
    maxEntries: 10,
    maxStaleMs: 0,
    open: async (_ref, text) => {
      await new Promise((resolve) => setImmediate(resolve));
      opened.push(text);
      if (text === 'broken') throw new Error('broken');
      return { content: text };
    },
    ...options,
  });
  store.plant(ref, 'one');
  return Object.assign(made, { guard, cache });
}

async function load({ cache }: Bench): Promise<string | undefined> {
  return (await cache.load(KEY, ref))?.content;
}

function warm({ cache, guard }: Bench): string | undefined {
  return guard.alive() ? cache.warm(KEY)?.content : undefined;
}

test('what was loaded is served without the store while changes are told', async (t) => {
  const b = bench();
  t.is(warm(b), undefined);
  t.is(await load(b), 'one');
  t.is(warm(b), 'one');
  t.is(await load(b), 'one');
  t.deepEqual(b.store.reads, [KEY]);
});

test('many who miss at once cost one read and one opening', async (t) => {
  const b = bench();
  const release = b.store.holdAnswers();
  const loads = Array.from({ length: 100 }, () => b.cache.load(KEY, ref));
  release();
  const values = await Promise.all(loads);
  t.is(new Set(values).size, 1);
  t.deepEqual(b.store.reads, [KEY]);
  t.deepEqual(b.opened, ['one']);
});

test('a change that arrives while the old record is on its way keeps it out of the cache', async (t) => {
  const b = bench();
  const release = b.store.holdAnswers();
  const early = load(b);
  b.store.plant(ref, 'two');
  release();
  t.is(await early, 'one', 'it was asked before the change');
  t.is(warm(b), undefined);
  t.is(await load(b), 'two');
});

test('who asks after a change does not join a read from before it', async (t) => {
  const b = bench();
  const release = b.store.holdAnswers();
  const early = load(b);
  b.store.plant(ref, 'two');
  const late = load(b);
  release();
  t.deepEqual(await Promise.all([early, late]), ['one', 'two']);
  t.is(warm(b), 'two');
});

test('nor a read from before everything may have changed', async (t) => {
  const b = bench();
  const release = b.store.holdAnswers();
  const early = load(b);
  b.store.alive = false;
  b.store.plant(ref, 'two');
  b.store.alive = true;
  b.store.announce(undefined);
  const late = load(b);
  release();
  t.deepEqual(await Promise.all([early, late]), ['one', 'two']);
  t.is(await load(b), 'two');
});

test('a change that is told only when asked for liveness counts as well', async (t) => {
  const b = bench();
  const release = b.store.holdAnswers();
  const early = load(b);
  // Like the embedded store, which learns of another process's commit when `alive` reads the change counter.
  const watch = b.guard.alive.bind(b.guard);
  b.guard.alive = (...args) => {
    b.guard.alive = watch;
    b.store.plant(ref, 'two');
    return watch(...args);
  };
  release();
  t.is(await early, 'one');
  t.is(warm(b), undefined);
});

test('a change of another record leaves an entry warm', async (t) => {
  const b = bench();
  await load(b);
  b.store.plant(other, 'x');
  t.is(warm(b), 'one');
});

test('without the channel every call asks the store, and opens only what is new', async (t) => {
  const b = bench();
  await load(b);
  b.store.alive = false;
  t.is(warm(b), undefined);
  t.is(await load(b), 'one');
  t.is(await load(b), 'one');
  t.deepEqual(b.opened, ['one']);
  t.is(b.store.reads.length, 3);
  b.store.plant(ref, 'two');
  t.is(await load(b), 'two', 'untold, and seen at once');
});

test('without the channel nobody joins the read of somebody else', async (t) => {
  const b = bench();
  b.store.alive = false;
  const release = b.store.holdAnswers();
  const early = load(b);
  b.store.plant(ref, 'two');
  const late = load(b);
  release();
  t.deepEqual(await Promise.all([early, late]), ['one', 'two']);
});

test('what was read without the channel is not trusted when the channel is back', async (t) => {
  const b = bench();
  b.store.alive = false;
  await load(b);
  b.store.plant(ref, 'two');
  b.store.alive = true;
  t.is(warm(b), undefined);
  t.is(await load(b), 'two');
});

test('when everything may have changed entries are compared, not opened again', async (t) => {
  const b = bench();
  await load(b);
  b.store.announce(undefined);
  t.is(warm(b), undefined);
  t.is(await load(b), 'one');
  t.is(warm(b), 'one');
  t.deepEqual(b.opened, ['one']);
});

test('an absent record is asked for each time', async (t) => {
  const b = bench();
  b.store.plant(ref, undefined);
  t.is(await load(b), undefined);
  t.is(await load(b), undefined);
  t.is(b.store.reads.length, 2);
});

test('a record that does not open is not cached, and neither is what stood there before', async (t) => {
  const b = bench({ maxStaleMs: 60_000 });
  await load(b);
  b.store.alive = false;
  b.store.plant(ref, 'broken');
  await t.throwsAsync(load(b), { message: 'broken' });
  b.store.failing = true;
  t.is(await codeOf(() => load(b)), 'store_unavailable');
});

test('the least recently used entry goes first', async (t) => {
  const b = bench({ maxEntries: 2 });
  await load(b);
  b.store.plant(other, 'second');
  await b.cache.load('default:grant:2', other);
  t.is(warm(b), 'one');
  b.store.plant({ ...ref, id: '3' }, 'third');
  await b.cache.load('default:grant:3', { ...ref, id: '3' });
  t.is(warm(b), 'one');
  t.is(b.cache.warm('default:grant:2'), undefined);
});

test('a store that is down denies, also what is cached', async (t) => {
  const b = bench();
  await load(b);
  b.store.failing = true;
  t.is(warm(b), undefined);
  t.is(await codeOf(() => load(b)), 'store_unavailable');
  b.store.failing = false;
  t.is(await load(b), 'one', 'and recovers');
});

test('an entry may be stale for as long as the operator allowed, since it was last known to be fresh', async (t) => {
  const b = bench({ maxStaleMs: 500 });
  await load(b);
  b.now += 10_000;
  t.is(warm(b), 'one', 'fresh as of now');
  b.store.failing = true;
  b.store.announce(undefined);
  b.now += 500;
  t.is(await load(b), 'one');
  b.now += 1;
  t.is(await codeOf(() => load(b)), 'store_unavailable');
});

test('an entry that is known to have changed is never stale-served', async (t) => {
  const b = bench({ maxStaleMs: 60_000 });
  await load(b);
  b.store.plant(ref, 'two');
  b.store.failing = true;
  t.is(await codeOf(() => load(b)), 'store_unavailable');
});

test('a record that the store has lost is not stale-served later', async (t) => {
  const b = bench({ maxStaleMs: 60_000 });
  await load(b);
  b.store.alive = false;
  b.store.plant(ref, undefined);
  t.is(await load(b), undefined);
  b.store.failing = true;
  t.is(await codeOf(() => load(b)), 'store_unavailable');
});

test('what fails otherwise than the store is passed on as it is', async (t) => {
  const b = bench({ maxStaleMs: 60_000 });
  await load(b);
  b.store.alive = false;
  b.store.get = () => {
    throw new RangeError('a defect');
  };
  await t.throwsAsync(load(b), { instanceOf: RangeError });
});

test('a closed guard serves nothing from the cache', async (t) => {
  const b = bench();
  await load(b);
  b.guard.close();
  t.is(warm(b), undefined);
  b.cache.clear();
  t.is(await load(b), 'one');
  t.deepEqual(b.opened, ['one', 'one']);
});
