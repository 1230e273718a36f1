import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ExecutionContext } from 'ava';
import { runProgram } from '../../src/cli/program.ts';
import { fakeTerminal } from './fake-terminal.ts';

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
  /** Files to which a command of its own process writes instead of pipes. */
  readonly stdout?: string;
  readonly stderr?: string;
}

/** A command that runs until it is stopped. */
export interface CliProcess {
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  readonly ended: Promise<CliResult>;
}

/** A home folder of its own, and commands on it. */
export interface CliHome {
  /** A temporary folder for whatever the test writes; the home is in it. */
  readonly folder: string;
  /** The home folder. Nothing is there until `init`. */
  readonly home: string;
  /** Runs a command to its end. */
  run(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Runs a command with --json that must succeed, and parses what it prints. */
  json(args: readonly string[], options?: CliOptions): Promise<unknown>;
  /** Writes a file into the folder and returns its path. */
  write(name: string, content: string, mode?: number): string;
}

/** Commands as processes of their own, as a shell runs them. */
export interface SpawningCliHome extends CliHome {
  /** Starts a command that the test stops; killed with the test at the latest. */
  start(args: readonly string[], options?: CliOptions): CliProcess;
  /** Runs a command that is not what the test is about in this process, which is quicker. It must succeed; answers what it prints. */
  prepare(args: readonly string[], options?: CliOptions): Promise<string>;
}

/** The environment of the tests without what would reach into the commands: proxies, CAs and other homes. */
function cleanEnvironment(home: string): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(ALTER_|(https?|all|no)_proxy$|NO_COLOR$|FORCE_COLOR$|NODE_EXTRA_CA_CERTS$|JAVA_TOOL_OPTIONS$)|_CA_|CERT|CAINFO/i.test(name),
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

type Run = CliHome['run'];

function homeWith(t: ExecutionContext, makeRun: (home: string, folder: string) => Run): CliHome {
  const folder = mkdtempSync(join(tmpdir(), 'alter-cli-'));
  const home = join(folder, 'home');
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  const run = makeRun(home, folder);
  return {
    folder,
    home,
    run,
    json: async (args, options) => {
      const { code, stdout, stderr } = await run([...args, '--json'], options);
      assert.equal(code, 0, `alter-proxy ${args.join(' ')}: ${stderr}`);
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

/** Ends a command and what it has started: workers that outlived it would wait for a store whose folder is gone. */
function killSession({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function startProcess(t: ExecutionContext, home: string, args: readonly string[], options: CliOptions = {}): CliProcess {
  // Coverage is measured in the processes of the tests: in every command it would cost more than the command.
  const env = { ...cleanEnvironment(home), NODE_V8_COVERAGE: '', ...options.env };
  // A session of its own: no terminal of the developer reaches the command, and signals go where the test sends them.
  const [out, err] = [options.stdout, options.stderr].map((file) => (file === undefined ? 'pipe' : openSync(file, 'a')));
  const child = spawn(process.execPath, [MAIN, ...args], { env, cwd: tmpdir(), detached: true, stdio: ['pipe', out, err] });
  for (const file of [out, err]) if (typeof file === 'number') closeSync(file);
  const { stdout, stderr } = collect(child);
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.stdin ?? '');
  const ended = new Promise<CliResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      resolve({ code, stdout: stdout(), stderr: stderr() });
    });
  });
  t.teardown(() => {
    killSession(child);
  });
  return { child, stdout, stderr, ended };
}

function inProcess(home: string): Run {
  return async (args, options = {}) => {
    const terminal = fakeTerminal({ stdin: options.stdin ?? '', env: { ...cleanEnvironment(home), ...options.env } });
    const code = await runProgram(args, terminal);
    return { code, ...terminal.written() };
  };
}

/** A temporary folder, gone with the test, with the path of a home in it, and the compiled command as a process. */
export function cliHome(t: ExecutionContext): SpawningCliHome {
  const cli = homeWith(t, (home) => (args, options) => startProcess(t, home, args, options).ended);
  return {
    ...cli,
    start: (args, options) => startProcess(t, cli.home, args, options),
    prepare: async (args, options) => {
      const { code, stdout, stderr } = await inProcess(cli.home)(args, options);
      assert.equal(code, 0, stderr);
      return stdout;
    },
  };
}

/** The same in this process: what a command prints and how it ends, without the time that starting one takes. */
export function inProcessHome(t: ExecutionContext): CliHome {
  return homeWith(t, inProcess);
}

/** A home that `init` has made. */
export async function initialised<Home extends CliHome>(cli: Home): Promise<Home> {
  const { code, stderr } = await cli.run(['init']);
  assert.equal(code, 0, stderr);
  return cli;
}
