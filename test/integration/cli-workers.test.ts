/**
 * `alter-proxy start --workers`: several processes on one port, which start, reload and stop as one; one that dies is replaced, and none
 * outlives the primary.
 */
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { ChangeEvent } from '../../src/audit/change.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { isAlive } from '../../src/cli/run-file.ts';
import { problemCode, requestThrough, type ClientAnswer, type ProxyTarget } from '../support/client.ts';
import type { CliProcess, SpawningCliHome } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startOrigin } from '../support/origin.ts';
import { FREE_PORTS, logged, newHome, PATIENCE_MS, started } from '../support/started.ts';

interface LogLine {
  readonly msg: string;
  readonly worker?: number;
  readonly workerPid?: number;
  readonly signal?: string;
}

function logLines(proxy: CliProcess, message: string): LogLine[] {
  const whole = proxy.stderr().split('\n').slice(0, -1);
  return whole.map((line) => JSON.parse(line) as LogLine).filter(({ msg }) => msg === message);
}

/** Process ids of the workers that ever became ready, in the order of their numbers. */
function workerPids(proxy: CliProcess): number[] {
  const ready = logLines(proxy, 'worker ready').sort((a, b) => (a.worker ?? 0) - (b.worker ?? 0));
  return ready.map(({ workerPid }) => workerPid ?? 0);
}

async function gone(pids: readonly (number | undefined)[]): Promise<void> {
  await eventually(() => (pids.some((pid) => isAlive(pid ?? 0)) ? undefined : true), 'every process to be gone', PATIENCE_MS);
}

async function drainShows(ready: () => Promise<number>): Promise<void> {
  await eventually(async () => ((await ready()) === 503 ? true : undefined), 'the drain to show', PATIENCE_MS);
}

