/**
 * Contract: what an operator changes with the CLI while a proxy runs holds on its next request, and rotating the master
 * key or a credential fails no request; on the embedded store and on Redis.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { cliHome, type SpawningCliHome } from '../support/cli.ts';
import { problemCode, requestThrough } from '../support/client.ts';
import type { ProxyTarget } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOrigin } from '../support/origin.ts';
import { startRedis } from '../support/redis.ts';

interface Running {
  readonly cli: SpawningCliHome;
  readonly env: Record<string, string>;
  readonly proxy: ProxyTarget;
}

async function started(t: ExecutionContext, originCa: string, storeEnv: Record<string, string>): Promise<Running> {
  const cli = cliHome(t);
  await cli.prepare(['init']);
  const env = { ...storeEnv, ALTER_UPSTREAM_CA_FILES: cli.write('origin.pem', originCa), ALTER_UPSTREAM_ALLOW_PRIVATE: 'localhost' };
  // The key that `init` made is in the embedded store; any other store needs one of its own.
  if (storeEnv['ALTER_STORE_URL'] !== undefined) {
    await cli.prepare(['key', 'create', 'sidecar', '--force', '--out', join(cli.home, 'key')], { env });
  }
  const start = cli.start(['start'], { env: { ...env, ALTER_LISTEN_PORT: '0', ALTER_ADMIN: 'false', ALTER_LOG_LEVEL: 'warn' } });
  const port = await eventually(
    () => {
      if (start.child.exitCode !== null) throw new Error(`start ended: ${start.stderr()}`);
      return runFilePort(cli.home);
    },
    'the proxy to listen',
    30_000,
  );
  return { cli, env, proxy: { host: '127.0.0.1', port, ca: readFileSync(join(cli.home, 'ca', 'ca.pem'), 'utf8') } };
}

function runFilePort(home: string): number | undefined {
  try {
    return (JSON.parse(readFileSync(join(home, 'run', 'proxy.json'), 'utf8')) as { port: number }).port;
  } catch {
    return undefined;
  }
}

for (const kind of ['embedded', 'redis'] as const) {
  test.serial(`${kind}: keys and credentials rotate under load without a failed request, and a revocation holds at once`, async (t) => {
    t.timeout(180_000);
    const origin = await startOrigin();
    t.teardown(() => origin.close());
    const storeEnv: Record<string, string> = {};
    if (kind === 'redis') {
      const redis = await startRedis();
      t.teardown(() => redis.stop());
      storeEnv['ALTER_STORE_URL'] = redis.url;
    }
    const { cli, env, proxy } = await started(t, origin.ca, storeEnv);
    const host = `localhost:${String(origin.port)}`;
    await cli.prepare(['secret', 'add', 'origin', '--provider', 'custom-bearer', '--host', host], { stdin: 'sk-value-1', env });
    const grant = (await cli.prepare(['grant', 'issue', '--secret', 'origin', '--label', 'load'], { env })).trim();
    const get = () => requestThrough(proxy, { url: `${origin.url}/echo`, grant });
    const failures: string[] = [];
    let running = true;
    let served = 0;
    const client = async (): Promise<void> => {
      while (running) {
        const answer = await get();
        served += 1;
        if (answer.status !== 200) failures.push(answer.body);
      }
    };
    const load = [client(), client(), client()];
    for (const args of [
      ['keyring', 'add'],
      ['keyring', 'rewrap'],
      ['secret', 'rotate', 'origin'],
      ['keyring', 'add'],
      ['keyring', 'rewrap'],
    ]) {
      const { code, stderr } = await cli.run(args, { stdin: args[0] === 'secret' ? 'sk-value-2' : '', env });
      t.is(code, 0, `${args.join(' ')}: ${stderr}`);
    }
    running = false;
    await Promise.all(load);
    t.deepEqual(failures, []);
    t.true(served > 20, `${String(served)} requests`);
    t.is((await get()).status, 200);
    t.is(origin.requests.at(-1)?.headers.authorization, 'Bearer sk-value-2');
    await cli.run(['grant', 'revoke', grant], { env });
    t.is(problemCode(await get()), 'grant_revoked');
  });
}
