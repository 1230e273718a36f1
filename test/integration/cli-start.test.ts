/**
 * `alter-proxy start`: leaves a run file by which other commands find it, follows what other processes change, reads its configuration
 * again on SIGHUP, and ends cleanly on SIGTERM.
 */
import { once } from 'node:events';
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { problemCode, requestThrough } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startOrigin } from '../support/origin.ts';
import { startRedis } from '../support/redis.ts';
import { FREE_PORTS, logged, newHome, PATIENCE_MS, started } from '../support/started.ts';

async function withOrigin(t: ExecutionContext) {
  const cli = await newHome(t);
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const env = { ALTER_UPSTREAM_CA_FILES: cli.write('origin.pem', origin.ca), ALTER_UPSTREAM_ALLOW_PRIVATE: 'localhost,127.0.0.1' };
  const host = `localhost:${String(origin.port)}`;
  await cli.prepare(['secret', 'add', 'origin', '--provider', 'custom-bearer', '--host', host], { stdin: 'sk-1' });
  const grant = await cli.prepare(['grant', 'issue', '--secret', 'origin', '--label', 'joined']);
  return { cli, origin, env, grant: grant.trim() };
}

test('a started proxy is healthy, has a run file for its owner, and removes it when it ends', async (t) => {
  const cli = await newHome(t);
  const { proxy, file } = await started(cli);
  const path = join(cli.home, 'run', 'proxy.json');
  t.is(proxy.child.pid, file.pid);
  t.is(statSync(path).mode & 0o777, 0o600);
  t.is((await fetch(`http://127.0.0.1:${String(file.adminPort)}/readyz`)).status, 200);
  proxy.child.kill('SIGTERM');
  const { code, stdout, stderr } = await proxy.ended;
  t.is(code, 0);
  t.is(stdout, '', 'the one line about where it listens is for terminals');
  for (const line of stderr.trim().split('\n')) t.notThrows(() => JSON.parse(line) as unknown, line);
  t.false(existsSync(path));
});

test('SIGINT ends it as well', async (t) => {
  const cli = await newHome(t);
  const { proxy } = await started(cli);
  proxy.child.kill('SIGINT');
  t.is((await proxy.ended).code, 0);
});

test('run joins the proxy that runs, with a key that is revoked at the end', async (t) => {
  const { cli, origin, env, grant } = await withOrigin(t);
  const { proxy, file } = await started(cli, env);
  const script = 'curl -sS -o /dev/null "$URL/echo" -H "X-Alter-Grant: $GRANT" && echo "$HTTPS_PROXY"';
  const run = await cli.run(['run', '--proxy-localhost', '--', 'sh', '-c', script], { env: { URL: origin.url, GRANT: grant } });
  t.is(run.code, 0, run.stderr);
  const [, key = '', port] = /^http:\/\/x:(.*)@127\.0\.0\.1:(\d+)\n$/.exec(run.stdout) ?? [];
  t.is(port, String(file.port));
  t.is(origin.requests[0]?.headers.authorization, 'Bearer sk-1');

  const keys = JSON.parse(await cli.prepare(['key', 'list', '--all', '--json'])) as readonly {
    readonly prefix: string;
    readonly status: string;
    readonly expiresAt: string | null;
  }[];
  const own = keys.find(({ prefix }) => key.startsWith(prefix));
  t.like(own, { status: 'revoked' });
  t.truthy(own?.expiresAt);
  t.is((await cli.run(['run', '--allow-local-users', '--', 'true'])).code, 3);

  const health = JSON.parse(await cli.prepare(['doctor', '--json'], { env })) as {
    readonly checks: readonly { readonly name: string; readonly detail: string }[];
  };
  t.regex(health.checks.find(({ name }) => name === 'port')?.detail ?? '', /the proxy runs on 127\.0\.0\.1:\d+ \(process \d+\)/);
  proxy.child.kill('SIGTERM');
  await proxy.ended;
});

test('a second proxy on the same port says which one is there', async (t) => {
  const cli = await newHome(t);
  const { file } = await started(cli);
  const second = await cli.run(['start', '--port', String(file.port)], { env: FREE_PORTS });
  t.is(second.code, 1);
  t.regex(second.stderr, /error: the proxy of this home runs already on http:\/\/127\.0\.0\.1:\d+ \(process \d+\)\n/);
  t.true(existsSync(join(cli.home, 'run', 'proxy.json')));
});

test('a second proxy on other ports leaves the run file to the first one', async (t) => {
  const cli = await newHome(t);
  const { file } = await started(cli);
  const second = cli.start(['start'], { env: FREE_PORTS });
  await logged(second, 'proxy started');
  t.regex(second.stderr(), new RegExp(`"pid":${String(file.pid)},.*another proxy of this home runs: commands go on using that one`));
  second.child.kill('SIGTERM');
  t.is((await second.ended).code, 0);
  t.deepEqual(JSON.parse(readFileSync(join(cli.home, 'run', 'proxy.json'), 'utf8')), file);
});

test('SIGHUP reads the configuration again; a bad one is told and changes nothing', async (t) => {
  const cli = await newHome(t);
  const { proxy, file } = await started(cli);
  const config = readFileSync(join(cli.home, 'config.yaml'), 'utf8');
  cli.write('home/config.yaml', `${config}\nnonsense: 1\n`);
  proxy.child.kill('SIGHUP');
  await logged(proxy, 'the old one stays in force');
  t.is((await fetch(`http://127.0.0.1:${String(file.adminPort)}/healthz`)).status, 200);
  cli.write('home/config.yaml', config.replace('ungranted: forward', 'ungranted: deny'));
  proxy.child.kill('SIGHUP');
  await logged(proxy, '"ungranted"');
  proxy.child.kill('SIGTERM');
  t.is((await proxy.ended).code, 0);
});

