import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProxyTarget } from './client.ts';
import { eventually } from './eventually.ts';

/** The compiled CLI. */
export const CLI = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** `alter-proxy start` on a home that exists, as a process of its own. */
export interface ProxyProcess extends ProxyTarget {
  readonly process: ChildProcess;
  /** What the process has written to stderr so far. */
  readonly stderr: () => string;
  /** Resident memory in bytes, from the operating system. */
  memory(): Promise<number>;
  /** Sends SIGTERM and resolves with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts `alter-proxy start` for `home` and waits until it listens. */
export async function startProxyProcess(home: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<ProxyProcess> {
  const runFile = path.join(home, 'run', 'proxy.json');
  await rm(runFile, { force: true });
  const child = spawn(process.execPath, [CLI, '--home', home, 'start', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, NODE_V8_COVERAGE: '', ...env },
  });
  const chunks: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const stderr = (): string => Buffer.concat(chunks).toString();
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const address = await eventually(
    async () => {
      if (child.exitCode !== null) throw new Error(`the proxy ended with ${child.exitCode}: ${stderr()}`);
      const text = await readFile(runFile, 'utf8').catch(() => '');
      return text === '' ? undefined : (JSON.parse(text) as { host: string; port: number });
    },
    'the proxy to listen',
    30_000,
  );
  return {
    host: address.host,
    port: address.port,
    ca: await readFile(path.join(home, 'ca', 'ca.pem'), 'utf8'),
    process: child,
    stderr,
    memory: () => residentMemory(child.pid ?? 0),
    async stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

const MIB = 1024 ** 2;

/** By how many MiB `action` raises the memory of a proxy at its highest, rounded to a tenth. */
export async function memoryRise(proxy: ProxyProcess, action: () => Promise<void>): Promise<number> {
  const before = await proxy.memory();
  let peak = before;
  const sample = async (): Promise<void> => {
    peak = Math.max(peak, await proxy.memory());
  };
  const sampler = setInterval(() => void sample(), 20);
  try {
    await action();
    await sample();
  } finally {
    clearInterval(sampler);
  }
  return Math.round(((peak - before) / MIB) * 10) / 10;
}

async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
