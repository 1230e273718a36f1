/**
 * Contract: what an operator meets: the audit bound, a full disk, a damaged store, a port that is taken, readiness, a
 * drain with a deadline.
 */
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { stat, truncate, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import test from 'ava';
import { Redis } from 'ioredis';
import { startProxy } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';
import { openTls, problemCode, requestThrough } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { CLI } from '../support/proxy-process.ts';
import { startRedis } from '../support/redis.ts';
import { startScene } from '../support/scene.ts';

test('a use that cannot be recorded is denied, and nothing is lost once the store takes events again', async (t) => {
  const redis = await startRedis({ config: ['appendonly yes', 'appendfsync always'] });
  t.teardown(() => redis.stop());
  const scene = await startScene({
    config: { store: { kind: 'redis', url: redis.url }, audit: { max_queue: 2 }, cache: { max_stale_ms: 60_000 } },
  });
  t.teardown(() => scene.stop());
  const grant = await scene.grant();
  const get = () => requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant });
  t.is((await get()).status, 200);
  redis.pause();
  const answers = [];
  for (let i = 0; i < 4; i += 1) answers.push(await get());
  const codes = answers.map((answer) => (answer.status === 200 ? 'ok' : problemCode(answer)));
  t.is(codes[0], 'ok', 'the first still finds room');
  t.is(codes.at(-1), 'audit_unavailable');
  const seen = scene.origin.requests.length;
  t.is((await get()).status, 503);
  t.is(scene.origin.requests.length, seen, 'nothing left the proxy');
  redis.resume();
  for (const answer of answers.filter(({ status }) => status === 200)) t.is((await scene.proxy.eventOf(answer)).outcome, 'success');
  await eventually(async () => ((await get()).status === 200 ? true : undefined), 'the proxy to serve again', 10_000);
});

