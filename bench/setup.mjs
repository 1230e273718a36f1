/** The parties of the benchmark: an HTTPS origin and a load generator in C, the floor, and the proxy as `alter-proxy start` runs it. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { makeCertificates } from './certificates.mjs';
import { LOAD_CORE, PROXY_CORE, Processes, endOf, freePort } from './processes.mjs';
import { CLI, ENGINE, FLOOR, LOADGEN, ORIGIN } from './tools.mjs';
import { openVault } from './vault.mjs';

const CREDENTIAL = 'benchmark-credential';
/** What the origin asks for: whoever does not put it in is told 401. */
export const AUTHORIZATION = `Bearer ${CREDENTIAL}`;
/** What a client sends that relies on its proxy. */
const PLACEHOLDER = ['-H', 'Authorization: Bearer placeholder'];
const SECRET = 'bench';

/**
 * Starts the origin. The benchmark that is returned starts everything else; `stop` ends it all. A party is a process that load can be sent
 * to: `{ pid, port, headers, stop }`.
 */
export async function startBenchmark() {
  const processes = new Processes();
  try {
    const certs = makeCertificates(processes.folder);
    const originPort = await freePort();
    const identity = [path.join(certs, 'origin.chain.pem'), path.join(certs, 'origin.key')];
    await processes.start(LOAD_CORE, [ORIGIN, String(originPort), ...identity, AUTHORIZATION], originPort);
    return new Benchmark(processes, certs, originPort);
  } catch (error) {
    await processes.stopAll();
    throw error;
  }
}

class Benchmark {
  /** Folder with the certificates of {@link makeCertificates}. */
  certs;
  originPort;
  #processes;
  /** Load generators that run. */
  #loads = new Set();
  #homes = 0;

  constructor(processes, certs, originPort) {
    this.#processes = processes;
    this.certs = certs;
    this.originPort = originPort;
  }

  /** The origin itself, asked without a proxy. */
  get direct() {
    return { headers: ['-H', `Authorization: ${AUTHORIZATION}`] };
  }

