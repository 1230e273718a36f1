/** Programs under measurement: started on one core, ended together, and what the operating system says of their memory. */
import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** The proxies share one core; load generator, origin and Redis have the other. */
export const PROXY_CORE = '0';
export const LOAD_CORE = '1';
const START_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 15_000;

/** The processes of one run, and its temporary folder. */
export class Processes {
  folder = mkdtempSync(path.join(os.tmpdir(), 'alter-proxy-bench-'));
  #running = new Set();
  #started = 0;

  /**
   * Starts a program on a core and resolves when it listens on `port`: `{ pid, port, log, stop }`. Rejects with the end of its output when it
   * does not.
   */
  async start(core, [command, ...args], port, env = {}) {
    this.#started += 1;
    const log = path.join(this.folder, `${String(this.#started)}-${path.basename(command)}.log`);
    const output = openSync(log, 'w');
    // taskset becomes the program itself: the process keeps its id.
    const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', output, output], env: { ...process.env, ...env } });
    closeSync(output);
    const ended = new Promise((resolve) => {
      child.once('exit', resolve);
      child.once('error', resolve);
    });
    const running = { child, ended };
    this.#running.add(running);
    const stop = () => this.#stop(running);
    try {
      await listening(port, child);
    } catch (error) {
      await stop();
      throw new Error(`${path.basename(command)} ${error.message}${endOf(log)}`, { cause: error });
    }
    return { pid: child.pid, port, log, stop };
  }

  /** Ends everything, the last first, and removes the folder. */
  async stopAll() {
    for (const running of [...this.#running].reverse()) await this.#stop(running);
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #stop(running) {
    const { child, ended } = running;
    this.#running.delete(running);
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const family = processFamily(child.pid).reverse();
    child.kill('SIGTERM');
    const timer = setTimeout(() => family.forEach(kill), STOP_DEADLINE_MS);
    await ended;
    clearTimeout(timer);
  }
}

function kill(pid) {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** The last lines of a log, to stand after a message; nothing when it is empty. */
export function endOf(log) {
  const lines = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-5);
  return lines.join('') === '' ? '' : `:\n    ${lines.join('\n    ')}`;
}

async function listening(port, child) {
  for (const deadline = Date.now() + START_DEADLINE_MS; Date.now() < deadline;) {
    if (child.pid === undefined) throw new Error('cannot be started');
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`ended with ${child.exitCode ?? child.signalCode}`);
    if (await connects(port)) return;
    await sleep(50);
  }
  throw new Error('does not listen on its port');
}

function connects(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** A port of the loopback interface that nothing listens on. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Resident memory of a process and of all it has started, in KB of 1,024 bytes. */
export function residentKb(pid) {
  return processFamily(pid)
    .map((member) => Number(/^VmRSS:\s+(\d+)/m.exec(readProc(member, 'status'))?.[1] ?? 0))
    .reduce((sum, kb) => sum + kb, 0);
}

/** Memory that programs may still take, in MB. */
export function availableMb() {
  return Number(/^MemAvailable:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) / 1024;
}

/** How many file descriptors a process of this user may have at most. */
export function descriptorLimit() {
  const limit = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1];
  return limit === 'unlimited' ? Infinity : Number(limit);
}

/** The process and its descendants, parents first. */
function processFamily(pid) {
  const parents = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => [Number(name), parentOf(name)]);
  const family = [pid];
  for (const member of family) family.push(...parents.filter(([, parent]) => parent === member).map(([child]) => child));
  return family;
}

/** The name of the program, in brackets, may hold anything; the parent is the second field after it. */
function parentOf(pid) {
  const stat = readProc(pid, 'stat');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}

function readProc(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
