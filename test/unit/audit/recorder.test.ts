/**
 * Contract: events leave off the request path, in batches, in order and each once; a batch that fails is sent again; a lone event does not
 * wait for company for long; closing writes what waits at once; the bounds hold.
 */
import test from 'ava';
import fc from 'fast-check';
import type { AuditDraft, AuditEvent } from '../../../src/audit/event.ts';
import { Recorder, type RecorderOptions } from '../../../src/audit/recorder.ts';
import { AlterError } from '../../../src/errors.ts';
import { auditDraft as draft } from '../../support/audit-draft.ts';
import { eventually } from '../../support/eventually.ts';

const LONG_MS = 60_000;

/** A sink that keeps what it is given, and can refuse or hold. */
class FakeSink {
  readonly batches: string[][] = [];
  refusing = false;
  attempts = 0;
  held: Promise<void> | undefined;
  /** Takes what comes, and says that it did not. */
  lying = false;
  readonly numbers: { readonly writer: string; readonly first: number }[] = [];

  async appendEvents(
    _app: string,
    events: readonly string[],
    numbered: { readonly writer: string; readonly first: number },
  ): Promise<void> {
    this.attempts += 1;
    this.numbers.push(numbered);
    if (this.refusing) throw new Error('refused');
    const batch = [...events];
    await this.held;
    this.batches.push(batch);
    if (this.lying) throw new Error('no answer');
  }

  get sizes(): number[] {
    return this.batches.map((batch) => batch.length);
  }

  get paths(): string[] {
    return this.batches.flat().map((json) => (JSON.parse(json) as { path: string }).path);
  }
}

interface Logged {
  readonly level: 'error' | 'warn';
  readonly fields: { readonly event?: { readonly path: string; readonly seq: number } };
}

function setUp(options: Partial<RecorderOptions> = {}): { sink: FakeSink; recorder: Recorder; logged: Logged[] } {
  const sink = new FakeSink();
  const logged: Logged[] = [];
  const log = {
    error: (fields: object) => logged.push({ level: 'error', fields }),
    warn: (fields: object) => logged.push({ level: 'warn', fields }),
  };
  return { sink, recorder: new Recorder({ sink, app: 'default', proxy: 'p-1', maxQueue: 10_000, log, ...options }), logged };
}

function recordMany(recorder: Recorder, from: number, count: number): string[] {
  const paths = Array.from({ length: count }, (_, at) => String(from + at));
  for (const path of paths) recorder.record(draft(path), false);
  return paths;
}

const turns = async (count: number): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('the text is that of the event, with version, proxy and number, whatever the fields hold', async (t) => {
  const proxy = 'a "quoted" näme';
  const { sink, recorder } = setUp({ proxy });
  const drafts: AuditDraft[] = [];
  const text = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
  fc.assert(
    fc.property(text, fc.option(text), fc.array(text), (path, reason, queryNames) => {
      drafts.push(draft(path, { reason, queryNames, caller: path, context: { [path]: path } }));
    }),
  );
  for (const each of drafts) recorder.record(each, false);
  await recorder.close(5000);
  const events = sink.batches.flat();
  t.is(events.length, drafts.length);
  const process = sink.numbers[0]?.writer.slice(0, 8);
  for (const [at, each] of drafts.entries()) t.is(events[at], JSON.stringify({ v: 1, ...each, proxy, process, seq: at + 1 }));
});

test('nothing is sent in the turn of the request', async (t) => {
  const { sink, recorder } = setUp({ maxQueue: 1 });
  recorder.record(draft('/a'), false);
  await Promise.resolve();
  t.is(sink.attempts, 0);
  await eventually(() => sink.attempts === 1 || undefined, 'the event');
});

test('a lone event leaves by itself', async (t) => {
  const { sink, recorder } = setUp();
  recorder.record(draft('/a'), false);
  await eventually(() => sink.batches.length === 1 || undefined, 'the event');
  recorder.record(draft('/b'), false);
  await eventually(() => sink.batches.length === 2 || undefined, 'the event after a rest');
  t.deepEqual(sink.paths, ['/a', '/b']);
});

