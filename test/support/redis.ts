import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BINARY = 'redis-server';
const START_MS = 10_000;
const START_ATTEMPTS = 3;

/** How a test's Redis is set up. */
export interface RedisOptions {
  /** Password of the default user. */
  readonly password?: string;
  /** ACL users, as in redis.conf after `user `: `limited on >secret ~alter:* +get`. */
  readonly users?: readonly string[];
  /** TLS only; clients need no certificate. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string; readonly caFile: string };
  /** More lines of redis.conf. */
  readonly config?: readonly string[];
}

/** A real Redis of one test: no persistence, a folder of its own, on 127.0.0.1. */
export interface RedisServer {
  readonly port: number;
  /** `redis://127.0.0.1:<port>`, or `rediss://localhost:<port>` with TLS. */
  readonly url: string;
  /** Ends the server, whatever its state, and removes its folder. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, answers do not come. */
  pause(): void;
  /** SIGCONT. */
  resume(): void;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
}

/** Starts `redis-server` on a free port; resolves when it accepts connections. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  requireBinary();
  const folder = mkdtempSync(join(tmpdir(), 'alter-redis-'));
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    try {
      return runningServer(folder, port, options, await launch(folder, port, options));
    } catch (error) {
      if (attempt < START_ATTEMPTS && String(error).includes('in use')) continue;
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

function requireBinary(): void {
  const { error } = spawnSync(BINARY, ['--version']);
  if (error !== undefined)
    throw new Error(`${BINARY} is needed for these tests. Install it (Debian: apt-get install redis-server) and put it on the PATH.`);
}

function runningServer(folder: string, port: number, options: RedisOptions, first: ChildProcess): RedisServer {
  let child = first;
  const kill = (): Promise<void> => end(child);
  return {
    port,
    url: options.tls === undefined ? `redis://127.0.0.1:${port}` : `rediss://localhost:${port}`,
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
    kill,
    pause: () => child.kill('SIGSTOP'),
    resume: () => child.kill('SIGCONT'),
    restart: async () => {
      await kill();
      child = await launch(folder, port, options);
    },
  };
}

async function launch(folder: string, port: number, options: RedisOptions): Promise<ChildProcess> {
  const file = join(folder, 'redis.conf');
  writeFileSync(file, configuration(folder, port, options).join('\n'), { mode: 0o600 });
  const child = spawn(BINARY, [file], { stdio: ['ignore', 'pipe', 'pipe'] });
  const killWithParent = (): void => {
    child.kill('SIGKILL');
  };
  process.once('exit', killWithParent);
  child.once('exit', () => process.off('exit', killWithParent));
  try {
    await ready(child);
  } catch (error) {
    await end(child);
    throw error;
  }
  return child;
}

function configuration(folder: string, port: number, { password, users = [], tls, config = [] }: RedisOptions): string[] {
  const listen =
    tls === undefined
      ? [`port ${port}`]
      : [
          'port 0',
          `tls-port ${port}`,
          `tls-cert-file ${tls.certFile}`,
          `tls-key-file ${tls.keyFile}`,
          `tls-ca-cert-file ${tls.caFile}`,
          'tls-auth-clients no',
        ];
  const access = [...(password === undefined ? [] : [`requirepass ${password}`]), ...users.map((user) => `user ${user}`)];
  return ['bind 127.0.0.1', 'save ""', 'appendonly no', 'daemonize no', `dir ${folder}`, ...listen, ...access, ...config, ''];
}

/** Resolves when the server says so; rejects with what it said instead. */
function ready(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    const fail = (why: string): void => reject(new Error(`${BINARY} ${why}: ${said.trim()}`));
    const timer = setTimeout(() => fail(`was not ready within ${START_MS} ms`), START_MS);
    const listen = (chunk: Buffer): void => {
      said += chunk.toString();
      if (!said.includes('Ready to accept connections')) return;
      clearTimeout(timer);
      child.stdout?.resume();
      resolve();
    };
    child.stdout?.on('data', listen);
    child.stderr?.on('data', listen);
    child.once('error', (error) => fail(error.message));
    child.once('exit', () => {
      clearTimeout(timer);
      fail('ended');
    });
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
