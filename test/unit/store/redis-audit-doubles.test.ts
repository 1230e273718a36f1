/**
 * Contract: numbered events that are sent again, because Redis took them and did not say so in time, stand in the stream once, in whatever order
 * the attempts arrive; what that needs lies in the Cluster slot of the stream, and no writer's numbers say anything of another's.
 */
import test, { type ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import { Recorder } from '../../../src/audit/recorder.ts';
import { RedisKeys } from '../../../src/store/redis/keys.ts';
import { Secret } from '../../../src/secret/secret.ts';
import type { NumberedEvents, Store } from '../../../src/store/store.ts';
import { auditDraft } from '../../support/audit-draft.ts';
import { eventually } from '../../support/eventually.ts';
import { openFor, ownRedis, rawClient } from './redis-fixture.ts';

const WRITER = 'abc0123456789abcdef0123456789abc';
/** Another, whose last batch is kept in the same field. */
const NEIGHBOUR = 'abcfffffffffffffffffffffffffffff';

async function scene(t: ExecutionContext): Promise<{ readonly store: Store; readonly raw: Redis }> {
  const { url } = await ownRedis(t);
  return { store: await openFor(t, url), raw: await rawClient(t, url) };
}

async function eventsIn(store: Store): Promise<string[]> {
  return (await store.readEvents('default', { limit: 5000 })).map(({ json }) => json);
}

const from = (first: number, writer = WRITER): NumberedEvents => ({ writer, first });

test.serial('events that were taken by a Redis that answered too late stand there once', async (t) => {
  const server = await ownRedis(t);
  const store = await openFor(t, server.url, { commandTimeoutMs: 300 });
  let failures = 0;
  const log = { error: () => t.fail(), warn: () => (failures += 1) };
  const recorder = new Recorder({ sink: store, app: 'default', proxy: 'p', maxQueue: 1000, log });
  const record = (count: number): void => {
    for (let n = 0; n < count; n++) recorder.record(auditDraft('/'), false);
  };
  record(1);
  await eventually(() => recorder.waiting === 0 || undefined, 'the first event');
  server.pause();
  t.teardown(() => server.resume());
  record(10);
  await eventually(() => failures > 0 || undefined, 'the batch to be given up');
  server.resume();
  await eventually(() => recorder.waiting === 0 || undefined, 'the events of the stall', 20_000);
  record(1);
  await recorder.close(5000);
  const seqs = (await eventsIn(store)).map((json) => (JSON.parse(json) as { seq: number }).seq);
  t.deepEqual(
    seqs,
    Array.from({ length: 12 }, (_, at) => at + 1),
  );
});

test.serial('a batch is taken once, and an attempt that comes late is acknowledged', async (t) => {
  const { store } = await scene(t);
  await store.appendEvents('default', ['1', '2'], from(0));
  await store.appendEvents('default', ['1', '2'], from(0));
  await store.appendEvents('default', ['3'], from(2));
  await store.appendEvents('default', ['1', '2'], from(0));
  await store.appendEvents('default', ['4', '5'], from(3));
  t.deepEqual(await eventsIn(store), ['1', '2', '3', '4', '5']);
});

test.serial('a batch of several commands goes on where it was broken off', async (t) => {
  const { store, raw } = await scene(t);
  const events = Array.from({ length: 1001 }, (_, n) => String(n));
  await store.appendEvents('default', events.slice(0, 500), from(0));
  await store.appendEvents('default', events, from(0));
  await store.appendEvents('default', events, from(0));
  t.deepEqual(await eventsIn(store), events);
  t.is(await raw.hlen(new RedisKeys('alter').auditTaken('default')), 1);
});

test.serial('the numbers of one writer say nothing of another, and events without numbers are always appended', async (t) => {
  const { store } = await scene(t);
  await store.appendEvents('default', ['1'], from(5));
  await store.appendEvents('default', ['2'], from(0, NEIGHBOUR));
  await store.appendEvents('default', ['3'], from(0, NEIGHBOUR.replace('abc', 'def')));
  for (const again of ['4', '4']) await store.appendEvents('default', [again]);
  t.deepEqual(await eventsIn(store), ['1', '2', '3', '4', '4']);
});

test.serial('a user who may not keep the numbers appends all the same, and that is told once', async (t) => {
  const { url } = await ownRedis(t, { users: ['limited on >pass-word ~alter:* +ping +xadd +xrevrange +eval +evalsha'] });
  const troubles: string[] = [];
  const settings = { username: 'limited', password: new Secret('pass-word') };
  const store = await openFor(t, url, settings, { onTrouble: (message) => troubles.push(message) });
  for (let n = 0; n < 3; n++) await store.appendEvents('default', [String(n)], from(n));
  t.deepEqual(await eventsIn(store), ['0', '1', '2']);
  t.is(troubles.length, 1);
  t.regex(troubles[0] ?? '', /allows no HGET and HSET beside the audit stream/);
});

for (const namespace of ['alter', '{alter}', 'a{b}c'])
  test.serial(`what was taken lies in the slot of the stream, and below the app, in the namespace ${namespace}`, async (t) => {
    const { url } = await ownRedis(t, { config: ['cluster-enabled yes'] });
    const raw = await rawClient(t, url);
    const keys = new RedisKeys(namespace);
    const [stream, taken] = [keys.audit('default'), keys.auditTaken('default')];
    t.is(await raw.call('CLUSTER', 'KEYSLOT', taken), await raw.call('CLUSTER', 'KEYSLOT', stream));
    t.true(taken.startsWith(`${namespace}:default:`));
  });
