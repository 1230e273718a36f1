/** Stores on a real Redis, and what the tests of them have in common. */
import type { ExecutionContext } from 'ava';
import { Redis } from 'ioredis';
import type { RedisStoreConfig } from '../../../src/config/config.ts';
import { reveal } from '../../../src/secret/reveal.ts';
import { openStore, type OpenStoreOptions } from '../../../src/store/open.ts';
import { StoreUnavailableError, type RecordRef, type Store } from '../../../src/store/store.ts';
import { startRedis, type RedisOptions, type RedisServer } from '../../support/redis.ts';

export const grant = (id: string): RecordRef => ({ kind: 'grant', app: 'default', id });

/** Settings of a store, patient enough for a busy machine. */
export function configuration(url: string, settings: Partial<RedisStoreConfig>): RedisStoreConfig {
  return {
    kind: 'redis',
    url,
    username: undefined,
    password: undefined,
    caFile: undefined,
    namespace: 'alter',
    connectTimeoutMs: 2000,
    commandTimeoutMs: 2000,
    ...settings,
  };
}

/** Opens a store in the namespace `alter`; the caller closes it. */
export function openAt(url: string, settings: Partial<RedisStoreConfig> = {}, options: Partial<OpenStoreOptions> = {}): Promise<Store> {
  return openStore(configuration(url, settings), { auditMaxStream: 0, revealPassword: reveal, ...options });
}

/** As {@link openAt}, and closes it after the test. */
export async function openFor(t: ExecutionContext, ...args: Parameters<typeof openAt>): Promise<Store> {
  const store = await openAt(...args);
  t.teardown(() => store.close());
  return store;
}

/** A Redis for one test alone. */
export async function ownRedis(t: ExecutionContext, options: RedisOptions = {}): Promise<RedisServer> {
  const server = await startRedis(options);
  t.teardown(() => server.stop());
  return server;
}

/** A client that knows nothing of the store. */
export async function rawClient(t: ExecutionContext, url: string): Promise<Redis> {
  const client = new Redis(url, { lazyConnect: true });
  await client.connect();
  t.teardown(() => client.disconnect());
  return client;
}

/** Every call fails with StoreUnavailableError within a second; the error of `get` matches. */
export async function fails(t: ExecutionContext, store: Store, message: RegExp): Promise<StoreUnavailableError> {
  const before = performance.now();
  const failure = (call: () => Promise<unknown>): Promise<StoreUnavailableError> =>
    t.throwsAsync(call, { instanceOf: StoreUnavailableError });
  const [error] = await Promise.all([
    failure(async () => store.get(grant('a'))),
    failure(() => store.put(grant('a'), undefined, 'x')),
    failure(() => store.list('default', 'grant')),
    failure(() => store.appendEvents('default', ['{}', '{}'])),
    failure(() => store.readEvents('default', { limit: 1, waitMs: 5000 })),
    failure(() => store.ping()),
  ]);
  t.true(performance.now() - before < 1000);
  t.regex(error.message, message);
  return error;
}

/** Whether the store is reached again. */
export async function answers(store: Store): Promise<true | undefined> {
  return store.ping().then(
    () => true,
    () => undefined,
  );
}

/** The connections that the server has. */
export async function clients(raw: Redis): Promise<string[]> {
  return String(await raw.client('LIST'))
    .trim()
    .split('\n');
}
