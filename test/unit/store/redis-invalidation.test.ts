import { randomBytes } from 'node:crypto';
import test from 'ava';
import type { Redis } from 'ioredis';
import { openInvalidationChannel } from '../../../src/store/redis/invalidation-channel.ts';
import { RedisKeys } from '../../../src/store/redis/keys.ts';
import { redisTarget } from '../../../src/store/redis/target.ts';
import { eventually } from '../../support/eventually.ts';
import { liveHeapBytes } from '../../support/heap.ts';
import { clients, configuration, grant, openFor, ownRedis, rawClient } from './redis-fixture.ts';

test.serial('any writer invalidates: SET, DEL and expiry by another client, FLUSHALL for everything', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  const told: (string | undefined)[] = [];
  const freshness = store.watch(['default'], (changed) => told.push(changed));
  await eventually(() => freshness.alive() || undefined, 'the channel');
  t.deepEqual(told, [undefined]);
  const next = async (act: () => Promise<unknown>, ...expected: (string | undefined)[]): Promise<void> => {
    told.length = 0;
    await act();
    await eventually(() => told.length >= expected.length || undefined, 'the invalidation');
    t.deepEqual(told, expected);
  };
  await next(() => raw.set('alter:default:grant:a', 'x'), 'default:grant:a');
  await next(() => raw.del('alter:default:grant:a'), 'default:grant:a');
  await next(() => raw.set('alter:key:k', 'x'), 'key:k');
  // Told once for the write and once for the end. A life that ends within the cycle of the write would be told only once.
  await next(() => raw.set('alter:default:provider:p', 'x', 'PX', 50), 'default:provider:p', 'default:provider:p');
  await next(() => raw.flushall(), undefined);
  t.true(freshness.alive());
});

test.serial('tracking is made anew when either of its connections is killed, and everything counts as changed', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  const told: (string | undefined)[] = [];
  const aliveWhenTold: boolean[] = [];
  const freshness = store.watch(['default'], (changed) => {
    told.push(changed);
    if (changed === undefined) aliveWhenTold.push(freshness.alive());
  });
  await eventually(() => freshness.alive() || undefined, 'the channel');
  for (const which of ['owner', 'subscriber'] as const) {
    told.length = 0;
    t.is(await raw.call('CLIENT', 'KILL', 'ID', await channelClient(raw, which)), 1);
    await eventually(() => !freshness.alive() || undefined, 'the channel to be lost', 1000);
    await raw.set('alter:default:grant:a', randomBytes(8).toString('hex')); // Nobody tells this one.
    await eventually(() => freshness.alive() || undefined, 'the channel');
    t.is(told.filter((changed) => changed === undefined).length, 1, which);
    await raw.set('alter:default:grant:b', 'x');
    await eventually(() => told.includes('default:grant:b') || undefined, 'the invalidation');
  }
  t.deepEqual(aliveWhenTold.slice(1), [false, false]);
});

test.serial('a reply is never kept that is older than the last invalidation', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  let cached: string | undefined;
  let changes = 0;
  const freshness = store.watch(['default'], () => {
    changes += 1;
    cached = undefined;
  });
  await eventually(() => freshness.alive() || undefined, 'the channel');
  for (let n = 0; n < 300; n++) {
    const before = changes;
    const reading = store.get(grant('a'));
    const writing = raw.set('alter:default:grant:a', String(n));
    const value = await reading;
    if (changes === before) cached = value;
    await writing;
    await store.ping();
    if (n % 10 === 0) {
      await eventually(() => cached === undefined || cached === String(n) || undefined, `write ${n} to be told`, 1000);
      t.true(cached === undefined || cached === String(n));
    }
  }
});

test.serial('a channel that is proven again and again leaves nothing behind of each proof', async (t) => {
  const { url } = await ownRedis(t);
  const raw = await rawClient(t, url);
  const channel = openInvalidationChannel({
    target: redisTarget(configuration(url, {}), undefined),
    keys: new RedisKeys('alter'),
    apps: ['default'],
    listener: () => undefined,
    proveEveryMs: 0,
  });
  t.teardown(() => channel.close());
  // One of the two connections is proven by PING.
  const proofs = async (): Promise<number> => Number(/cmdstat_ping:calls=(\d+)/.exec(await raw.info('commandstats'))?.[1] ?? 0);
  const provenUpTo = async (wanted: number): Promise<number> => {
    await eventually(async () => (await proofs()) >= wanted || undefined, `${wanted} proofs`, 60_000);
    return wanted;
  };
  const from = await provenUpTo(500);
  const before = liveHeapBytes();
  const to = await provenUpTo(from + 3000);
  const perProof = (liveHeapBytes() - before) / (to - from);
  t.log(`${Math.round(perProof)} bytes`);
  t.true(perProof < 200);
  t.true(channel.alive());
});

/** The id of one connection of the channel. */
async function channelClient(raw: Redis, which: 'owner' | 'subscriber'): Promise<string> {
  const pattern = which === 'owner' ? /cmd=(role|client).* redir=[1-9]/ : / sub=1 /;
  return eventually(async () => /id=(\d+)/.exec((await clients(raw)).find((line) => pattern.test(line)) ?? '')?.[1], `the ${which}`);
}
