/** The two ways to the verifier: straight, with the real key; and through the proxy, with a grant in its place. */
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';

/** How a client reaches AWS, and with which credential. */
export interface Route {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly proxyPort: number;
  /** `http://…@127.0.0.1:port`. */
  readonly proxyUrl: string;
  /** File with the CA that the client is to trust. */
  readonly caFile: string;
  /** A folder that the client may write to. */
  readonly folder: string;
}

/** How a program ended and what it printed. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const PATIENCE_MS = 90_000;

/** What a user of AWS sets to go through the proxy, and nothing else of this machine. */
function clientEnvironment(route: Route): Record<string, string> {
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    HOME: route.folder,
    LANG: 'C.UTF-8',
    AWS_ACCESS_KEY_ID: route.accessKey,
    AWS_SECRET_ACCESS_KEY: route.secretKey,
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_REGION: 'us-east-1',
    AWS_CA_BUNDLE: route.caFile,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
    AWS_PAGER: '',
    HTTPS_PROXY: route.proxyUrl,
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/** Runs a program to its end. */
export async function runClient(route: Route, command: string, args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  await mkdir(path.join(route.folder, '.aws'), { recursive: true });
  const child = spawn(command, args, {
    cwd: route.folder,
    env: { ...clientEnvironment(route), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const written = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      written[name] += text;
    });
  const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  clearTimeout(timer);
  return { code, ...written };
}
