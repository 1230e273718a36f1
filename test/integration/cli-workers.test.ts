/**
 * `alter-proxy start --workers`: several processes on one port, which start, reload and stop as one; one that dies is replaced, and none
 * outlives the primary.
 */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import type { ChangeEvent } from '../../src/audit/change.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { problemCode, requestThrough, type ClientAnswer, type ProxyTarget } from '../support/client.ts';
import type { CliProcess, SpawningCliHome } from '../support/cli.ts';
import { eventually } from '../support/eventually.ts';
import { startOrigin } from '../support/origin.ts';
import { isRunning } from '../support/process-state.ts';
import { FREE_PORTS, logged, newHome, PATIENCE_MS, started } from '../support/started.ts';

/** Ample for the primary to send a connection on. A shorter wait would make a test easier, and never fail it. */
const HAND_OVER_MS = 300;

interface LogLine {
  readonly msg: string;
  readonly worker?: number;
  readonly workerPid?: number;
  readonly signal?: string;
}

function logLines(proxy: CliProcess, message: string): LogLine[] {
  // What does not begin like a line of the log is a warning of Node.
  const whole = proxy.stderr().split('\n').slice(0, -1).filter((line) => line.startsWith('{')); // prettier-ignore
  return whole.map((line) => JSON.parse(line) as LogLine).filter(({ msg }) => msg === message);
}

/** Waits until `message` stands in the log `count` times. A process that has ended may be gone before its last line is read. */
async function loggedTimes(proxy: CliProcess, message: string, count: number): Promise<LogLine[]> {
  const lines = (): LogLine[] => logLines(proxy, message);
  await eventually(() => (lines().length >= count ? true : undefined), `"${message}" ${String(count)} times in the log`, PATIENCE_MS);
  return lines();
}

/** Process ids of the first `count` workers that became ready, in the order of their numbers. */
async function workerPids(proxy: CliProcess, count: number): Promise<number[]> {
  const ready = (await loggedTimes(proxy, 'worker ready', count)).sort((a, b) => (a.worker ?? 0) - (b.worker ?? 0));
  return ready.map(({ workerPid }) => {
    // A signal to process 0 would go to the processes of the tests.
    if (workerPid === undefined) throw new Error('a worker without a process id');
    return workerPid;
  });
}

async function gone(pids: readonly number[]): Promise<void> {
  await eventually(() => (pids.some(isRunning) ? undefined : true), 'every process to be gone', PATIENCE_MS);
}

async function drainShows(ready: () => Promise<number>): Promise<void> {
  await eventually(async () => ((await ready()) === 503 ? true : undefined), 'the drain to show', PATIENCE_MS);
}

/** The environment of processes that do not begin as long as the file `gate` is there. */
function heldBack(cli: SpawningCliHome, gate: string): Record<string, string> {
  const wait = cli.write(
    'wait.mjs',
    `import { existsSync } from 'node:fs';
     import { setTimeout as pause } from 'node:timers/promises';
     while (existsSync(${JSON.stringify(gate)})) await pause(10);`,
  );
  return { NODE_OPTIONS: `--import ${pathToFileURL(wait).href}` };
}