test('SIGHUP without the configuration file that was in force changes nothing, with workers neither', async (t) => {
  for (const workers of ['1', '2']) {
    const cli = await newHome(t);
    const config = join(cli.home, 'config.yaml');
    writeFileSync(config, readFileSync(config, 'utf8').replace('ungranted: forward', 'ungranted: deny'));
    const { proxy, file } = await started(cli, {}, ['--workers', workers]);
    const target = { host: '127.0.0.1', port: file.port, ca: '' };
    renameSync(config, `${config}.old`);
    proxy.child.kill('SIGHUP');
    await logged(proxy, 'config.yaml: is gone');
    t.is(problemCode(await requestThrough(target, { url: 'http://x.invalid/' })), 'policy_violation');
    proxy.child.kill('SIGTERM');
    t.is((await proxy.ended).code, 0);
  }
});

test('SIGHUP during the start reads the configuration again once the proxy is up, with workers, too', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  for (const workers of ['1', '2']) {
    const cli = await newHome(t);
    const front = net.createServer((opening) => {
      // Whoever opens the store has not started yet.
      if (!proxy.stderr().includes('proxy started')) proxy.child.kill('SIGHUP');
      const store = net.connect(redis.port, '127.0.0.1').on('error', () => undefined);
      opening.on('error', () => undefined).on('close', () => store.destroy());
      opening.pipe(store).pipe(opening);
    });
    front.listen(0, '127.0.0.1');
    await once(front, 'listening');
    const { port } = front.address() as net.AddressInfo;
    const env = { ...FREE_PORTS, ALTER_STORE_URL: `redis://127.0.0.1:${String(port)}` };
    const proxy = cli.start(['start', '--workers', workers], { env });
    await logged(proxy, 'configuration reloaded, nothing changed');
    await logged(proxy, 'proxy started');
    proxy.child.kill('SIGTERM');
    t.is((await proxy.ended).code, 0);
    front.close();
  }
});

test('a full disk under the log neither keeps a proxy from starting nor ends it, with workers neither', async (t) => {
  // Libraries write there, too.
  const env = { NODE_OPTIONS: '--import=data:text/javascript,process.on(%22SIGHUP%22,console.warn)' };
  for (const workers of ['1', '2']) {
    const cli = await newHome(t);
    const { proxy, file } = await started(cli, env, ['--workers', workers], '/dev/full');
    for (let i = 0; i < 3; i += 1) {
      const { port } = file;
      const refused = await fetch(`http://127.0.0.1:${String(port)}/v1/grants`);
      t.is(refused.status, 401);
      await refused.text();
      proxy.child.kill('SIGHUP');
    }
    t.is((await fetch(`http://127.0.0.1:${String(file.adminPort)}/readyz`)).status, 200);
    proxy.child.kill('SIGTERM');
    t.is((await proxy.ended).code, 0);
  }
});

test('audit tail --follow prints events as they come, and ends on SIGINT', async (t) => {
  const { cli, origin, env, grant } = await withOrigin(t);
  const { proxy } = await started(cli, env);
  const send = (path: string) =>
    cli.run(['run', '--proxy-localhost', '--', 'curl', '-sS', `${origin.url}${path}`, '-H', `X-Alter-Grant: ${grant}`]);
  await send('/first');
  // Around each use the key of the run is created and revoked, which is recorded, too.
  const tail = cli.start(['audit', 'tail', '--follow', '-n', '3', '--json']);
  await eventually(() => (tail.stdout().includes('/first') ? true : undefined), 'the first event', PATIENCE_MS);
  await send('/second');
  await send('/third');
  await eventually(() => (tail.stdout().includes('/third') ? true : undefined), 'the third event', PATIENCE_MS);
  tail.child.kill('SIGINT');
  const { code, stdout } = await tail.ended;
  t.is(code, 130);
  const events = stdout.trim().split('\n').map((line) => JSON.parse(line) as { readonly type: string; readonly path: string }); // prettier-ignore
  const paths = events.filter(({ type }) => type === 'request').map(({ path }) => path);
  t.deepEqual(paths, ['/first', '/second', '/third']);
  proxy.child.kill('SIGTERM');
  await proxy.ended;
});

test('audit tail --follow outlives a Redis that restarts: it says so, and tells each event once', async (t) => {
  const redis = await startRedis({ config: ['appendonly yes', 'appendfsync always'] });
  t.teardown(() => redis.stop());
  const cli = await newHome(t);
  // Patient: a machine with more to do than cores is slow, not broken.
  const env = { ALTER_STORE_URL: redis.url, ALTER_STORE_CONNECT_TIMEOUT_MS: '10000', ALTER_STORE_COMMAND_TIMEOUT_MS: '10000' };
  const create = (agent: string) => cli.prepare(['agent', 'create', agent], { env });
  await create('first');
  const tail = cli.start(['audit', 'tail', '--follow'], { env });
  const printed = (text: string) => eventually(() => tail.stdout().includes(text) || undefined, text, PATIENCE_MS);
  await printed('first');
  await redis.kill();
  await logged(tail, 'the events go on when the store is back');
  await redis.restart();
  await create('second');
  await printed('second');
  await create('third');
  await printed('third');
  tail.child.kill('SIGINT');
  const { code, stdout, stderr } = await tail.ended;
  t.is(code, 130);
  t.deepEqual(stdout.match(/\b(first|second|third)\b/g), ['first', 'second', 'third']);
  t.is(stderr.trim().split('\n').length, 2, stderr);
});
