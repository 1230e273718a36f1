import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { RedisStoreConfig } from '../../../src/config/config.ts';
import { CommandError } from '../../../src/errors.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { openStore } from '../../../src/store/open.ts';
import { StoreUnavailableError } from '../../../src/store/store.ts';
import { makeTestAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { startRedis } from '../../support/redis.ts';
import { storeContract } from './contract.ts';
import { answers, clients, configuration, fails, grant, openAt, openFor, ownRedis, rawClient } from './redis-fixture.ts';

const NAMED: Partial<RedisStoreConfig> = { username: 'limited', password: new Secret('pass-word') };
/** So that what takes two time-outs still ends within a second. */
const IMPATIENT: Partial<RedisStoreConfig> = { connectTimeoutMs: 300, commandTimeoutMs: 300 };
const ENOUGH =
  '+get +set +del +zadd +zrem +zrangebylex +incr +pttl +xadd +xrange +xrevrange +hincrby +hget +hset +hmget +ping +client|id +client|tracking +subscribe';

const shared = startRedis();
test.after.always(async () => {
  await (await shared).stop();
});

storeContract('redis', async () => {
  const { url } = await shared;
  const namespace = randomUUID();
  return ({ auditMaxStream = 0 } = {}) => openAt(url, { namespace }, { auditMaxStream });
});

storeContract('redis where scripts are forbidden', async (t) => {
  const { url } = await ownRedis(t, {
    users: [`limited on >pass-word ~alter:* &__redis__:invalidate ${ENOUGH} +watch +unwatch +multi +exec`],
  });
  return ({ auditMaxStream = 0 } = {}) => openAt(url, NAMED, { auditMaxStream });
});

test.serial('records, index and stream have the names that ACLs and other tools rely on', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  await store.put(grant('1d3c'), undefined, 'sealed');
  await store.put({ kind: 'key', id: 'abcd' }, undefined, 'key');
  await store.appendEvents('default', ['{"a":1}'], { writer: '0123456789abcdef', first: 7 });
  await store.addUses('default', [{ id: '1d3c', count: 2, lastAt: 5 }]);
  t.deepEqual((await raw.keys('*')).sort(), [
    'alter:default:audit',
    'alter:default:audit:taken:{alter:default:audit}',
    'alter:default:grant:1d3c',
    'alter:default:index:grant',
    'alter:default:uses',
    'alter:index:key',
    'alter:key:abcd',
  ]);
  t.is(await raw.get('alter:default:grant:1d3c'), 'sealed');
  t.deepEqual(await raw.zrange('alter:default:index:grant', '0', '-1', 'WITHSCORES'), ['1d3c', '0']);
  t.deepEqual((await raw.xrange('alter:default:audit', '-', '+'))[0]?.[1], ['e', '{"a":1}']);
  t.deepEqual({ ...(await raw.hgetall('alter:default:audit:taken:{alter:default:audit}')) }, { '012': '0123456789abcdef 7' });
  t.deepEqual({ ...(await raw.hgetall('alter:default:uses')) }, { '1d3c:n': '2', '1d3c:t': '5' });
});

test.serial(
  'where the memory of Redis is full no record is added, one that exists can be changed and deleted, and what to do is said',
  async (t) => {
    const { url } = await ownRedis(t);
    const store = await openFor(t, url);
    const raw = await rawClient(t, url);
    await store.put(grant('a'), undefined, 'active');
    await raw.config('SET', 'maxmemory', '1');
    const error = await t.throwsAsync(store.put(grant('b'), undefined, 'new'), { instanceOf: StoreUnavailableError });
    t.regex(error.message, /OOM/);
    t.regex(error.hint ?? '', /maxmemory/);
    t.false(await store.put(grant('a'), 'another', 'revoked'));
    t.true(await store.put(grant('a'), 'active', 'revoked'));
    t.is(await store.get(grant('a')), 'revoked');
    t.true(await store.put(grant('a'), 'revoked', undefined));
    t.is(await store.get(grant('a')), undefined);
  },
);

