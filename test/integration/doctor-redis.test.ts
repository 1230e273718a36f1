/** Contract: on Redis `doctor` finds what keeps a proxy from its work, changes nothing there, and asks for no right that a proxy does not need. */
import { join } from 'node:path';
import { Redis } from 'ioredis';
import test, { type ExecutionContext } from 'ava';
import { inProcessHome } from '../support/cli.ts';
import { DEFAULT_RIGHTS, READING_RIGHTS, restrictedRedis } from '../support/documented-rights.ts';
import { startRedis } from '../support/redis.ts';

interface Examined {
  readonly code: number | null;
  /** What was found about the store. */
  readonly store: { readonly status: string; readonly detail: string; readonly fix?: string } | undefined;
  /** Everything that was not in order. */
  readonly wrong: readonly string[];
}

/** A new home on the Redis at `url`, and `doctor` in it. */
async function homeOn(t: ExecutionContext, url: string): Promise<(env?: Readonly<Record<string, string>>) => Promise<Examined>> {
  const cli = inProcessHome(t);
  const env = { ALTER_STORE_URL: url, ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' };
  t.is((await cli.run(['init'], { env })).code, 0);
  t.is((await cli.run(['key', 'create', 'sidecar', '--force', '--out', join(cli.home, 'key')], { env })).code, 0);
  return async (more = {}) => {
    const { code, stdout } = await cli.run(['doctor', '--json'], { env: { ...env, ...more } });
    const { checks } = JSON.parse(stdout) as { readonly checks: readonly ({ readonly name: string } & NonNullable<Examined['store']>)[] };
    const wrong = checks.filter(({ status }) => status !== 'ok').map(({ name }) => name);
    return { code, store: checks.find(({ name }) => name === 'store'), wrong };
  };
}

test('the documented rights are in order, and a missing one is named with what it is for', async (t) => {
  const { url, restrict } = await restrictedRedis(t);
  const doctor = await homeOn(t, url);
  await restrict(...DEFAULT_RIGHTS);
  t.like(await doctor(), { code: 0, wrong: [] });

  await restrict(...READING_RIGHTS);
  t.like(await doctor({ ALTER_AGENTS_SELF_ISSUE: 'false' }), { code: 0, wrong: [] });
  const noGrants = await doctor();
  t.like(noGrants, { code: 0, wrong: ['store'], store: { status: 'warn' } });
  t.regex(noGrants.store?.detail ?? '', /agents cannot ask for grants/);
  t.regex(noGrants.store?.fix ?? '', /\+set on alter:default:grant:.*\+zadd on alter:default:index:grant/);

  await restrict(...DEFAULT_RIGHTS.filter((right) => right !== '+xadd'));
  const noAudit = await doctor();
  t.like(noAudit, { code: 1, store: { status: 'fail' } });
  t.regex(noAudit.store?.detail ?? '', /audit events cannot be written/);
  t.regex(noAudit.store?.fix ?? '', /\+xadd on alter:default:audit/);
});

test('a replica and a full memory are found, and nothing is left behind', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const raw = new Redis(redis.url);
  t.teardown(() => {
    raw.disconnect();
  });
  const doctor = await homeOn(t, redis.url);
  const before = (await raw.keys('*')).sort();
  t.like(await doctor(), { code: 0, wrong: [] });
  t.deepEqual((await raw.keys('*')).sort(), before);

  await raw.config('SET', 'maxmemory', '1');
  const full = await doctor();
  t.like(full, { code: 1, store: { status: 'fail' } });
  t.regex(full.store?.detail ?? '', /audit events cannot be written: .*OOM/);
  t.regex(full.store?.fix ?? '', /maxmemory/);
  await raw.config('SET', 'maxmemory', '0');

  await raw.replicaof('127.0.0.1', '1'); // Nothing listens there.
  const replica = await doctor();
  t.like(replica, { code: 1, store: { status: 'fail' } });
  t.regex(replica.store?.detail ?? '', /READONLY/);
  t.regex(replica.store?.fix ?? '', /primary/);
});
