/** The parties of the benchmark: an HTTPS origin and a load generator in C, the floor, and the proxy as `alter-proxy start` runs it. */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BUILD = path.join(HERE, '.build');
const CLI = path.join(HERE, '..', 'dist', 'src', 'cli', 'main.js');
const CREDENTIAL = 'benchmark-credential';
/** The proxies share one core; load generator and origin have the other. */
const PROXY_CORE = '0';
const LOAD_CORE = '1';

/** Compiles the C programs. Ends the process with what to install when a compiler or OpenSSL's headers are missing. */
export function buildTools() {
  mkdirSync(BUILD, { recursive: true });
  for (const name of ['loadgen', 'origin']) {
    try {
      execFileSync('cc', ['-O2', '-w', '-o', path.join(BUILD, name), path.join(HERE, `${name}.c`), '-lssl', '-lcrypto'], { stdio: 'pipe' });
    } catch (error) {
      console.error(`bench/${name}.c does not compile: ${String(error.stderr ?? error.message).split('\n')[0]}`);
      console.error('Install a C compiler and the headers of OpenSSL: sudo apt-get install gcc libc6-dev libssl-dev');
      process.exit(1);
    }
  }
}

/** Starts everything. `load(party, arguments)` runs the load generator against one party and answers its figures. */
export async function startBenchmark(store) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'alter-proxy-bench-'));
  const children = [];
  const start = async (core, command, args, port, env = {}) => {
    const child = spawn('taskset', ['-c', core, command, ...args], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    });
    children.push(child);
    await listening(port, child);
    return { port, pid: child.pid };
  };
  const stop = async () => {
    for (const child of children.reverse()) {
      if (child.exitCode !== null) continue;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await ended;
    }
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const certs = makeCertificates(folder);
    const originPort = await freePort();
    await start(
      LOAD_CORE,
      path.join(BUILD, 'origin'),
      [String(originPort), `${certs}/origin.chain.pem`, `${certs}/origin.key`],
      originPort,
    );
    const floorPort = await freePort();
    const floor = await start(PROXY_CORE, process.execPath, [path.join(HERE, 'floor.mjs'), String(floorPort)], floorPort, {
      BENCH_CERTS: certs,
    });
    const storeEnv = store === 'redis' ? await startRedis(start, folder) : {};
    const { grant, ...home } = makeHome(folder, certs, originPort, storeEnv);
    const port = await freePort();
    const proxy = await start(PROXY_CORE, process.execPath, [CLI, '--home', home.folder, 'start', '--port', String(port)], port, {
      ...storeEnv,
      ALTER_LOG_LEVEL: 'warn',
    });
    const parties = {
      floor: { ...floor, headers: ['-H', 'Authorization: Bearer placeholder'] },
      grant: { ...proxy, headers: ['-H', 'Authorization: Bearer placeholder', '-H', `X-Alter-Grant: ${grant}`] },
      relay: { ...proxy, headers: ['-H', 'Authorization: Bearer placeholder'] },
    };
    return { stop, load: (party, args) => load(parties[party], originPort, args) };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function load({ port, pid, headers }, originPort, args) {
  const fixed = ['-t', `localhost:${originPort}`, '-x', `127.0.0.1:${port}`, '-P', String(pid), '-D', ...headers];
  const { stdout } = await promisify(execFile)('taskset', ['-c', LOAD_CORE, path.join(BUILD, 'loadgen'), ...fixed, ...args.split(' ')]);
  return JSON.parse(stdout);
}

/** A home with one secret for the origin and one grant with a policy. */
function makeHome(folder, certs, originPort, storeEnv) {
  const home = path.join(folder, 'home');
  const cli = (args, input = '') =>
    execFileSync(process.execPath, [CLI, '--home', home, ...args], {
      input,
      encoding: 'utf8',
      env: { ...process.env, ...storeEnv },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  cli(['init', '--json']);
  const config = path.join(home, 'config.yaml');
  const extra = `\nadmin: false\nupstream:\n  ca_files: ['${certs}/ca.pem']\n  allow_private: [localhost]\n`;
  writeFileSync(config, readFileSync(config, 'utf8') + extra);
  if (storeEnv.ALTER_STORE_URL !== undefined) cli(['key', 'create', 'bench', '--force', '--out', path.join(home, 'key')]);
  cli(['secret', 'add', 'bench', '--provider', 'custom-bearer', '--host', `localhost:${originPort}`], CREDENTIAL);
  const grant = cli(['grant', 'issue', '--secret', 'bench', '--label', 'bench', '--method', 'GET', '--method', 'POST']).trim();
  return { folder: home, grant };
}

async function startRedis(start, folder) {
  const port = await freePort();
  await start(
    LOAD_CORE,
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
    port,
  );
  return { ALTER_STORE_URL: `redis://127.0.0.1:${port}` };
}

/** A CA, and EC P-256 certificates for the origin and for the floor. */
function makeCertificates(folder) {
  const certs = path.join(folder, 'certs');
  mkdirSync(certs);
  const openssl = (...args) => execFileSync('openssl', args, { cwd: certs, stdio: 'pipe' });
  const key = (name) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', `${name}.key`);
  key('ca');
  openssl(
    'req',
    '-x509',
    '-new',
    '-key',
    'ca.key',
    '-days',
    '2',
    '-subj',
    '/CN=benchmark CA',
    '-out',
    'ca.pem',
    '-addext',
    'basicConstraints=critical,CA:TRUE',
  );
  writeFileSync(path.join(certs, 'leaf.cnf'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n');
  for (const name of ['origin', 'leaf']) {
    key(name);
    openssl('req', '-new', '-key', `${name}.key`, '-subj', '/CN=localhost', '-out', `${name}.csr`);
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      'leaf.cnf',
      '-out',
      `${name}.pem`,
    );
    writeFileSync(
      path.join(certs, `${name}.chain.pem`),
      readFileSync(path.join(certs, `${name}.pem`), 'utf8') + readFileSync(path.join(certs, 'ca.pem'), 'utf8'),
    );
  }
  return certs;
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = net.createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function listening(port, child) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline;) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.slice(3).join(' ')} ended with ${child.exitCode}`);
    if (await connects(port)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
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