test.serial('a user that may write only counters counts, and writes no record', async (t) => {
  const { url } = await ownRedis(t, {
    users: ['limited on >pass-word ~alter:* +get +ping (~alter:default:rate:* +set +incr +pttl +evalsha +eval)'],
  });
  const store = await openFor(t, url, NAMED);
  const take = { name: 'a', limit: 1, windowMs: 60_000 };
  t.true((await store.takeFromCounter('default', take)).taken);
  t.false((await store.takeFromCounter('default', take)).taken);
  await t.throwsAsync(store.put(grant('a'), undefined, 'x'), { instanceOf: StoreUnavailableError, message: /NOPERM/ });
  await t.throwsAsync(store.takeFromCounter('other', take), { instanceOf: StoreUnavailableError });
});

test.serial('the id is in the index before the record is written: whoever fails in between leaves no record unlisted', async (t) => {
  const { url } = await ownRedis(t, { users: ['limited on >pass-word ~alter:* +get +zadd'] });
  const store = await openFor(t, url, NAMED);
  await t.throwsAsync(store.put(grant('a'), undefined, 'x'), { instanceOf: StoreUnavailableError, message: /NOPERM/ });
  t.deepEqual(await (await rawClient(t, url)).zrange('alter:default:index:grant', '0', '-1'), ['a']);
});

test.serial('a listing may name a record that is gone, and never misses one that exists', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  await store.put(grant('a'), undefined, 'x');
  await raw.del('alter:default:grant:a');
  t.deepEqual((await store.list('default', 'grant')).ids, ['a']);
  t.is(await store.get(grant('a')), undefined);
});

test.serial('a record that somebody else has replaced is not overwritten, by script and by watch', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  await store.put(grant('a'), undefined, 'x');
  await raw.set('alter:default:grant:a', 'theirs');
  t.false(await store.put(grant('a'), 'x', 'mine'));
  t.is(await raw.get('alter:default:grant:a'), 'theirs');
  await raw.script('FLUSH'); // NOSCRIPT is no failure.
  t.true(await store.put(grant('a'), 'theirs', 'mine'));
});

test.serial('the proxy starts while Redis is down, fails at once, and works when Redis is up', async (t) => {
  const server = await ownRedis(t);
  await server.kill();
  const troubles: string[] = [];
  const store = await openFor(t, server.url, {}, { onTrouble: (message) => troubles.push(message) });
  await fails(t, store, /ECONNREFUSED/);
  await server.restart();
  await eventually(() => answers(store), 'Redis to be used again');
  t.true(await store.put(grant('a'), undefined, 'x'));
  t.is(troubles.length, 1);
  t.regex(troubles[0] ?? '', /^Redis at 127\.0\.0\.1:\d+: .*ECONNREFUSED/);
});

test.serial('Redis killed in the middle of work means unavailable within a second, and recovery without a restart', async (t) => {
  const server = await ownRedis(t);
  const store = await openFor(t, server.url, IMPATIENT);
  const told: (string | undefined)[] = [];
  const freshness = store.watch(['default'], (changed) => told.push(changed));
  await eventually(() => freshness.alive() || undefined, 'the channel');
  for (let round = 0; round < 2; round++) {
    const flying = Array.from({ length: 50 }, (_, n) => Promise.resolve(store.get(grant(String(n)))).catch((error: unknown) => error));
    await server.kill();
    for (const result of await Promise.all(flying)) t.true(result === undefined || result instanceof StoreUnavailableError);
    await fails(t, store, /not connected/);
    await eventually(() => !freshness.alive() || undefined, 'the channel to be lost', 1000);
    told.length = 0;
    await server.restart();
    await eventually(() => answers(store), 'Redis to be used again');
    await eventually(() => freshness.alive() || undefined, 'the channel');
    t.deepEqual(told, [undefined]);
  }
});

test.serial('Redis that accepts and does not answer means unavailable within a second', async (t) => {
  const server = await ownRedis(t);
  const store = await openFor(t, server.url, IMPATIENT);
  const freshness = store.watch(['default'], () => undefined);
  await eventually(() => freshness.alive() || undefined, 'the channel');
  server.pause();
  t.teardown(() => server.resume());
  await fails(t, store, /did not answer within 300 ms/);
  await fails(t, store, /Redis at/); // On a new connection, which is accepted but silent again.
  await eventually(() => !freshness.alive() || undefined, 'the channel to be lost', 1000);
  const opened = performance.now();
  const second = await openFor(t, server.url, IMPATIENT);
  t.true(performance.now() - opened < 1000);
  await fails(t, second, /Redis at/);
  server.resume();
  await eventually(() => answers(store), 'Redis to be used again');
  await eventually(() => answers(second), 'Redis to be used again');
  await eventually(() => freshness.alive() || undefined, 'the channel');
});

