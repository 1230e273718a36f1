/**
 * Ceph's RADOS Gateway, which verifies signatures as S3 does: one monitor, one OSD in memory, one gateway, all on loopback, in a folder of
 * their own. They speak without authentication among themselves, and end with the test.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import net from 'node:net';
import path from 'node:path';
import { makeTestAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { REAL } from './verifying-origin.ts';

/** A gateway that takes requests. */
export interface RadosGateway {
  /** `s3.rados.test`, which is mapped to the port. */
  readonly host: string;
  readonly port: number;
  /** File with the CA of its certificate, as PEM. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/** Names under which the gateway is reached; the second as a bucket's own host. */
export const GATEWAY_HOSTS = ['s3.rados.test', 'photos.s3.rados.test'] as const;

const PATIENCE_MS = 90_000;
const MAX_RESTARTS = 5;

function configuration(folder: string, fsid: string, monitor: number, gateway: number): string {
  const settings: Readonly<Record<string, string | number | boolean>> = {
    fsid,
    'mon host': `v1:127.0.0.1:${String(monitor)}`,
    'mon initial members': 'a',
    'auth cluster required': 'none',
    'auth service required': 'none',
    'auth client required': 'none',
    'public addr': '127.0.0.1',
    'cluster addr': '127.0.0.1',
    'run dir': folder,
    'admin socket': '',
    'pid file': '',
    'log file': '',
    'mon cluster log file': '',
    'log to stderr': true,
    'mon data': path.join(folder, 'mon'),
    'osd data': path.join(folder, 'osd'),
    'rgw data': path.join(folder, 'rgw'),
    'mon data avail warn': 1,
    'mon data avail crit': 0,
    // One copy of everything, in memory, in few placement groups.
    'mon allow pool size one': true,
    'osd pool default size': 1,
    'osd pool default min size': 1,
    'osd pool default pg num': 1,
    'osd pool default pgp num': 1,
    'osd pool default pg autoscale mode': 'off',
    'osd crush chooseleaf type': 0,
    'osd objectstore': 'memstore',
    'memstore device bytes': 1024 ** 3,
    'mon max pg per osd': 1000,
    'rgw dns name': GATEWAY_HOSTS[0],
    'rgw enable gc threads': false,
    'rgw enable lc threads': false,
    'rgw enable quota threads': false,
    'rgw run sync thread': false,
    'rgw s3 auth use sts': true,
    'rgw sts key': 'sixteen-letters-',
    'rgw frontends': `beast ssl_endpoint=127.0.0.1:${String(gateway)} ssl_certificate=${path.join(folder, 'gateway.pem')}`,
  };
  return `[global]\n${Object.entries(settings)
    .map(([name, value]) => `${name} = ${String(value)}\n`)
    .join('')}`;
}

/** A port that is free now. */
async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

class Cluster {
  readonly #folder: string;
  readonly #daemons: { readonly process: ChildProcess; readonly said: string[] }[] = [];

  #restarts = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Runs a command of Ceph to its end. */
  run(command: string, ...args: readonly string[]): string {
    const { status, stdout, stderr, error } = spawnSync(command, ['--conf', path.join(this.#folder, 'ceph.conf'), ...args], {
      encoding: 'utf8',
      timeout: PATIENCE_MS,
    });
    if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr}`);
    return stdout;
  }

  /** Runs a command until it succeeds: a monitor that has just started is not ready for every one. */
  async insist(command: string, ...args: readonly string[]): Promise<void> {
    let refused: unknown;
    await this.until(`${command} ${args.join(' ')}`, () => {
      try {
        this.run(command, ...args);
        return true;
      } catch (error) {
        refused = error;
        return false;
      }
    }).catch((error: unknown) => {
      throw refused ?? error;
    });
  }

  start(command: string, ...args: readonly string[]): void {
    const daemon = spawn(command, ['--conf', path.join(this.#folder, 'ceph.conf'), '-f', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
    const said: string[] = [];
    daemon.stderr.setEncoding('utf8').on('data', (text: string) => said.push(text));
    this.#daemons.push({ process: daemon, said });
  }

  async until(what: string, probe: () => Promise<boolean> | boolean): Promise<void> {
    await eventually(
      async () => {
        if (await probe()) return true;
        const ended = this.#daemons.find(({ process }) => process.exitCode !== null || process.signalCode !== null);
        if (ended !== undefined && this.#restarts >= MAX_RESTARTS)
          throw new Error(`${ended.process.spawnfile} ended: ${ended.said.join('').slice(-2000)}`);
        return undefined;
      },
      what,
      PATIENCE_MS,
    );
  }

  /** Whether the OSD is up. One that met a busy machine at its start has given up, and is started again. */
  isUp(): boolean {
    const last = this.#daemons.at(-1);
    if (last !== undefined && last.process.exitCode !== null && this.#restarts < MAX_RESTARTS) {
      this.#restarts += 1;
      this.#daemons.pop();
      this.start('ceph-osd', '-i', '0');
    }
    try {
      return this.run('ceph', 'osd', 'stat').includes('1 up');
    } catch {
      return false;
    }
  }

  async stop(): Promise<void> {
    for (const { process: daemon } of this.#daemons.reverse()) {
      if (daemon.exitCode !== null || daemon.signalCode !== null) continue;
      const ended = new Promise((resolve) => daemon.once('exit', resolve));
      daemon.kill('SIGKILL');
      await ended;
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      setTimeout(resolve, 100, false);
    });
  });
}

/** Starts all of it with files in `folder`; takes some fifteen seconds. */
export async function startRadosGateway(parent: string): Promise<RadosGateway> {
  const folder = path.join(parent, 'ceph');
  for (const name of ['mon', 'osd', 'rgw']) await mkdir(path.join(folder, name), { recursive: true });
  const authority = makeTestAuthority();
  const { cert, key } = authority.issue([...GATEWAY_HOSTS]);
  await writeFile(path.join(folder, 'gateway.pem'), `${cert}${key}`);
  const caFile = path.join(parent, 'rados-ca.pem');
  await writeFile(caFile, authority.caPem);
  const [monitor, port, fsid, osd] = [await freePort(), await freePort(), randomUUID(), randomUUID()];
  await writeFile(path.join(folder, 'ceph.conf'), configuration(folder, fsid, monitor, port));
  const cluster = new Cluster(folder);
  try {
    const map = path.join(folder, 'monmap');
    cluster.run('monmaptool', '--create', '--fsid', fsid, '--addv', 'a', `[v1:127.0.0.1:${String(monitor)}]`, map);
    cluster.run('ceph-mon', '--mkfs', '-i', 'a', '--monmap', map);
    cluster.start('ceph-mon', '-i', 'a');
    await cluster.insist('ceph', 'osd', 'new', osd);
    cluster.run('ceph-osd', '--mkfs', '-i', '0', '--osd-uuid', osd);
    await cluster.insist('ceph', 'osd', 'crush', 'add', 'osd.0', '1.0', 'root=default', 'host=localhost');
    cluster.start('ceph-osd', '-i', '0');
    await cluster.until('the OSD to be up', () => cluster.isUp());
    cluster.start('radosgw', '-n', 'client.rgw');
    const keys = ['--access-key', REAL.access_key, '--secret', REAL.secret_key];
    await cluster.insist(
      'radosgw-admin',
      'user',
      'create',
      '--uid',
      'alter',
      '--display-name',
      'alter',
      '--caps',
      'roles=*;user-policy=*',
      ...keys,
    );
    await cluster.until('the gateway to listen', () => accepts(port));
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return { host: GATEWAY_HOSTS[0], port, caFile, stop: () => cluster.stop() };
}
