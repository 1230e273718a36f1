import test, { type ExecutionContext } from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { StoreUnavailableError, type RecordKind, type RecordRef, type Store, type StoredEvent } from '../../../src/store/store.ts';
import { eventually } from '../../support/eventually.ts';
import { withinLife } from '../../support/within-life.ts';

/** Opens a store on data of the test's own; a second call within one test opens another store on the same data. */
export type StoreOpener = (options?: { readonly auditMaxStream?: number }) => Promise<Store>;

const grant = (id: string, app = 'default'): RecordRef => ({ kind: 'grant', app, id });

/** What every store keeps to, whatever is behind it. `prepare` makes the opener for one test and cleans up after it. */
export function storeContract(name: string, prepare: (t: ExecutionContext) => StoreOpener | Promise<StoreOpener>): void {
  const contract = (title: string, check: (t: ExecutionContext, open: StoreOpener) => Promise<void>): void => {
    test.serial(`${name}: ${title}`, async (t) => {
      const prepared = await prepare(t);
      const opened: Store[] = [];
      t.teardown(async () => {
        for (const store of opened) await store.close();
      });
      await check(t, async (options) => {
        const store = await prepared(options);
        opened.push(store);
        return store;
      });
    });
  };

  contract('a record is created only when absent, replaced and deleted only when it is what was expected', async (t, open) => {
    const store = await open();
    t.is(await store.get(grant('a')), undefined);
    t.false(await store.put(grant('a'), 'one', 'two'));
    t.true(await store.put(grant('a'), undefined, 'one'));
    t.false(await store.put(grant('a'), undefined, 'other'));
    t.false(await store.put(grant('a'), 'on', 'other'));
    t.false(await store.put(grant('a'), 'one ', undefined));
    t.is(await store.get(grant('a')), 'one');
    t.true(await store.put(grant('a'), 'one', 'two'));
    t.is(await store.get(grant('a')), 'two');
    t.true(await store.put(grant('a'), 'two', undefined));
    t.is(await store.get(grant('a')), undefined);
    t.true(await store.put(grant('a'), undefined, undefined));
  });

  contract('the text comes back as it went in', async (t, open) => {
    const store = await open();
    for (const [index, text] of ['x', 'é😀\u0000\r\n"', 'e'.repeat(300_000), 'ü'.repeat(40_000)].entries()) {
      t.true(await store.put(grant(`t${index}`), undefined, text));
      t.true((await store.get(grant(`t${index}`))) === text);
      t.true(await store.put(grant(`t${index}`), text, `${text}.`));
      t.true((await store.get(grant(`t${index}`))) === `${text}.`);
    }
  });

  contract('another app, another kind and a longer id are other records', async (t, open) => {
    const store = await open();
    await store.put(grant('a'), undefined, 'mine');
    for (const other of [
      grant('a', 'other'),
      grant('aa'),
      grant(''),
      { kind: 'secret', app: 'default', id: 'a' },
      { kind: 'key', id: 'a' },
    ] satisfies RecordRef[])
      t.is(await store.get(other), undefined, JSON.stringify(other));
  });

  contract('of many writers with the same expectation exactly one wins', async (t, open) => {
    const [one, two] = [await open(), await open()];
    const created = await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : two).put(grant('race'), undefined, `w${n}`)),
    );
    t.is(created.filter((won) => won).length, 1);
    const winner = `w${created.indexOf(true)}`;
    t.is(await one.get(grant('race')), winner);
    const replaced = await Promise.all(Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? one : two).put(grant('race'), winner, `v${n}`)));
    t.is(replaced.filter((won) => won).length, 1);
    t.is(await two.get(grant('race')), `v${replaced.indexOf(true)}`);
  });

  contract('no increment by compare-and-set is lost', async (t, open) => {
    const stores = [await open(), await open()];
    await stores[0]?.put(grant('n'), undefined, '0');
    const increment = async (store: Store): Promise<void> => {
      for (let done = 0; done < 10;) {
        const now = await store.get(grant('n'));
        if (await store.put(grant('n'), now, String(Number(now) + 1))) done += 1;
      }
    };
    await Promise.all([...stores, ...stores].map(increment));
    t.is(await stores[0]?.get(grant('n')), '40');
  });

  contract('what one store has written, another sees with its very next read', async (t, open) => {
    const [one, two] = [await open(), await open()];
    for (let n = 0; n < 20; n++) {
      await one.put(grant('a'), n === 0 ? undefined : String(n - 1), String(n));
      t.is(await two.get(grant('a')), String(n));
    }
  });

  contract('a listing gives each id of one kind and app once, page by page', async (t, open) => {
    const store = await open();
    const ids = ['a', 'aa', 'b', 'c-1', 'd', 'e', 'f'];
    for (const id of [...ids].reverse()) await store.put(grant(id), undefined, id);
    await store.put(grant('x', 'other'), undefined, 'x');
    await store.put(grant('y', 'default2'), undefined, 'y');
    await store.put({ kind: 'secret', app: 'default', id: 's' }, undefined, 's');
    await store.put({ kind: 'key', id: 'k' }, undefined, 'k');

    t.deepEqual(await pagesOf(store, 'default', 'grant', 3), [['a', 'aa', 'b'], ['c-1', 'd', 'e'], ['f']]);
    t.deepEqual(await pagesOf(store, 'default', 'grant', 7), [ids]);
    t.deepEqual(await pagesOf(store, 'default', 'secret', 7), [['s']]);
    t.deepEqual(await pagesOf(store, '', 'key', 7), [['k']]);
    t.deepEqual(await store.list('default', 'provider'), { ids: [], cursor: undefined });
    t.deepEqual((await store.list('default', 'grant')).ids, ids);
  });

  contract('a listing follows deletion and goes on after a cursor whose record is gone', async (t, open) => {
    const store = await open();
    for (const id of ['a', 'b', 'c']) await store.put(grant(id), undefined, id);
    const { cursor } = await store.list('default', 'grant', { limit: 1 });
    await store.put(grant('a'), 'a', undefined);
    t.deepEqual(await store.list('default', 'grant', { ...(cursor !== undefined && { cursor }), limit: 1 }), { ids: ['b'], cursor: 'b' });
    t.deepEqual((await store.list('default', 'grant')).ids, ['b', 'c']);
    await store.put(grant('a'), undefined, 'again');
    t.deepEqual((await store.list('default', 'grant')).ids, ['a', 'b', 'c']);
  });

  contract('a listing shows records that were deleted and created by several at once', async (t, open) => {
    const [one, two] = [await open(), await open()];
    await one.put(grant('a'), undefined, 'x');
    for (let round = 0; round < 20; round++) {
      const create = async (): Promise<void> => {
        while (!(await two.put(grant('a'), undefined, 'x')));
      };
      await Promise.all([one.put(grant('a'), 'x', undefined), create()]);
      t.deepEqual((await one.list('default', 'grant')).ids, ['a']);
    }
  });

  contract('a watcher is told of every change by another store, and of its own', async (t, open) => {
    const [one, two] = [await open(), await open()];
    const told: (string | undefined)[] = [];
    const freshness = one.watch(['default', 'second'], (changed) => told.push(changed));
    t.teardown(() => freshness.close());
    await eventually(() => freshness.alive() || undefined, 'the channel');
    told.length = 0;

    await two.put(grant('a'), undefined, '1');
    await two.put(grant('a'), '1', '2');
    await two.put(grant('b', 'second'), undefined, '1');
    await two.put({ kind: 'key', id: 'k' }, undefined, '1');
    await one.put({ kind: 'secret', app: 'default', id: 's' }, undefined, '1');
    await one.put(grant('a'), '2', undefined);
    const expected = ['default:grant:a', 'second:grant:b', 'key:k', 'default:secret:s'];
    await eventually(() => (freshness.alive() && expected.every((ref) => told.includes(ref))) || undefined, 'the changes');
    t.deepEqual([...new Set(told)].sort(), [...expected].sort());
  });

  contract('a watcher is not told of other apps, of refused writes and of audit events', async (t, open) => {
    const [one, two] = [await open(), await open()];
    await two.put(grant('a'), undefined, '1');
    const told: (string | undefined)[] = [];
    const freshness = one.watch(['default'], (changed) => told.push(changed));
    t.teardown(() => freshness.close());
    await eventually(() => freshness.alive() || undefined, 'the channel');
    told.length = 0;

    await two.put(grant('x', 'other'), undefined, '1');
    await two.put(grant('x', 'default2'), undefined, '1');
    await two.put(grant('a'), 'wrong', '2');
    await two.appendEvents('default', ['{}']);
    await two.put(grant('last'), undefined, '1');
    await eventually(() => (freshness.alive() && told.includes('default:grant:last')) || undefined, 'the last change');
    t.deepEqual(told, ['default:grant:last']);
  });

  contract('a closed watcher is not alive and is told nothing', async (t, open) => {
    const [one, two] = [await open(), await open()];
    const told: (string | undefined)[] = [];
    const witness: (string | undefined)[] = [];
    const closed = one.watch(['default'], (changed) => told.push(changed));
    const other = one.watch(['default'], (changed) => witness.push(changed));
    t.teardown(() => other.close());
    await eventually(() => (closed.alive() && other.alive()) || undefined, 'the channels');
    closed.close();
    told.length = 0;
    await two.put(grant('a'), undefined, '1');
    await eventually(() => (other.alive() && witness.includes('default:grant:a')) || undefined, 'the change');
    t.false(closed.alive());
    t.deepEqual(told, []);
  });

  contract('events come back in order, after a position, as many as asked for', async (t, open) => {
    const store = await open();
    t.deepEqual(await store.readEvents('default', { limit: 10 }), []);
    await store.appendEvents('default', ['1', '2']);
    await store.appendEvents('default', []);
    await store.appendEvents('default', ['3', '{"é":"😀"}', '5']);
    await store.appendEvents('other', ['o']);

    const all = await store.readEvents('default', { limit: 10 });
    t.deepEqual(jsonOf(all), ['1', '2', '3', '{"é":"😀"}', '5']);
    t.deepEqual(
      all.map((event) => event.position).sort(),
      all.map((event) => event.position),
    );
    t.deepEqual(jsonOf(await store.readEvents('default', { limit: 2 })), ['{"é":"😀"}', '5']);
    t.deepEqual(jsonOf(await store.readEvents('default', { after: all[1]?.position, limit: 2 })), ['3', '{"é":"😀"}']);
    t.deepEqual(await store.readEvents('default', { after: all[4]?.position, limit: 2 }), []);
    t.deepEqual(jsonOf(await store.readEvents('other', { limit: 2 })), ['o']);
  });

  contract('a thousand events in one call all arrive', async (t, open) => {
    const store = await open();
    const events = Array.from({ length: 1234 }, (_, n) => String(n));
    await store.appendEvents('default', events);
    t.deepEqual(jsonOf(await store.readEvents('default', { limit: 5000 })), events);
  });

  contract('a waiting reader gets the first event of another store, and nothing when its time is over', async (t, open) => {
    const [one, two] = [await open(), await open()];
    await one.appendEvents('default', ['old']);
    const [last] = await one.readEvents('default', { limit: 1 });
    const waiting = one.readEvents('default', { after: last?.position, limit: 10, waitMs: 10_000 });
    await two.appendEvents('default', ['new']);
    t.deepEqual(jsonOf(await waiting), ['new']);

    const before = performance.now();
    t.deepEqual(await one.readEvents('other', { limit: 10, waitMs: 120 }), []);
    t.true(performance.now() - before >= 110);
  });

  contract('a position that the store never gave is refused', async (t, open) => {
    const store = await open();
    for (const after of ['', 'x', '-1', '1 OR 1', '$'])
      t.is((await t.throwsAsync(store.readEvents('default', { after, limit: 1 }), { instanceOf: CommandError })).code, 'usage', after);
  });

  contract('the stream is kept at about its bound, and never loses the newest', async (t, open) => {
    const store = await open({ auditMaxStream: 200 });
    for (let n = 0; n < 1000; n += 50)
      await store.appendEvents(
        'default',
        Array.from({ length: 50 }, (_, at) => String(n + at)),
      );
    const events = jsonOf(await store.readEvents('default', { limit: 5000 }));
    t.true(events.length >= 200 && events.length < 450, String(events.length));
    t.deepEqual(
      events,
      Array.from({ length: events.length }, (_, at) => String(1000 - events.length + at)),
    );
  });

  contract('uses add up across stores, the later last use stays, and what was never used is not there', async (t, open) => {
    const [one, two] = [await open(), await open()];
    t.deepEqual(await one.readUses('default', ['a']), []);
    t.deepEqual(await one.readUses('default', []), []);
    await one.addUses('default', []);
    await one.addUses('default', [
      { id: 'a', count: 2, lastAt: 1_790_000_000_500 },
      { id: 'b', count: 1, lastAt: 1_790_000_000_001 },
    ]);
    await Promise.all([
      one.addUses('default', [{ id: 'a', count: 3, lastAt: 1_790_000_000_400 }]),
      two.addUses('default', [{ id: 'a', count: 5, lastAt: 1_790_000_000_300 }]),
    ]);
    await two.addUses('other', [{ id: 'a', count: 7, lastAt: 1 }]);
    t.deepEqual(await two.readUses('default', ['b', 'never', 'a']), [
      { id: 'b', count: 1, lastAt: 1_790_000_000_001 },
      { id: 'a', count: 10, lastAt: 1_790_000_000_500 },
    ]);
    t.deepEqual(await one.readUses('other', ['a', 'b']), [{ id: 'a', count: 7, lastAt: 1 }]);
  });

  contract('the uses of more grants than fit into one command are all counted and read', async (t, open) => {
    const store = await open();
    const uses = Array.from({ length: 1234 }, (_, n) => ({ id: `grant-${String(n)}`, count: n + 1, lastAt: n }));
    await store.addUses('default', uses);
    const ids = uses.map(({ id }) => id);
    t.deepEqual(await store.readUses('default', ids), uses);
  });

  contract('a use is no change of a record', async (t, open) => {
    const [one, two] = [await open(), await open()];
    const told: (string | undefined)[] = [];
    const freshness = one.watch(['default'], (changed) => told.push(changed));
    t.teardown(() => freshness.close());
    await eventually(() => freshness.alive() || undefined, 'the channel');
    told.length = 0;
    await two.addUses('default', [{ id: 'a', count: 1, lastAt: 1 }]);
    await two.put(grant('witness'), undefined, '1');
    await eventually(() => (freshness.alive() && told.includes('default:grant:witness')) || undefined, 'the change after it');
    t.deepEqual(told, ['default:grant:witness']);
  });

  contract(
    'of any number of requests at once, over two stores on the same data, exactly as many as the limit get a place',
    async (t, open) => {
      const [one, other] = [await open(), await open()];
      const take = { name: 'grant:a', limit: 25, windowMs: 60_000 };
      const states = await Promise.all(
        Array.from({ length: 80 }, (_, index) => (index % 2 === 0 ? one : other).takeFromCounter('default', take)),
      );
      const taken = states.flatMap((state) => (state.taken ? [state.used] : []));
      t.deepEqual(
        taken.sort((a, b) => a - b),
        Array.from({ length: 25 }, (_, index) => index + 1),
      );
      for (const state of states) t.true(state.used <= 25 && state.resetMs > 50_000 && state.resetMs <= 60_000);
    },
  );

  contract('another name and another app are other counters', async (t, open) => {
    const store = await open();
    const take = (app: string, name: string) => store.takeFromCounter(app, { name, limit: 1, windowMs: 60_000 });
    t.true((await take('default', 'a')).taken);
    t.false((await take('default', 'a')).taken);
    t.true((await take('default', 'b')).taken);
    t.true((await take('other', 'a')).taken);
  });

  contract('a window begins with its first request, ends in time, and refused requests do not lengthen it', async (t, open) => {
    const store = await open();
    const take = (windowMs: number) => store.takeFromCounter('default', { name: `for ${String(windowMs)} ms`, limit: 2, windowMs });
    const { windowMs, first, second, refused } = await withinLife(300, async (windowMs) => {
      return { windowMs, first: await take(windowMs), second: await take(windowMs), refused: await take(windowMs) };
    });
    t.deepEqual([first.taken, first.used], [true, 1]);
    t.true(second.taken);
    t.false(refused.taken);
    t.true(refused.resetMs <= windowMs);
    const next = async () => {
      const state = await take(windowMs);
      return state.taken ? state : undefined;
    };
    const again = await eventually(next, 'the next window', windowMs + 5000);
    t.is(again.used, 1);
  });

  contract('counters are neither records nor changes', async (t, open) => {
    const store = await open();
    const changes: (string | undefined)[] = [];
    const freshness = store.watch(['default'], (changed) => changes.push(changed));
    await eventually(() => (freshness.alive() ? true : undefined), 'the channel');
    changes.length = 0;
    await store.takeFromCounter('default', { name: 'grant:a', limit: 1, windowMs: 60_000 });
    await store.put(grant('after'), undefined, 'x');
    await eventually(() => (freshness.alive() && changes.includes('default:grant:after') ? true : undefined), 'the change');
    t.deepEqual([...new Set(changes)], ['default:grant:after']);
    t.deepEqual((await store.list('default', 'grant')).ids, ['after']);
    freshness.close();
  });

  contract('a closed store fails every call and releases who waits', async (t, open) => {
    const store = await open();
    await store.ping();
    const waiting = store.readEvents('default', { limit: 1, waitMs: 30_000 }).catch((error: unknown) => error);
    await store.close();
    const released = await waiting;
    t.true(released instanceof StoreUnavailableError || (Array.isArray(released) && released.length === 0));
    const calls = [
      async () => store.get(grant('a')),
      () => store.put(grant('a'), undefined, 'x'),
      () => store.list('default', 'grant'),
      () => store.appendEvents('default', ['x']),
      () => store.readEvents('default', { limit: 1 }),
      () => store.addUses('default', [{ id: 'a', count: 1, lastAt: 1 }]),
      () => store.readUses('default', ['a']),
      () => store.ping(),
      () => store.takeFromCounter('default', { name: 'a', limit: 1, windowMs: 1000 }),
    ];
    for (const call of calls) await t.throwsAsync(call, { instanceOf: StoreUnavailableError });
    await store.close();
  });
}

function jsonOf(events: readonly StoredEvent[]): string[] {
  return events.map((event) => event.json);
}

async function pagesOf(store: Store, app: string, kind: RecordKind, limit: number): Promise<(readonly string[])[]> {
  const pages: (readonly string[])[] = [];
  for (let cursor: string | undefined; ;) {
    const page = await store.list(app, kind, { ...(cursor !== undefined && { cursor }), limit });
    pages.push(page.ids);
    if (page.cursor === undefined) return pages;
    cursor = page.cursor;
  }
}
