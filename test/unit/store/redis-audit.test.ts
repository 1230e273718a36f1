/** Contract: a batch of audit events is one command to Redis, and all arrive also where scripts are forbidden, unknown or break off. */
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import type { Redis } from 'ioredis';
import type { RedisStoreConfig } from '../../../src/config/config.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { StoreUnavailableError, type Store } from '../../../src/store/store.ts';
import { eventually } from '../../support/eventually.ts';
import { answers, grant, openFor, ownRedis, rawClient } from './redis-fixture.ts';

const STREAM = 'alter:default:audit';
const NAMED: Partial<RedisStoreConfig> = { username: 'limited', password: new Secret('pass-word') };
const WITHOUT_SCRIPTS = 'limited on >pass-word ~alter:* +ping +xadd +xrange +xrevrange';

/** What stands in the stream, read past the store. */
async function entries(raw: Redis): Promise<string[][]> {
  return (await raw.xrange(STREAM, '-', '+')).map(([, fields]) => fields);
}

/** How often clients have called each command since the server started; those that are refused count apart. */
async function calls(raw: Redis, command: string): Promise<number> {
  const line = new RegExp(`cmdstat_${command}:calls=(\\d+).*rejected_calls=(\\d+)`).exec(await raw.info('commandstats'));
  return line === null ? 0 : Number(line[1]) + Number(line[2]);
}

async function allOf(store: Store): Promise<string[]> {
  return (await store.readEvents('default', { limit: 5000 })).map(({ json }) => json);
}

const numbers = (from: number, count: number): string[] => Array.from({ length: count }, (_, at) => `{"n":${from + at}}`);

test.serial('a batch is one command, and its events are entries of their own, in order', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  await store.appendEvents('default', ['{"first":true}']);
  t.is(await calls(raw, 'eval'), 1);
  await store.appendEvents('default', numbers(0, 500));
  t.is(await calls(raw, 'eval'), 1);
  t.is(await calls(raw, 'evalsha'), 2);
  t.deepEqual(
    await entries(raw),
    ['{"first":true}', ...numbers(0, 500)].map((json) => ['e', json]),
  );
});

test.serial('a batch that is too long for one command still arrives in order, trimmed to the bound', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url, {}, { auditMaxStream: 300 });
  const raw = await rawClient(t, url);
  await store.appendEvents('default', numbers(0, 1001));
  t.is(await calls(raw, 'evalsha'), 3);
  const kept = await allOf(store);
  t.true(kept.length >= 300 && kept.length < 600, String(kept.length));
  t.deepEqual(kept, numbers(1001 - kept.length, kept.length));
});

test.serial('a server that has forgotten its scripts is given the text again', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  for (let round = 0; round < 3; round++) {
    await store.appendEvents('default', numbers(round * 2, 2));
    await raw.script('FLUSH');
  }
  t.deepEqual(await allOf(store), numbers(0, 6));
  t.is(await calls(raw, 'eval'), 3);
});

for (const [how, options, settings] of [
  ['by the ACL', { users: [WITHOUT_SCRIPTS] }, NAMED],
  ['but for those it knows', { users: [`${WITHOUT_SCRIPTS} +evalsha`] }, NAMED],
  ['on what may not be read', { users: ['limited on >pass-word %W~alter:default:audit +ping +xadd +eval +evalsha'] }, NAMED],
  ['by renaming', { config: ['rename-command EVALSHA ""', 'rename-command EVAL ""'] }, {}],
] as const) {
  test.serial(`where scripts are forbidden ${how}, all events arrive in order, trimmed, and it is told once`, async (t) => {
    const { url } = await ownRedis(t, options);
    const troubles: string[] = [];
    const store = await openFor(t, url, settings, { auditMaxStream: 200, onTrouble: (message) => troubles.push(message) });
    const raw = await rawClient(t, url);
    for (let from = 0; from < 900; from += 300) await store.appendEvents('default', numbers(from, 300));
    t.is(await calls(raw, 'xadd'), 900);
    const kept = (await entries(raw)).map(([, json]) => json);
    t.true(kept.length >= 200 && kept.length < 500, String(kept.length));
    t.deepEqual(kept, numbers(900 - kept.length, kept.length));
    t.is(troubles.length, 1);
    t.regex(troubles[0] ?? '', /^Redis at 127\.0\.0\.1:\d+ allows no EVALSHA and EVAL on the audit stream/);
  });
}