test('a full disk under the embedded store denies grants, says so, and the process lives on', async (t) => {
  const scene = await startScene();
  t.teardown(() => scene.stop());
  const grant = await scene.grant();
  await scene.proxy.running.stop();
  const file = path.join(scene.proxy.home, 'store', 'data.mdb');
  // A limit on the size of files is a full disk for the one file that grows. It is all but full already.
  const { size } = await stat(file);
  const blocks = Math.ceil(size / 1024);
  const append = (): Promise<void> =>
    scene.proxy.store.appendEvents('other', ['x'.repeat(10_000)], { writer: '0123456789abcdef', first: 0 });
  while ((await stat(file)).size === size) await append();
  for (let more = 0; more < 40; more += 1) await append();
  await truncate(file, size);
  await scene.proxy.store.close();
  const child = spawn(
    'bash',
    ['-c', `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, CLI, '--home', scene.proxy.home, 'start', '--log-level', 'warn'],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ALTER_KEY: scene.proxy.key, ALTER_AUDIT_MAX_QUEUE: '5' },
    },
  );
  t.teardown(() => child.kill('SIGKILL'));
  const stderr: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
  const port = await eventually(() => listeningPort(path.join(scene.proxy.home, 'run', 'proxy.json')), 'the proxy to listen', 30_000);
  const target = { host: '127.0.0.1', port, ca: scene.proxy.ca };
  const refused = await eventually(
    async () => {
      const answer = await requestThrough(target, { url: `${scene.origin.url}/echo`, grant });
      // A slow disk, too, may let the queue of five run full; what that of a full one says comes with it.
      return answer.status === 503 && Buffer.concat(stderr).includes('audit events wait') ? answer : undefined;
    },
    'the disk to be full',
    60_000,
  );
  t.is(problemCode(refused), 'audit_unavailable');
  t.is((await requestThrough(target, { url: `${scene.origin.url}/echo` })).status, 200, 'the process lives on');
  t.notRegex(Buffer.concat(stderr).toString(), /Write error/, 'LMDB itself met the full disk');
  child.kill('SIGTERM');
  await once(child, 'exit');
  t.regex(Buffer.concat(stderr).toString(), /could not be stored before the stop/);
});

test('a damaged embedded store stops the start with store_corrupt', async (t) => {
  const scene = await startScene();
  t.teardown(() => scene.stop());
  await scene.proxy.running.stop();
  await scene.proxy.store.close();
  const file = path.join(scene.proxy.home, 'store', 'data.mdb');
  await writeFile(file, Buffer.alloc((await stat(file)).size, 0xa5));
  const start = () => startProxy(loadConfig({ home: scene.proxy.home, env: {} }), { log: createLogger('silent') });
  await t.throwsAsync(start, { code: 'store_corrupt' });
});

test('a port that is taken stops the start with port_in_use, and leaves nothing open', async (t) => {
  const scene = await startScene();
  t.teardown(() => scene.stop());
  const config = loadConfig({ home: scene.proxy.home, env: {}, flags: { port: scene.proxy.port } });
  await t.throwsAsync(startProxy(config, { log: createLogger('silent') }), {
    code: 'port_in_use',
    message: new RegExp(String(scene.proxy.port)),
  });
});

test('readiness follows the store and the drain; health does not', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const scene = await startScene({
    config: { store: { kind: 'redis', url: redis.url }, admin: { port: 0 }, shutdown: { drain_timeout_ms: 2000 } },
  });
  t.teardown(() => scene.stop());
  const admin = scene.proxy.running.adminAddress;
  const ask = async (where: string): Promise<number> => (await fetch(`http://127.0.0.1:${admin?.port ?? 0}${where}`)).status;
  t.is(await ask('/healthz'), 200);
  t.is(await ask('/readyz'), 200);
  t.is(await ask('/healthz?x=1'), 200);
  t.is(await ask('/readyz?verbose'), 200);
  t.is(await ask('/nothing?/readyz'), 404);
  redis.pause();
  t.is(await ask('/readyz'), 503);
  t.is(await ask('/healthz'), 200);
  redis.resume();
  await eventually(async () => ((await ask('/readyz')) === 200 ? true : undefined), 'readiness', 10_000);
});

test('a proxy that must deny every use, because its events find no place, is not ready', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const config = { store: { kind: 'redis', url: redis.url }, admin: { port: 0 }, audit: { max_queue: 1 } };
  const scene = await startScene({ config });
  t.teardown(() => scene.stop());
  const grant = await scene.grant();
  const raw = new Redis(redis.url, { lazyConnect: true });
  await raw.connect();
  t.teardown(() => raw.disconnect());
  await raw.set('alter:default:audit', 'no stream');
  const ready = async (): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${String(scene.proxy.running.adminAddress?.port)}/readyz`);
    return (await answer.text()).trim();
  };
  const becomes = (wanted: string): Promise<true> =>
    eventually(async () => ((await ready()) === wanted ? true : undefined), wanted, 10_000);
  t.is(await ready(), '{"status":"ready"}');
  await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant });
  await becomes('{"status":"not ready","failed":["audit"]}');
  await raw.del('alter:default:audit');
  await becomes('{"status":"ready"}');
});

test('a stop lets what is under way come to its end, refuses what is new, and ends at the deadline', async (t) => {
  const scene = await startScene({ config: { shutdown: { drain_timeout_ms: 1500 } } });
  t.teardown(() => scene.stop());
  const url = `${scene.origin.url}/slow-headers`;
  const socket = await openTls(scene.proxy, scene.authority);
  const slow = requestThrough(scene.proxy, { url });
  const stuck = http.request({ createConnection: () => socket, path: '/sse', headers: { host: scene.authority } });
  stuck.on('error', () => undefined).end();
  await scene.origin.until(() => scene.origin.requests.length === 2);
  const from = performance.now();
  const stopped = scene.proxy.running.stop();
  await eventually(
    () =>
      new Promise<true | undefined>((resolve) => {
        const probe = net.connect(scene.proxy.port, scene.proxy.host, () => {
          probe.destroy();
          resolve(undefined);
        });
        probe.once('error', () => {
          resolve(true);
        });
      }),
    'the port to be closed',
  );
  scene.origin.release();
  t.is((await slow).status, 200, 'the request under way came to its end');
  await stopped;
  const elapsed = performance.now() - from;
  t.true(elapsed >= 1000 && elapsed < 6000, `the stream that never ends was closed at the deadline, after ${Math.round(elapsed)} ms`);
  const events = await scene.proxy.events(2);
  t.deepEqual(events.map(({ path: requested, outcome }) => `${requested} ${outcome}`).sort(), [
    '/slow-headers success',
    '/sse interrupted',
  ]);
});

async function listeningPort(file: string): Promise<number | undefined> {
  const { readFile } = await import('node:fs/promises');
  const text = await readFile(file, 'utf8').catch(() => '');
  return text === '' ? undefined : (JSON.parse(text) as { port: number }).port;
}