/** An origin, and two workers that may reach it with a grant. None begins as long as the file `gate` is there. */
async function twoWorkers(t: ExecutionContext) {
  const cli = await newHome(t);
  const gate = join(cli.folder, 'gate');
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const env = {
    ALTER_UPSTREAM_CA_FILES: cli.write('origin.pem', origin.ca),
    ALTER_UPSTREAM_ALLOW_PRIVATE: 'localhost',
    ALTER_NAME: 'here',
    ...heldBack(cli, gate),
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
  const pids = (await workerPids(proxy, 2)) as [number, number];
  return { cli, origin, proxy, file, pids, gate, target, send, ready };
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
  const { cli, origin, proxy, file, pids, send, ready } = await twoWorkers(t);
  t.is(await ready(), 200);
  t.deepEqual((await send(4)).map(({ status }) => status), [200, 200, 200, 200]); // prettier-ignore
  t.deepEqual(await numbering(cli, 4), ['here/1 1', 'here/1 2', 'here/2 1', 'here/2 2']);
  t.is(proxy.child.pid, file.pid);
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
  const { cli, origin, proxy, pids, gate, send, ready } = await twoWorkers(t);
  const [first, second] = pids;
  await send(2);
  t.deepEqual(await numbering(cli, 2), ['here/1 1', 'here/2 1']);
  const config = readFileSync(join(cli.home, 'config.yaml'), 'utf8');
  cli.write('home/config.yaml', `${config}\nnonsense: 1\n`);
  writeFileSync(gate, '');
  process.kill(first, 'SIGKILL');
  const death = await loggedTimes(proxy, 'a worker ended, another one takes its place', 1);
  t.like(death, [{ worker: 1, workerPid: first, signal: 'SIGKILL' }]);
  t.is(await ready(), 503);
  t.deepEqual((await send(2)).map(({ status }) => status), [200, 200]); // prettier-ignore
  rmSync(gate);
  await eventually(async () => ((await ready()) === 200 ? true : undefined), 'the replacement', PATIENCE_MS);
  cli.write('home/config.yaml', config);
  await send(2);
  const numbers = await numbering(cli, 6);
  t.deepEqual(numbers.slice(0, 4), ['here/1 1', 'here/2 1', 'here/2 2', 'here/2 3']);
  // The primary may not know yet that the other worker is free again: then the new one gets both.
  t.regex(numbers.slice(4).join(), /^here\/(2 4,here\/3 1|3 1,here\/3 2)$/);
  t.true(isRunning(second));

  // Without the primary there is nobody to obey, and nobody who would hand over a connection.
  const underWay = send(1, '/slow-headers');
  await origin.until(() => origin.requests.some(({ url }) => url === '/slow-headers'));
  proxy.child.kill('SIGKILL');
  await logged(proxy, 'the primary process is gone');
  origin.release();
  t.is((await underWay)[0]?.status, 200);
  await gone(await workerPids(proxy, 3));
  t.is((await loggedTimes(proxy, 'the primary process is gone, this worker drains and ends', 2)).length, 2);
});

test('SIGHUP reaches every worker or none; Ctrl-C reaches all processes and still drains', async (t) => {
  const { cli, origin, proxy, file, pids, target, send } = await twoWorkers(t);
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
  t.is((await loggedTimes(proxy, 'configuration reloaded', 3)).length, 3);
  t.deepEqual(await ungranted(), ['policy_violation', 'policy_violation']);
  t.deepEqual(await numbering(cli, 4), ['here/1 1', 'here/1 2', 'here/2 1', 'here/2 2']);

  const underWay = send(1, '/slow-headers');
  await origin.until(() => origin.requests.some(({ url }) => url === '/slow-headers'));
  process.kill(-file.pid, 'SIGINT');
  await logged(proxy, 'proxy stopping');
  origin.release();
  t.is((await underWay)[0]?.status, 200);
  t.is((await proxy.ended).code, 0);
  await gone(pids);
});

test('a second signal ends all processes at once', async (t) => {
  const { origin, proxy, pids, send, ready } = await twoWorkers(t);
  const cut = t.throwsAsync(send(1, '/slow-headers'));
  await origin.until(() => origin.requests.length === 1);
  proxy.child.kill('SIGTERM');
  await drainShows(ready);
  proxy.child.kill('SIGTERM');
  await proxy.ended;
  t.is(proxy.child.signalCode, 'SIGTERM');
  await gone(pids);
  await cut;
});

test('a worker that writes to a primary that has just died still answers what is under way', async (t) => {
  const { origin, proxy, file, pids, send } = await twoWorkers(t);
  const underWay = [send(1, '/slow-headers'), send(1, '/slow-headers')];
  await origin.until(() => origin.requests.length === 2);
  // Stopped, the workers find a connection from the primary and its death in one turn: they accept the one with a message to the other.
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  const connections = pids.map(() => net.connect(file.port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(connections.map((socket) => once(socket, 'connect')));
  await pause(HAND_OVER_MS);
  process.kill(file.pid, 'SIGKILL');
  for (const pid of pids) process.kill(pid, 'SIGCONT');
  origin.release();
  for (const [answer] of await Promise.all(underWay)) t.is(answer?.status, 200);
  for (const socket of connections) socket.destroy();
  await gone(pids);
  t.is((await loggedTimes(proxy, 'the primary process is gone, this worker drains and ends', 2)).length, 2);
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
  for (const [flag, number] of [
    ['--port', port],
    ['--admin-port', adminPort],
  ] as const) {
    const { code, stderr } = await start(flag, number);
    t.is(code, 1);
    const hint = `Stop the other process, or choose another port with ${flag}.`;
    t.like(JSON.parse(stderr), { error: { code: 'port_in_use', hint } }, stderr);
  }
});