test.serial('that scripts are forbidden is remembered for the connection, and tried again on the next', async (t) => {
  const { url } = await ownRedis(t, { users: [WITHOUT_SCRIPTS] });
  const store = await openFor(t, url, NAMED);
  const raw = await rawClient(t, url);
  await store.appendEvents('default', ['1', '2']);
  await store.appendEvents('default', ['3']);
  t.is(await calls(raw, 'evalsha'), 1);
  t.is(await calls(raw, 'xadd'), 3);

  await raw.call('ACL', 'SETUSER', 'limited', '+eval', '+evalsha');
  await raw.client('KILL', 'USER', 'limited');
  await eventually(() => answers(store), 'Redis to be used again');
  await store.appendEvents('default', ['4', '5']);
  t.is(await calls(raw, 'evalsha'), 2);
  t.is(await calls(raw, 'eval'), 1);
  t.deepEqual(await allOf(store), ['1', '2', '3', '4', '5']);
});

test.serial('a batch that breaks off in the middle is rejected, and its rest is not there', async (t) => {
  const { url } = await ownRedis(t);
  const store = await openFor(t, url);
  const raw = await rawClient(t, url);
  // After this entry the stream has one position left.
  await raw.xadd(STREAM, '18446744073709551615-18446744073709551614', 'e', 'before');
  await rejects(t, store.appendEvents('default', ['1', '2', '3']), /last possible ID/);
  t.deepEqual(await allOf(store), ['before', '1']);
});

test.serial('a server without memory, or with another kind of value there, rejects, and is not asked event by event', async (t) => {
  const { url } = await ownRedis(t);
  const troubles: string[] = [];
  const store = await openFor(t, url, {}, { onTrouble: (message) => troubles.push(message) });
  const raw = await rawClient(t, url);
  await raw.config('SET', 'maxmemory', '1');
  await rejects(t, store.appendEvents('default', ['1', '2']), /OOM/);
  await raw.config('SET', 'maxmemory', '0');
  await raw.set(STREAM, 'text');
  await rejects(t, store.appendEvents('default', ['1', '2']), /WRONGTYPE/);
  await raw.del(STREAM);
  await store.appendEvents('default', ['1', '2']);
  t.deepEqual(await allOf(store), ['1', '2']);
  t.deepEqual(troubles, []);
});

test.serial('a script does not let a user do more: a stream that is not theirs, or a command that is not, rejects', async (t) => {
  const { url } = await ownRedis(t, {
    users: [
      'limited on >pass-word ~alter:other:* +ping +xadd +eval +evalsha',
      'reader on >pass-word ~alter:* +ping +xrange +eval +evalsha',
    ],
  });
  const raw = await rawClient(t, url);
  await rejects(t, (await openFor(t, url, NAMED)).appendEvents('default', ['1']), /NOPERM/);
  await rejects(
    t,
    (await openFor(t, url, { ...NAMED, username: 'reader' })).appendEvents('default', ['1']),
    /NOPERM|can't run this command/i,
  );
  t.is(await raw.exists(STREAM), 0);
});

test.serial('the rights that docs/security.md gives to a proxy are enough for its scripts, its reads and its channel', async (t) => {
  const page = readFileSync(new URL('../../../../docs/security.md', import.meta.url), 'utf8');
  const rights = /^ {4}(~alter:default:\* .+)$/m.exec(page)?.[1] ?? '';
  const { url } = await ownRedis(t, { users: [`limited on >pass-word ${rights}`] });
  const raw = await rawClient(t, url);
  const store = await openFor(t, url, NAMED, { auditMaxStream: 10, onTrouble: (message) => t.fail(message) });
  await raw.set('alter:default:grant:a', 'sealed');
  t.is(await store.get(grant('a')), 'sealed');
  t.is(await store.get({ kind: 'key', id: 'k' }), undefined);
  t.deepEqual((await store.list('default', 'idp')).ids, []);
  await store.appendEvents('default', ['1', '2']);
  t.is(await calls(raw, 'evalsha'), 1);
  t.is((await entries(raw)).length, 2);
  await store.addUses('default', [{ id: 'a', count: 2, lastAt: 5 }]);
  t.is(await raw.hget('alter:default:uses', 'a:n'), '2');
  const freshness = store.watch(['default'], () => undefined);
  await eventually(() => freshness.alive() || undefined, 'the channel');
  await rejects(t, store.appendEvents('other', ['1']), /NOPERM/);
  await t.throwsAsync(store.put(grant('b'), undefined, 'x'), { instanceOf: StoreUnavailableError, message: /NOPERM/ });
});

async function rejects(t: ExecutionContext, call: Promise<void>, message: RegExp): Promise<void> {
  await t.throwsAsync(call, { instanceOf: StoreUnavailableError, message });
}
