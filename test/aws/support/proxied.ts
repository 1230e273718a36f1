import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../../src/cli/program.ts';
import { fakeTerminal } from '../../support/fake-terminal.ts';
import { CLI, startProxyProcess, type ProxyProcess } from '../../support/proxy-process.ts';
import { runClient, type Ran, type Route } from './route.ts';
import { REAL } from './verifying-origin.ts';

/** Clients whose way goes through the proxy, a process of its own, with a grant in the place of the access key. */
export interface Proxied {
  readonly route: Route;
  readonly proxy: ProxyProcess;
  /** Id of the grant. */
  readonly grant: string;
  /** Runs a command of alter-proxy as a process that reaches the hosts as the proxy does. */
  cli(args: readonly string[]): Promise<Ran>;
  /** Runs a command of alter-proxy in this process on the home of the proxy; it must succeed. Returns what it prints. */
  command(args: readonly string[], stdin?: string): Promise<string>;
  stop(): Promise<void>;
}

/** What the proxy reaches, and with which credential. */
export interface ProxiedOptions {
  /** Host to port on this machine. */
  readonly hosts: Readonly<Record<string, number>>;
  /** CA of what answers there. */
  readonly caFile: string;
  /** From the catalogue; `aws` unless told. */
  readonly provider?: string;
  /** Fields of the credential besides the access key. */
  readonly fields?: Readonly<Record<string, string>>;
}

const MAP_HOSTS = fileURLToPath(new URL('./map-hosts.js', import.meta.url));

/** Starts a proxy for which the hosts are on this machine, and stores the real key in it. */
export async function startProxied({ hosts, caFile, provider = 'aws', fields = {} }: ProxiedOptions): Promise<Proxied> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'alter-aws-'));
  const home = path.join(folder, 'home');
  const command = async (args: readonly string[], stdin = ''): Promise<string> => {
    const terminal = fakeTerminal({ stdin, env: { ALTER_HOME: home, PATH: process.env['PATH'] ?? '' } });
    const code = await runProgram(args, terminal);
    const { stdout, stderr } = terminal.written();
    if (code !== 0) throw new Error(`alter-proxy ${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    return stdout;
  };
  await command(['init']);
  const names = Object.keys(hosts);
  const allowed = names.map((name) => `    - ${name}\n`).join('');
  await writeFile(
    path.join(home, 'config.yaml'),
    `listen: { port: 0 }\nadmin: false\nkey_file: key\nupstream:\n  ca_files: ['${caFile}']\n  allow_private:\n${allowed}`,
  );
  const values = { access_key_id: REAL.access_key, secret_access_key: REAL.secret_key, ...fields };
  const destinations = names.flatMap((name) => ['--host', name]);
  await command(['secret', 'add', 'aws', '--provider', provider, '--fields-stdin', ...destinations], JSON.stringify(values));
  const grant = (await command(['grant', 'issue', '--secret', 'aws', '--label', 'aws'])).trim();
  const created = JSON.parse(await command(['key', 'create', 'app', '--json'])) as { key: string };
  const mapping = { NODE_OPTIONS: `--import=${MAP_HOSTS}`, AWS_TEST_HOSTS: JSON.stringify(hosts) };
  const proxy = await startProxyProcess(home, [], mapping);
  const clients = path.join(folder, 'clients');
  await mkdir(clients);
  const route: Route = {
    accessKey: `alter_grant_${grant}`,
    secretKey: 'any-secret-key-will-do',
    proxyPort: proxy.port,
    proxyUrl: `http://x:${created.key}@127.0.0.1:${String(proxy.port)}`,
    caFile: path.join(home, 'ca', 'ca.pem'),
    folder: clients,
  };
  return {
    proxy,
    grant,
    command,
    cli: (args) => runClient(route, process.execPath, [CLI, '--home', home, ...args], mapping),
    route,
    async stop() {
      await proxy.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