test('events of several turns leave together once there are enough', async (t) => {
  const { sink, recorder } = setUp({ gatherMs: LONG_MS });
  const paths: string[] = [];
  for (let turn = 0; turn < 499; turn++) {
    paths.push(...recordMany(recorder, turn, 1));
    await turns(1);
  }
  t.is(sink.attempts, 0);
  t.is(recorder.waiting, 499);
  paths.push(...recordMany(recorder, 499, 1));
  await eventually(() => recorder.waiting === 0 || undefined, 'the batch');
  t.deepEqual(sink.sizes, [500]);
  t.deepEqual(sink.paths, paths);
});

test('many events leave in several batches, and those that come meanwhile after them', async (t) => {
  const { sink, recorder } = setUp();
  const paths = recordMany(recorder, 0, 1200);
  await eventually(() => sink.batches.length > 0 || undefined, 'the first batch');
  paths.push(...recordMany(recorder, 1200, 3));
  await eventually(() => recorder.waiting === 0 || undefined, 'all events');
  t.deepEqual(sink.sizes.slice(0, 2), [500, 500]);
  t.deepEqual(sink.paths, paths);
});

test('events do not wait for company when requests would be denied for it', async (t) => {
  const { sink, recorder } = setUp({ gatherMs: LONG_MS, maxQueue: 8 });
  recorder.admit();
  recorder.record(draft('/a'), true);
  recorder.admit();
  recorder.admit();
  await turns(3);
  t.is(sink.attempts, 0);
  recorder.admit();
  await eventually(() => recorder.waiting === 0 || undefined, 'the event');
  t.deepEqual(sink.paths, ['/a']);
});

test('closing sends what gathers at once, and what is recorded meanwhile', async (t) => {
  const { sink, recorder } = setUp({ gatherMs: LONG_MS });
  const paths = recordMany(recorder, 0, 3);
  let release = (): void => undefined;
  sink.held = new Promise((resolve) => {
    release = resolve;
  });
  const closed = recorder.close(LONG_MS);
  await eventually(() => sink.attempts === 1 || undefined, 'the first batch to be under way');
  paths.push(...recordMany(recorder, 3, 2));
  release();
  await closed;
  t.deepEqual(sink.sizes, [3, 2]);
  t.deepEqual(sink.paths, paths);
  t.is(recorder.lost, 0);
});

test('a batch that fails is sent again as it was, told once, and nothing is lost, doubled or out of order', async (t) => {
  const { sink, recorder, logged } = setUp();
  sink.refusing = true;
  const paths = recordMany(recorder, 0, 700);
  await eventually(() => sink.attempts >= 2 || undefined, 'a second attempt');
  paths.push(...recordMany(recorder, 700, 700));
  t.is(recorder.waiting, 1400);
  sink.refusing = false;
  await eventually(() => recorder.waiting === 0 || undefined, 'all events');
  t.deepEqual(sink.paths, paths);
  t.deepEqual(
    logged.map(({ level }) => level),
    ['warn'],
  );
});

test('a change of the proxy waits with the other events, in order, until the sink takes it', async (t) => {
  const { sink, recorder } = setUp();
  sink.refusing = true;
  recorder.record(draft('/before'), false);
  await recorder.appendEvents('default', ['{"path":"change"}']);
  recorder.record(draft('/after'), false);
  await eventually(() => sink.attempts >= 2 || undefined, 'a second attempt');
  sink.refusing = false;
  await eventually(() => recorder.waiting === 0 || undefined, 'all events');
  t.deepEqual(sink.paths, ['/before', 'change', '/after']);
});

test('there is no room for a change when there is none for a use; one that was made all the same is kept', async (t) => {
  const { sink, recorder, logged } = setUp({ maxQueue: 1 });
  sink.refusing = true;
  t.notThrows(() => {
    recorder.requireRoom();
  });
  await recorder.appendEvents('default', ['{"path":"first"}']);
  t.throws(
    () => {
      recorder.requireRoom();
    },
    { code: 'audit_unavailable' },
  );
  await recorder.appendEvents('default', ['{"path":"second"}', '{"path":"third"}']);
  t.is(recorder.waiting, 2);
  t.is(recorder.lost, 1);
  t.deepEqual(logged.at(-1)?.fields.event, { path: 'third' } as never);
  await recorder.close(0);
});

