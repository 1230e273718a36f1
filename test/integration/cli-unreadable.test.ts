/**
 * Contract: a record that cannot be read costs a listing that record and no other, and whoever reads the listing is told which: on stderr, by
 * its id and why, and by the exit code.
 */
import { Redis } from 'ioredis';
import test, { type ExecutionContext } from 'ava';
import { inProcessHome, type CliHome, type CliOptions } from '../support/cli.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';

let redis: RedisServer;
test.before(async () => {
  redis = await startRedis();
});
test.after.always(async () => {
  await redis.stop();
});

interface OnRedis {
  run(args: readonly string[], options?: CliOptions): ReturnType<CliHome['run']>;
  readonly client: Redis;
  readonly namespace: string;
}

/** A home whose store is the Redis of this file, in a namespace of its own, with the secret `one` and the agent `bot`. */
async function onRedis(t: ExecutionContext, namespace: string): Promise<OnRedis> {
  const cli = inProcessHome(t);
  const env = { ALTER_STORE_URL: redis.url, ALTER_STORE_NAMESPACE: namespace };
  const client = new Redis(redis.url);
  t.teardown(() => {
    client.disconnect();
  });
  const run: OnRedis['run'] = (args, options) => cli.run(args, { ...options, env });
  t.is((await run(['init'])).code, 0);
  t.is((await run(['secret', 'add', 'one', '--provider', 'openai'], { stdin: 'sk-1' })).code, 0);
  t.is((await run(['agent', 'create', 'bot'])).code, 0);
  return { run, client, namespace };
}

test('a listing leaves out what cannot be read, says so, and ends with 1', async (t) => {
  const { run, client, namespace } = await onRedis(t, 'left-out');
  const issue = async (label: string) => (await run(['grant', 'issue', '--secret', 'one', '--label', label])).stdout.trim();
  const [good, list, garbage] = [await issue('good'), await issue('list'), await issue('garbage')];
  const key = (id: string) => `${namespace}:default:grant:${id}`;
  await client.del(key(list));
  await client.rpush(key(list), 'x');
  await client.set(key(garbage), 'garbage');

  const listed = await run(['grant', 'list', '--json']);
  t.is(listed.code, 1);
  t.deepEqual(
    (JSON.parse(listed.stdout) as readonly { readonly id: string }[]).map(({ id }) => id),
    [good],
  );
  const { error } = JSON.parse(listed.stderr) as { readonly error: { readonly code: string; readonly records: readonly unknown[] } };
  t.is(error.code, 'record_unreadable');
  const expected = [
    { record: `default:grant:${garbage}`, reason: 'truncated' },
    { record: `default:grant:${list}`, reason: 'wrong_type' },
  ];
  const inOrder = (records: readonly unknown[]): string[] => records.map((record) => JSON.stringify(record)).sort();
  t.deepEqual(inOrder(error.records), inOrder(expected));

  const read = await run(['grant', 'list']);
  t.is(read.code, 1);
  t.true(read.stdout.includes(good));
  for (const { record, reason } of expected) t.true(read.stderr.includes(`record ${record} cannot be read: ${reason}`), read.stderr);

  // Who ends grants by a filter must hear that some were out of its reach.
  const revoked = await run(['grant', 'revoke', '--secret', 'one']);
  t.is(revoked.code, 1);
  t.regex(revoked.stdout, /1 of 1 revoked/);
  t.true(revoked.stderr.includes(`default:grant:${list}`));

  t.is((await run(['secret', 'list'])).code, 0);
  const shown = await run(['grant', 'show', list]);
  t.regex(shown.stderr, /cannot be read: wrong_type/);
  t.regex((await run(['doctor'])).stdout, /does not open: default:grant:/);
});

test('each kind of listing tells of its own records', async (t) => {
  const { run, client, namespace } = await onRedis(t, 'each-kind');
  for (const kind of ['secret', 'agent', 'idp', 'provider', 'policy', 'key']) {
    const [record, index] = kind === 'key' ? ['key:bad', 'index:key'] : [`default:${kind}:bad`, `default:index:${kind}`];
    await client.rpush(`${namespace}:${record}`, 'x');
    await client.zadd(`${namespace}:${index}`, 0, 'bad');
    const { code, stderr } = await run([kind, 'list']);
    t.is(code, 1, kind);
    t.true(stderr.includes(`record ${record} cannot be read: wrong_type`), stderr);
  }
});

test('counts of uses that cannot be read are unknown, and the grants are listed', async (t) => {
  const { run, client, namespace } = await onRedis(t, 'uses');
  const id = (await run(['grant', 'issue', '--secret', 'one', '--label', 'x'])).stdout.trim();
  await client.set(`${namespace}:default:uses`, 'x');
  const listed = await run(['grant', 'list', '--json']);
  t.is(listed.code, 1);
  t.like((JSON.parse(listed.stdout) as readonly unknown[])[0], { id, uses: null, lastUsedAt: null });
  t.true(listed.stderr.includes('default:uses'));
  t.regex((await run(['grant', 'show', id])).stdout, /Uses +unknown/);
  t.regex((await run(['secret', 'show', 'one'])).stdout, /Uses +unknown/);
});

test('an index that is none fails the listing: nothing is known of what it holds', async (t) => {
  const { run, client, namespace } = await onRedis(t, 'index');
  await client.set(`${namespace}:default:index:agent`, 'x');
  const listed = await run(['agent', 'list']);
  t.is(listed.code, 1);
  t.regex(listed.stderr, /WRONGTYPE/);
});