  /** A path in the temporary folder of this run. */
  file(name) {
    return path.join(this.#processes.folder, name);
  }

  async startFloor() {
    return this.startProgram(([port]) => [process.execPath, FLOOR, port], {
      env: { BENCH_CERTS: this.certs, BENCH_AUTHORIZATION: AUTHORIZATION },
    });
  }

  /** The engine of the proxy as a bare relay. Clients bring their own credential. */
  async startEngine() {
    const env = { BENCH_CERTS: this.certs };
    return this.startProgram(([port]) => [process.execPath, ENGINE, port], { env, headers: this.direct.headers });
  }

  /** An intercepting proxy of any make. `command` is told the port to listen on; clients leave the credential to it. */
  async startProgram(command, { env = {}, core = PROXY_CORE, headers = PLACEHOLDER } = {}) {
    const port = await freePort();
    return { ...(await this.#processes.start(core, command([String(port)]), port, env)), headers };
  }

  /** A Redis server without persistence, and the variables that point a home at it. */
  async startRedis() {
    const fixed = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', this.#processes.folder];
    const server = await this.startProgram(([port]) => ['redis-server', '--port', port, ...fixed], { core: LOAD_CORE });
    // Patient: a machine with more to do than cores is slow, not broken.
    const patience = { ALTER_STORE_CONNECT_TIMEOUT_MS: '10000', ALTER_STORE_COMMAND_TIMEOUT_MS: '10000' };
    return { ...server, env: { ALTER_STORE_URL: `redis://127.0.0.1:${server.port}`, ...patience } };
  }

  /** A home with one secret for the origin and one grant of it; `env` points it at its store. */
  async makeHome(env = {}) {
    this.#homes += 1;
    const folder = this.file(`home-${this.#homes}`);
    const cli = (args, input) => runCli(['--home', folder, ...args], { input, env });
    cli(['init', '--json']);
    const config = path.join(folder, 'config.yaml');
    writeFileSync(config, `${readFileSync(config, 'utf8')}\n${this.#settings()}`);
    if (env.ALTER_STORE_URL !== undefined) cli(['key', 'create', 'bench', '--force', '--out', path.join(folder, 'key')]);
    cli(['secret', 'add', SECRET, '--provider', 'custom-bearer', '--host', `localhost:${this.originPort}`], CREDENTIAL);
    const vault = await openVault(folder, env);
    try {
      return { folder, env, grant: await vault.issueGrant(SECRET) };
    } finally {
      await vault.close();
    }
  }

  #settings() {
    return `admin: false
upstream:
  ca_files: ['${this.certs}/ca.pem']
  allow_private: [localhost]
limits:
  max_connections: 100000
  idle_timeout_ms: 900000
`;
  }

  /** A proxy on a home, with the two parties it serves: `grant` gets the credential from it, `relay` brings its own. */
  async startProxy(home, { nodeOptions = [], env: more = {} } = {}) {
    const env = { ...home.env, ...more, ALTER_LOG_LEVEL: 'warn' };
    const start = ([port]) => [process.execPath, ...nodeOptions, CLI, '--home', home.folder, 'start', '--port', port];
    const proxy = await this.startProgram(start, { env });
    return {
      ...proxy,
      grant: { ...proxy, headers: [...PLACEHOLDER, '-H', `X-Alter-Grant: ${home.grant}`] },
      relay: { ...proxy, headers: this.direct.headers },
    };
  }

  /** Runs the load generator against a party; answers its figures. Rejects when any request of the window did not go well. */
  async load(party, args) {
    const figures = await this.#runLoad(party, args);
    // Where other programs run, a party may get no time within a whole window.
    const silent = figures.ok + figures.err + figures.e401 + figures.estat + figures.elen === 0;
    return checked(party, silent ? await this.#runLoad(party, args) : figures);
  }

  async #runLoad(party, args) {
    const { child, ended } = this.#spawnLoad(party, args);
    const { output, errors } = await ended;
    if (output === '')
      throw new Error(`the load generator failed: ${errors.trim() || `it ended with ${child.exitCode ?? child.signalCode}`}`);
    return JSON.parse(output);
  }

  /**
   * Opens connections that stay open and idle after one request each. Resolves when all are open: `{ release }`, which closes them and rejects
   * when the other side had closed one before.
   */
  async holdIdle(party, count) {
    const { child, ended } = this.#spawnLoad(party, `-i ${count} -c 16 -w 0 -d 900 -u /j -L 1024`);
    const held = new Promise((resolve) => child.stdout.once('data', (data) => resolve(String(data).includes('"held"'))));
    if (!(await Promise.race([held, ended.then(() => false)]))) {
      const { output, errors } = await ended;
      throw new Error(`the connections were not opened: ${(errors || output).trim()}`);
    }
    const release = async () => {
      child.kill('SIGTERM');
      const { output } = await ended;
      return checked(party, JSON.parse(output.trim().split('\n').at(-1)));
    };
    return { release };
  }

  /** A load generator that runs, and a promise of `{ output, errors }` when it has ended. */
  #spawnLoad(party, args) {
    const [command, ...fixed] = this.#loadCommand(party, args);
    const child = spawn(command, fixed, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#loads.add(child);
    let output = '';
    let errors = '';
    child.stdout.on('data', (data) => (output += data));
    child.stderr.on('data', (data) => (errors += data));
    const ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', () => {
        this.#loads.delete(child);
        resolve({ output, errors });
      });
    });
    return { child, ended };
  }

  #loadCommand({ port, pid, headers }, args) {
    const proxy = port === undefined ? [] : ['-x', `127.0.0.1:${port}`, '-P', String(pid), '-D'];
    const fixed = ['-t', `localhost:${this.originPort}`, ...proxy, ...headers, ...args.split(' ')];
    return ['taskset', '-c', LOAD_CORE, LOADGEN, ...fixed];
  }

  async stop() {
    for (const load of this.#loads) load.kill('SIGKILL');
    await this.#processes.stopAll();
  }
}

/** One command of the proxy. Throws with what it said. */
function runCli(args, { input = '', env }) {
  const { status, stderr } = spawnSync(process.execPath, [CLI, ...args], { input, encoding: 'utf8', env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`alter-proxy ${args.join(' ')} ended with ${status}:\n${stderr}`);
}

/** The figures, when every request went well. Throws with what the party said last. */
function checked({ log }, figures) {
  const failed = figures.err + figures.e401 + figures.estat + figures.elen;
  if (failed === 0 && figures.ok > 0) return figures;
  const said = log === undefined ? '' : endOf(log);
  throw new Error(`${failed} of ${figures.ok + failed} requests failed: ${figures.msg || 'no answer'}${said}`);
}