test.serial('a connection that did not answer in time is given up, so that nothing piles up on it', async (t) => {
  const server = await ownRedis(t);
  const store = await openFor(t, server.url, IMPATIENT);
  const raw = await rawClient(t, server.url);
  const ids = async (): Promise<string[]> => (await clients(raw)).map((line) => line.slice(0, line.indexOf(' ')));
  const own = `id=${await raw.client('ID')}`;
  const before = await ids();
  t.is(before.length, 2);
  server.pause();
  t.teardown(() => server.resume());
  await t.throwsAsync(async () => store.get(grant('a')), { instanceOf: StoreUnavailableError });
  server.resume();
  await eventually(() => answers(store), 'Redis to be used again');
  await eventually(async () => (await ids()).every((id) => id === own || !before.includes(id)) || undefined, 'the old connection to go');
});

test.serial('a server that talks something else is unavailable, not a crash', async (t) => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const store = await openFor(t, `redis://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await fails(t, store, /Redis at/);
});

test.serial('a record of the wrong type is unavailable, not an answer', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  await (await rawClient(t, url)).lpush('alter:default:grant:list', 'x');
  await t.throwsAsync(async () => store.get(grant('list')), { instanceOf: StoreUnavailableError, message: /WRONGTYPE/ });
});

test.serial('user and password are sent; a wrong one is said to be wrong, without saying which', async (t) => {
  const { url } = await ownRedis(t, { password: 'top-secret', users: [`limited on >pass-word ~alter:* &* +@all`] });
  const good = await openFor(t, url, { password: new Secret('top-secret') });
  t.true(await good.put(grant('a'), undefined, 'x'));
  const named = await openFor(t, url, NAMED);
  t.is(await named.get(grant('a')), 'x');
  const freshness = named.watch(['default'], () => undefined);
  await eventually(() => freshness.alive() || undefined, 'the channel');

  const troubles: string[] = [];
  const wrong = await openFor(t, url, { ...NAMED, password: new Secret('guess-word') }, { onTrouble: (message) => troubles.push(message) });
  wrong.watch(['default'], () => undefined);
  const error = await fails(t, wrong, /WRONGPASS/);
  await eventually(() => troubles.length >= 2 || undefined, 'the trouble of the channel');
  for (const text of [JSON.stringify(error), error.stack ?? '', String(error.cause), ...troubles])
    t.false(text.includes('guess-word'), text);
  const none = await openFor(t, url);
  await fails(t, none, /NOAUTH/);
});

test.serial('a user who may touch one app only: that app works, others are refused, and so is the namespace beside it', async (t) => {
  const { url } = await ownRedis(t, {
    users: [`limited on >pass-word ~alter:default:* ~alter:key:* &__redis__:invalidate ${ENOUGH} +eval +evalsha`],
  });
  const store = await openFor(t, url, NAMED);
  t.true(await store.put(grant('a'), undefined, 'x'));
  t.is(await store.get({ kind: 'key', id: 'k' }), undefined);
  await store.appendEvents('default', ['{}']);
  t.is((await store.readEvents('default', { limit: 1 })).length, 1);
  const freshness = store.watch(['default'], () => undefined);
  await eventually(() => freshness.alive() || undefined, 'the channel');
  for (const app of ['other', 'default2'])
    await t.throwsAsync(async () => store.get({ kind: 'grant', app, id: 'a' }), { instanceOf: StoreUnavailableError, message: /NOPERM/ });
  await t.throwsAsync(store.appendEvents('other', ['{}']), { instanceOf: StoreUnavailableError, message: /NOPERM/ });
  const beside = await openFor(t, url, { ...NAMED, namespace: 'alter2' });
  await t.throwsAsync(async () => beside.get(grant('a')), { instanceOf: StoreUnavailableError, message: /NOPERM/ });
});

test.serial('a user who may read only: reading works, writing is refused', async (t) => {
  const { url } = await ownRedis(t, { users: ['limited on >pass-word ~alter:* +get'] });
  const store = await openFor(t, url, NAMED);
  t.is(await store.get(grant('a')), undefined);
  await t.throwsAsync(store.put(grant('a'), undefined, 'x'), { instanceOf: StoreUnavailableError, message: /NOPERM/ });
});

test.serial('a user who may not subscribe has no channel: nothing is served from the cache, and the reason is told', async (t) => {
  const { url } = await ownRedis(t, { users: ['limited on >pass-word ~alter:* resetchannels +@all'] });
  const troubles: string[] = [];
  const store = await openFor(t, url, NAMED, { onTrouble: (message) => troubles.push(message) });
  const freshness = store.watch(['default'], () => undefined);
  await eventually(() => troubles.length > 0 || undefined, 'the trouble');
  t.regex(troubles[0] ?? '', /invalidation channel: NOPERM/);
  t.false(freshness.alive());
  t.is(await store.get(grant('a')), undefined);
});

test.serial('a database that may not be selected is not silently replaced by database 0', async (t) => {
  const { url } = await ownRedis(t, { config: ['databases 2'] });
  const store = await openFor(t, `${url}/1`);
  await store.put(grant('a'), undefined, 'x');
  t.is(await (await rawClient(t, `${url}/1`)).get('alter:default:grant:a'), 'x');
  const outside = await openFor(t, `${url}/7`);
  await fails(t, outside, /DB index is out of range/);
});

test.serial('TLS: the server is verified against the configured CA, and by name', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'alter-redis-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  const authority = makeTestAuthority();
  const leaf = authority.issue(['localhost']);
  const caFile = write('ca.pem', authority.caPem);
  const otherCa = write('other.pem', makeTestAuthority().caPem);
  const server = await ownRedis(t, { tls: { certFile: write('cert.pem', leaf.cert), keyFile: write('key.pem', leaf.key), caFile } });

  const good = await openFor(t, server.url, { caFile });
  t.true(await good.put(grant('a'), undefined, 'x'));
  const freshness = good.watch(['default'], () => undefined);
  await eventually(() => freshness.alive() || undefined, 'the channel');
  await fails(t, await openFor(t, server.url), /certificate|self.signed|issuer/i);
  await fails(t, await openFor(t, server.url, { caFile: otherCa }), /certificate|self.signed|issuer/i);
  await fails(t, await openFor(t, server.url.replace('localhost', '127.0.0.1'), { caFile }), /altnames/i);
  await fails(t, await openFor(t, server.url.replace('rediss', 'redis')), /Redis at/);
});

test.serial('settings that cannot be right stop the start', async (t) => {
  const cases: readonly [Partial<RedisStoreConfig>, CommandError['code']][] = [
    [{ url: 'http://127.0.0.1:1' }, 'config_invalid'],
    [{ url: 'nonsense' }, 'config_invalid'],
    [{ url: 'redis://:hidden@127.0.0.1:1' }, 'config_invalid'],
    [{ url: 'redis://127.0.0.1:1/one' }, 'config_invalid'],
    [{ url: 'rediss://127.0.0.1:1', caFile: '/nonexistent/ca.pem' }, 'file_unreadable'],
  ];
  for (const [settings, code] of cases) {
    const error = await t.throwsAsync(openAt('redis://127.0.0.1:1', settings), { instanceOf: CommandError });
    t.is(error.code, code);
    t.false(error.message.includes('hidden'));
  }
  const password = new Secret('x');
  const config = configuration('redis://127.0.0.1:1', { password });
  t.is((await t.throwsAsync(openStore(config, { auditMaxStream: 0 }), { instanceOf: CommandError })).code, 'internal');
});

test.serial('a closed store leaves no connection behind', async (t) => {
  const { url } = await ownRedis(t);
  const raw = await rawClient(t, url);
  const store = await openAt(url);
  const freshness = store.watch(['default'], () => undefined);
  await eventually(() => freshness.alive() || undefined, 'the channel');
  t.is((await clients(raw)).length, 4);
  await store.close();
  t.false(freshness.alive());
  await eventually(async () => (await clients(raw)).length === 1 || undefined, 'the connections to go');
});
