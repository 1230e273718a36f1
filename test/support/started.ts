/** `alter-proxy start` in a home of its own, found by its run file as other commands find it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { cliHome, type CliProcess, type SpawningCliHome } from './cli.ts';
import { eventually } from './eventually.ts';

/** How long a command may take on a busy machine. */
export const PATIENCE_MS = 30_000;

/** The environment of a proxy that takes whatever ports are free. */
export const FREE_PORTS = { ALTER_LISTEN_PORT: '0', ALTER_ADMIN_PORT: '0' };

/** What a started proxy leaves. */
export interface RunFile {
  readonly pid: number;
  readonly port: number;
  readonly adminPort: number;
}

/** A home that `init` has made. */
export async function newHome(t: ExecutionContext): Promise<SpawningCliHome> {
  const cli = cliHome(t);
  await cli.prepare(['init']);
  return cli;
}

/** Runs `start` with `args`, and waits for the run file. Its log goes to the file `log`, if one is named. */
export async function started(
  cli: SpawningCliHome,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
  log?: string,
): Promise<{ readonly proxy: CliProcess; readonly file: RunFile }> {
  const proxy = cli.start(['start', ...args], { env: { ...FREE_PORTS, ...env }, ...(log === undefined ? {} : { stderr: log }) });
  const path = join(cli.home, 'run', 'proxy.json');
  const file = await eventually(
    () => {
      if (proxy.child.exitCode !== null) throw new Error(`start ended: ${proxy.stderr()}`);
      return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as RunFile) : undefined;
    },
    'the run file',
    PATIENCE_MS,
  );
  return { proxy, file };
}

/** Waits until `message` stands in the log. */
export async function logged(proxy: CliProcess, message: string): Promise<void> {
  await eventually(() => (proxy.stderr().includes(message) ? true : undefined), `"${message}" in the log`, PATIENCE_MS);
}