test('a batch is sent again under its number, the next one has a higher one, and no other recorder has the same writer', async (t) => {
  const { sink, recorder } = setUp();
  sink.lying = true;
  recordMany(recorder, 0, 700);
  await eventually(() => sink.attempts >= 2 || undefined, 'a second attempt');
  sink.lying = false;
  await eventually(() => recorder.waiting === 0 || undefined, 'all events');
  const [first, again] = sink.numbers;
  t.is(first?.first, 0);
  t.deepEqual(again, first);
  t.deepEqual(sink.numbers.at(-1), { writer: first?.writer ?? '', first: 500 });
  t.regex(first?.writer ?? '', /^[0-9a-f]{32}$/);

  const other = setUp();
  recordMany(other.recorder, 0, 1);
  await other.recorder.close(5000);
  t.not(other.sink.numbers[0]?.writer, first?.writer);
});

test('a proxy that starts again counts anew as another process, under the same name', async (t) => {
  const sources: string[] = [];
  for (let start = 0; start < 2; start++) {
    const { sink, recorder } = setUp();
    recordMany(recorder, 0, 2);
    await recorder.close(5000);
    const events = sink.batches.flat().map((json) => JSON.parse(json) as AuditEvent);
    t.deepEqual(
      events.map(({ seq }) => seq),
      [1, 2],
    );
    sources.push(...new Set(events.map(({ proxy, process }) => `${proxy} ${process}`)));
  }
  t.is(new Set(sources).size, 2);
  for (const source of sources) t.regex(source, /^p-1 [0-9a-f]{8}$/);
});

test('closing does not wait for the next attempt; what is refused until the deadline is in the log, in order', async (t) => {
  const { sink, recorder, logged } = setUp();
  sink.refusing = true;
  const paths = recordMany(recorder, 0, 600);
  await eventually(() => sink.attempts >= 1 || undefined, 'an attempt');
  await recorder.close(20);
  const kept = logged.filter(({ level }) => level === 'error');
  t.deepEqual(
    kept.map(({ fields }) => fields.event?.path),
    paths,
  );
  t.is(recorder.waiting, 0);
  recorder.record(draft('/late'), false);
  t.is(recorder.lost, 1);
  const process = sink.numbers[0]?.writer.slice(0, 8);
  t.deepEqual(logged.at(-1)?.fields.event, { v: 1, ...draft('/late'), proxy: 'p-1', process, seq: 601 } as never);
});

test('reserved places and waiting events together stay within the bound; denials have as much room again', async (t) => {
  const { sink, recorder, logged } = setUp({ maxQueue: 4 });
  sink.refusing = true;
  recorder.admit();
  recorder.admit();
  recordMany(recorder, 0, 2);
  const { code } = t.throws(
    () => {
      recorder.admit();
    },
    { instanceOf: AlterError },
  );
  t.is(code, 'audit_unavailable');
  recordMany(recorder, 2, 6);
  t.is(recorder.lost, 0);
  recordMany(recorder, 8, 1);
  t.is(recorder.lost, 1);
  t.is(logged.at(-1)?.fields.event?.seq, 9);
  recorder.record(draft('/admitted'), true);
  t.is(recorder.lost, 1);
  t.is(recorder.waiting, 9);

  sink.refusing = false;
  await eventually(() => recorder.waiting === 0 || undefined, 'all events');
  t.notThrows(() => {
    recorder.admit();
  });
});

test('a use that was admitted is told to the counter of uses, a refusal and a request without a grant are not', async (t) => {
  const noted: string[] = [];
  const recorder = new Recorder({
    sink: { appendEvents: () => Promise.resolve() },
    app: 'default',
    proxy: 'here',
    maxQueue: 10,
    uses: { note: (grantId) => noted.push(grantId) },
    log: { error: () => undefined, warn: () => undefined },
  });
  recorder.record(draft('/refused', { grantId: 'a' }), false);
  recorder.admit();
  recorder.record(draft('/used', { grantId: 'b' }), true);
  recorder.admit();
  recorder.record(draft('/plain'), true);
  t.deepEqual(noted, ['b']);
  await recorder.close(1000);
});