/** An origin, and two workers that may reach it with a grant. */
async function twoWorkers(t: ExecutionContext) {
  const cli = await newHome(t);
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const env = {
    ALTER_UPSTREAM_CA_FILES: cli.write('origin.pem', origin.ca),
    ALTER_UPSTREAM_ALLOW_PRIVATE: 'localhost',
    ALTER_NAME: 'here',
  };
  const host = `localhost:${String(origin.port)}`;
  await cli.prepare(['secret', 'add', 'origin', '--provider', 'custom-bearer', '--host', host], { stdin: 'sk-1' });
  const grant = (await cli.prepare(['grant', 'issue', '--secret', 'origin', '--label', 'workers'])).trim();
  const { proxy, file } = await started(cli, env, ['--workers', '2']);
  const target: ProxyTarget = { host: '127.0.0.1', port: file.port, ca: readFileSync(join(cli.home, 'ca', 'ca.pem'), 'utf8') };
  /** Requests one after the other, each on a connection of its own. */
  const send = async (count: number, path = '/echo'): Promise<ClientAnswer[]> => {
    const answers = [];
    for (let i = 0; i < count; i += 1) answers.push(await requestThrough(target, { url: `${origin.url}${path}`, grant }));
    return answers;
  };
  const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${String(file.adminPort)}/readyz`)).status;
  return { cli, origin, proxy, file, target, send, ready };
}

/** `<name> <sequence number>` of the last `count` audit events, as soon as there are so many. */
async function numbering(cli: SpawningCliHome, count: number): Promise<string[]> {
  const events = await eventually(
    async () => {
      const text = await cli.prepare(['audit', 'tail', '-n', '100', '--json']);
      const found = text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEvent | ChangeEvent); // prettier-ignore
      const exchanges = found.flatMap((event) => (event.type === 'change' ? [] : [event]));
      return exchanges.length >= count ? exchanges.slice(-count) : undefined;
    },
    `${String(count)} audit events`,
  );
  return events.map(({ proxy, seq }) => `${proxy} ${String(seq)}`).sort();
}

test('two workers take connections in turn, and a SIGTERM ends them when their requests have ended', async (t) => {
  const { cli, origin, proxy, file, send, ready } = await twoWorkers(t);
  t.is(await ready(), 200);
  t.deepEqual((await send(4)).map(({ status }) => status), [200, 200, 200, 200]); // prettier-ignore
  t.deepEqual(await numbering(cli, 4), ['here/1 1', 'here/1 2', 'here/2 1', 'here/2 2']);
  t.is(proxy.child.pid, file.pid);
  const pids = workerPids(proxy);
  t.is(new Set([...pids, file.pid]).size, 3);

  const underWay = [send(1, '/slow-headers'), send(1, '/slow-headers')];
  await origin.until(() => origin.requests.filter(({ url }) => url === '/slow-headers').length === 2);
  proxy.child.kill('SIGTERM');
  await drainShows(ready);
  origin.release();
  for (const [answer] of await Promise.all(underWay)) t.is(answer?.status, 200);
  const { code, stdout } = await proxy.ended;
  t.is(code, 0);
  t.is(stdout, '');
  t.false(existsSync(join(cli.home, 'run', 'proxy.json')));
  await gone(pids);
  t.is(logLines(proxy, 'proxy stopped').length, 1);
});

test('a worker that is killed is replaced with what is in force, while the other one serves', async (t) => {
  const { cli, origin, proxy, send, ready } = await twoWorkers(t);
  const [first = 0, second = 0] = workerPids(proxy);
  await send(2);
  t.deepEqual(await numbering(cli, 2), ['here/1 1', 'here/2 1']);
  const config = readFileSync(join(cli.home, 'config.yaml'), 'utf8');
  cli.write('home/config.yaml', `${config}\nnonsense: 1\n`);
  process.kill(first, 'SIGKILL');
  await eventually(() => logLines(proxy, 'a worker ended, another one takes its place')[0], 'the death in the log', PATIENCE_MS);
  t.like(logLines(proxy, 'a worker ended, another one takes its place'), [{ worker: 1, workerPid: first, signal: 'SIGKILL' }]);
  t.is(await ready(), 503);
  t.deepEqual((await send(2)).map(({ status }) => status), [200, 200]); // prettier-ignore
  await eventually(async () => ((await ready()) === 200 ? true : undefined), 'the replacement', PATIENCE_MS);
  cli.write('home/config.yaml', config);
  await send(2);
  t.deepEqual(await numbering(cli, 6), ['here/1 1', 'here/2 1', 'here/2 2', 'here/2 3', 'here/2 4', 'here/3 1']);
  t.true(isAlive(second));

  // Without the primary there is nobody to obey, and nobody who would hand over a connection.
  const underWay = send(1, '/slow-headers');
  await origin.until(() => origin.requests.some(({ url }) => url === '/slow-headers'));
  process.kill(proxy.child.pid ?? 0, 'SIGKILL');
  await logged(proxy, 'the primary process is gone');
  origin.release();
  t.is((await underWay)[0]?.status, 200);
  await gone(workerPids(proxy));
  t.is(workerPids(proxy).length, 3);
  t.is(logLines(proxy, 'the primary process is gone, this worker drains and ends').length, 2);
});

test('SIGHUP reaches every worker or none; Ctrl-C reaches all processes and still drains', async (t) => {
  const { cli, origin, proxy, file, target, send } = await twoWorkers(t);
  const ungranted = async (): Promise<string[]> => {
    const ask = () => requestThrough(target, { url: `${origin.url}/echo` });
    return [await ask(), await ask()].map((answer) => (answer.status === 200 ? 'forwarded' : problemCode(answer)));
  };
  const config = readFileSync(join(cli.home, 'config.yaml'), 'utf8');
  cli.write('home/config.yaml', config.replace('ungranted: forward', 'ungranted: deny\nnonsense: 1'));
  proxy.child.kill('SIGHUP');
  await logged(proxy, 'nonsense: is not a known setting');
  mkdirSync(join(cli.home, 'providers'));
  cli.write('home/providers/broken.yaml', '{]');
  cli.write('home/config.yaml', config.replace('ungranted: forward', 'ungranted: deny\nprovider_dirs: [providers]'));
  proxy.child.kill('SIGHUP');
  await logged(proxy, 'broken.yaml');
  t.is(logLines(proxy, 'configuration not reloaded, the old one stays in force').length, 2, 'told once each, by the primary');
  t.deepEqual(await ungranted(), ['forwarded', 'forwarded']);
  cli.write('home/config.yaml', config.replace('ungranted: forward', 'ungranted: deny'));
  proxy.child.kill('SIGHUP');
  await eventually(() => (logLines(proxy, 'configuration reloaded').length === 3 ? true : undefined), 'the reload', PATIENCE_MS);
  t.deepEqual(await ungranted(), ['policy_violation', 'policy_violation']);
  t.deepEqual(await numbering(cli, 4), ['here/1 1', 'here/1 2', 'here/2 1', 'here/2 2']);

  const underWay = send(1, '/slow-headers');
  await origin.until(() => origin.requests.some(({ url }) => url === '/slow-headers'));
  process.kill(-file.pid, 'SIGINT');
  await logged(proxy, 'proxy stopping');
  origin.release();
  t.is((await underWay)[0]?.status, 200);
  t.is((await proxy.ended).code, 0);
  await gone(workerPids(proxy));
});

test('a second signal ends all processes at once', async (t) => {
  const { origin, proxy, send, ready } = await twoWorkers(t);
  const cut = t.throwsAsync(send(1, '/slow-headers'));
  await origin.until(() => origin.requests.length === 1);
  proxy.child.kill('SIGTERM');
  await drainShows(ready);
  proxy.child.kill('SIGTERM');
  await proxy.ended;
  t.is(proxy.child.signalCode, 'SIGTERM');
  await gone(workerPids(proxy));
  await cut;
});

test('a port that is taken is told once, for the proxy as for the health endpoints', async (t) => {
  const cli = await newHome(t);
  const taken = [net.createServer(), http.createServer()];
  const ports = [];
  for (const server of taken) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.teardown(() => server.close());
    ports.push(String((server.address() as net.AddressInfo).port));
  }
  const [port = '', adminPort = ''] = ports;
  const start = (...args: string[]) => cli.run(['start', '--workers', '3', '--json', ...args], { env: FREE_PORTS });
  for (const { code, stderr } of [await start('--port', port), await start('--admin-port', adminPort)]) {
    t.is(code, 1);
    t.like(JSON.parse(stderr), { error: { code: 'port_in_use' } }, stderr);
  }
});
