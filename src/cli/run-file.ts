import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';

/** What a started proxy leaves in its home so that commands find it. */
export interface RunFile {
  readonly pid: number;
  readonly host: string;
  readonly port: number;
  readonly adminHost: string | null;
  readonly adminPort: number | null;
  /** ISO 8601 in UTC. */
  readonly startedAt: string;
}

const PROBE_TIMEOUT_MS = 1_000;

function pathOf(runDir: string): string {
  return join(runDir, 'proxy.json');
}

function isRunFile(value: unknown): value is RunFile {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, host, port, adminHost, adminPort, startedAt } = value as Record<string, unknown>;
  const isPort = (number: unknown) => Number.isInteger(number) && Number(number) > 0 && Number(number) < 65_536;
  const adminOk = adminPort === null ? adminHost === null : isPort(adminPort) && typeof adminHost === 'string';
  return Number.isInteger(pid) && Number(pid) > 0 && typeof host === 'string' && isPort(port) && adminOk && typeof startedAt === 'string';
}

/** The run file of a home, or undefined when there is none or it makes no sense. */
export function readRunFile(runDir: string): RunFile | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(pathOf(runDir), 'utf8'));
    return isRunFile(value) ? value : undefined;
  } catch {
    // Absent, or half-written by a process that died: both mean that no proxy can be found this way.
    return undefined;
  }
}

/** Writes the run file, readable by its owner only, in one step. */
export function writeRunFile(runDir: string, file: RunFile): void {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  const temporary = `${pathOf(runDir)}.${String(file.pid)}`;
  writeFileSync(temporary, `${JSON.stringify(file)}\n`, { mode: 0o600 });
  renameSync(temporary, pathOf(runDir));
}

/** Removes the run file if the process `pid` wrote it. */
export function removeRunFile(runDir: string, pid: number): void {
  if (readRunFile(runDir)?.pid === pid) rmSync(pathOf(runDir), { force: true });
}

/** Whether a process with this id exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The address to dial for a listener: a wildcard is reached over loopback. */
export function dialHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  return host === '::' ? '::1' : host;
}

function healthy(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = request({ host, port, path: '/healthz', timeout: PROBE_TIMEOUT_MS, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    probe.on('timeout', () => probe.destroy());
    probe.on('error', () => {
      resolve(false);
    });
    probe.end();
  });
}

/** Whether something accepts TCP connections there. */
export function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: PROBE_TIMEOUT_MS });
    const answer = (open: boolean) => {
      socket.destroy();
      resolve(open);
    };
    socket.once('connect', () => {
      answer(true);
    });
    socket.once('timeout', () => {
      answer(false);
    });
    socket.once('error', () => {
      answer(false);
    });
  });
}

/** The proxy that runs for this home: its process lives and answers. Undefined when none does. */
export async function findRunningProxy(runDir: string): Promise<RunFile | undefined> {
  const file = readRunFile(runDir);
  if (file === undefined || !isAlive(file.pid)) return undefined;
  const answers =
    file.adminPort !== null && file.adminHost !== null
      ? await healthy(dialHost(file.adminHost), file.adminPort)
      : await accepts(dialHost(file.host), file.port);
  return answers ? file : undefined;
}
