/**
 * Contract: when a server is no longer the primary and leaves its connections open, the store lets go of it: what is written, and what is told
 * of changes, comes from the one that stands behind the address now.
 */
import test, { type ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import type { RedisStoreConfig } from '../../../src/config/config.ts';
import { Secret } from '../../../src/secret/secret.ts';
import type { Store } from '../../../src/store/store.ts';
import { eventually } from '../../support/eventually.ts';
import type { RedisOptions } from '../../support/redis.ts';
import { startTcpForwarder } from '../../support/tcp-forwarder.ts';
import { grant, openFor, ownRedis, rawClient } from './redis-fixture.ts';

/** A failover takes this long at most. */
const RECOVERY_MS = 2000;
const NAMED: Partial<RedisStoreConfig> = { username: 'limited', password: new Secret('pass-word') };

interface Pair {
  readonly store: Store;
  /** The one that is to become the primary. */
  readonly next: Redis;
  readonly troubles: string[];
  /** Makes the other one the primary. The old one cannot reach it, so it stays behind. */
  failOver(): Promise<void>;
  /** From now on the address leads to the new primary. */
  moveAddress(): void;
}

/** Two servers behind one address. */
async function pair(t: ExecutionContext, options: RedisOptions = {}, settings: Partial<RedisStoreConfig> = {}): Promise<Pair> {
  const [one, two] = await Promise.all([ownRedis(t, options), ownRedis(t, options)]);
  const [first, next] = await Promise.all([rawClient(t, one.url), rawClient(t, two.url)]);
  const forwarder = await startTcpForwarder(one.port);
  const troubles: string[] = [];
  const onTrouble = (message: string): number => troubles.push(message);
  const store = await openFor(t, `redis://127.0.0.1:${String(forwarder.port)}`, settings, { onTrouble });
  t.teardown(() => forwarder.close());
  return {
    store,
    next,
    troubles,
    failOver: async () => {
      await first.replicaof('127.0.0.1', '1'); // Nothing listens there.
    },
    moveAddress: () => {
      forwarder.leadTo(two.port);
    },
  };
}

/** Resolves when `call` has succeeded. */
async function succeeds(call: () => Promise<unknown>, what: string): Promise<void> {
  const attempt = (): Promise<true | undefined> =>
    call().then(
      () => true,
      () => undefined,
    );
  await eventually(attempt, what, RECOVERY_MS);
}

for (const [how, users] of [
  ['by a script', []],
  ['where scripts are forbidden', ['limited on >pass-word ~alter:* +ping +xadd +xrange +xrevrange']],
] as const) {
  test.serial(`events are written to the new primary, ${how}`, async (t) => {
    const { store, next, troubles, failOver, moveAddress } = await pair(t, { users }, users.length === 0 ? {} : NAMED);
    await store.appendEvents('default', ['1']);
    const before = troubles.length;
    await failOver();
    moveAddress();
    await succeeds(() => store.appendEvents('default', ['2']), 'an event to be written');
    t.deepEqual((await next.xrange('alter:default:audit', '-', '+')).map(([, fields]) => fields), [['e', '2']]); // prettier-ignore
    t.regex(troubles[before] ?? '', /^Redis at 127\.0\.0\.1:\d+: READONLY/);
  });
}

test.serial('while the address still leads to the old one, that is told once, and it is found soon when it leads on', async (t) => {
  const { store, troubles, failOver, moveAddress } = await pair(t);
  await failOver();
  for (let attempt = 0; attempt < 20; attempt++) await t.throwsAsync(store.appendEvents('default', ['1']));
  t.is(troubles.length, 1);
  moveAddress();
  await succeeds(() => store.appendEvents('default', ['2']), 'an event to be written');
});

test.serial('a replica that gives no answers, because it may be behind, is let go when something is read', async (t) => {
  const { store, next, failOver, moveAddress } = await pair(t, { config: ['replica-serve-stale-data no'] });
  await next.set('alter:default:grant:a', 'new');
  t.is(await store.get(grant('a')), undefined);
  await failOver();
  moveAddress();
  await succeeds(async () => store.get(grant('a')), 'a record to be read');
  t.is(await store.get(grant('a')), 'new');
});

test.serial('the invalidation channel is not alive on a replica, and is told by the new primary', async (t) => {
  const { store, next, failOver, moveAddress } = await pair(t);
  const told: (string | undefined)[] = [];
  const freshness = store.watch(['default'], (changed) => told.push(changed));
  await eventually(() => freshness.alive() || undefined, 'the channel');
  told.length = 0;
  await failOver();
  await eventually(() => !freshness.alive() || undefined, 'the channel to be lost', RECOVERY_MS);
  t.deepEqual(told, []);
  moveAddress();
  await eventually(() => freshness.alive() || undefined, 'the channel on the new primary', RECOVERY_MS);
  t.deepEqual(told, [undefined]);
  await next.set('alter:default:grant:a', 'x');
  await eventually(() => told.includes('default:grant:a') || undefined, 'the change to be told', RECOVERY_MS);
});

test.serial('a user who may not ask for the role has a channel all the same, which follows when something is written', async (t) => {
  const { store, next, failOver, moveAddress } = await pair(t, { users: ['limited on >pass-word ~alter:* &* +@all -role'] }, NAMED);
  const told: (string | undefined)[] = [];
  const freshness = store.watch(['default'], (changed) => told.push(changed));
  await eventually(() => freshness.alive() || undefined, 'the channel');
  await failOver();
  moveAddress();
  await t.throwsAsync(store.appendEvents('default', ['1']), { message: /READONLY/ });
  t.false(freshness.alive());
  await eventually(() => freshness.alive() || undefined, 'the channel on the new primary', RECOVERY_MS);
  await next.set('alter:default:grant:a', 'x');
  await eventually(() => told.includes('default:grant:a') || undefined, 'the change to be told');
});
