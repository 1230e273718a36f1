import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

/** How a command ended and what it printed. */
export interface CliResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a command gets besides its arguments. */
export interface CliOptions {
  /** Text on stdin; nothing unless stated. It is never a terminal. */
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** A command that runs until it is stopped. */
export interface CliProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<CliResult>;
}

/** A home folder of its own and the compiled command on it, as a shell would run it. */
export interface CliHome {
  /** A temporary folder for whatever the test writes; the home is in it. */
  readonly folder: string;
  /** The home folder. Nothing is there until `init`. */
  readonly home: string;
  /** Runs a command to its end. */
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Runs a command with --json that must succeed, and parses what it prints. */
  json(args: readonly string[], options?: CliOptions): Promise<unknown>;
  /** Starts a command that the test stops; killed with the test at the latest. */
  start(args: readonly string[], options?: CliOptions): CliProcess;
  /** Writes a file into the folder and returns its path. */
  write(name: string, content: string, mode?: number): string;
}

/** The environment of the tests without what would reach into the commands: proxies, CAs and other homes. */
function cleanEnvironment(home: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(ALTER_|(https?|all|no)_proxy$|NO_COLOR$|FORCE_COLOR$|NODE_EXTRA_CA_CERTS$|JAVA_TOOL_OPTIONS$)|_CA_|CERT|CAINFO/i.test(name),
  );
  return { ...(Object.fromEntries(kept) as Record<string, string>), ALTER_HOME: home };
}

function collect(child: ChildProcess): { stdout(): string; stderr(): string } {
  const texts = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (chunk: string) => {
      texts[name] += chunk;
    });
  }
  return { stdout: () => texts.stdout, stderr: () => texts.stderr };
}

/** Makes a temporary folder, gone with the test, with the path of a home in it. */
export function cliHome(t: ExecutionContext): CliHome {
  const folder = mkdtempSync(join(tmpdir(), 'alter-cli-'));
  const home = join(folder, 'home');
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const start = (args: readonly string[], options: CliOptions = {}): CliProcess => {
    const env = { ...cleanEnvironment(home), ...options.env };
    // A session of its own: no terminal of the developer reaches the command, and signals go where the test sends them.
    const child = spawn(process.execPath, [MAIN, ...args], { env, cwd: folder, detached: true, stdio: 'pipe' });
    const { stdout, stderr } = collect(child);
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin ?? '');
    const ended = new Promise<CliResult>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code) => {
        resolve({ code, stdout: stdout(), stderr: stderr() });
      });
    });
    t.teardown(() => child.kill('SIGKILL'));
    return { child, stdout, stderr, ended };
  };
  const run = (args: readonly string[], options?: CliOptions) => start(args, options).ended;
  return {
    folder,
    home,
    run,
    start,
    json: async (args, options) => {
      const { code, stdout, stderr } = await run([...args, '--json'], options);
      if (code !== 0) throw new Error(`alter-proxy ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
      return JSON.parse(stdout) as unknown;
    },
    write: (name, content, mode = 0o600) => {
      const file = join(folder, name);
      writeFileSync(file, content);
      chmodSync(file, mode);
      return file;
    },
  };
}

/** A home that `init` has made. */
export async function initialisedHome(t: ExecutionContext): Promise<CliHome> {
  const cli = cliHome(t);
  const { code, stderr } = await cli.run(['init']);
  if (code !== 0 || !existsSync(cli.home)) throw new Error(`init ended with ${String(code)}: ${stderr}`);
  return cli;
}
