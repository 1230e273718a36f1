import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { makeTestAuthority } from '../../support/certificates.ts';
import { eventually } from '../../support/eventually.ts';
import { AWS_HOSTS, SCOPES } from './hosts.ts';

/** Sources that are not compiled stand beside dist/. */
export const AWS_TESTS = fileURLToPath(new URL('../../../../test/aws/', import.meta.url));

/** Debian's own, which has Debian's botocore; another Python may stand before it in PATH. */
export const PYTHON = '/usr/bin/python3';

/** The real credential, known to the verifier and to the proxy only. */
export const REAL = {
  access_key: 'AKIDREALREALREALREAL',
  secret_key: 'real/secret+key/of/40/characters/aaaaaaaaa',
} as const;

/** One request as the verifier saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  /** `ok`, or the error code that AWS would answer. */
  readonly verdict: string;
  readonly detail?: string;
  readonly canonical?: string;
  readonly service?: string;
  readonly region?: string;
  readonly in_query?: boolean;
  /** Size and SHA-256 of the content, without aws-chunked. */
  readonly bytes?: number;
  readonly sha256?: string;
}

/** A server that stands for AWS and verifies every signature with botocore. */
export interface VerifyingOrigin {
  readonly port: number;
  /** File with the CA of its certificate, as PEM. */
  readonly caFile: string;
  /** Every request so far. */
  readonly seen: SeenRequest[];
  /** Changes settings of the verifier; `null` takes one away. */
  set(settings: Readonly<Record<string, unknown>>): Promise<void>;
  stop(): Promise<void>;
}

/** Starts the verifier with files in `folder`. */
export async function startVerifyingOrigin(folder: string): Promise<VerifyingOrigin> {
  const authority = makeTestAuthority();
  const { key, cert } = authority.issue([...AWS_HOSTS, 'localhost']);
  const certificate = path.join(folder, 'aws.pem');
  const caFile = path.join(folder, 'aws-ca.pem');
  await writeFile(certificate, `${cert}${key}`);
  await writeFile(caFile, authority.caPem);
  const settings = JSON.stringify({ ...REAL, scopes: SCOPES });
  const child = spawn(PYTHON, [path.join(AWS_TESTS, 'verifier/verifier.py'), certificate, settings], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { PATH: '/usr/bin:/bin', PYTHONDONTWRITEBYTECODE: '1' },
  });
  const seen: SeenRequest[] = [];
  const state = { port: 0, changes: 0 };
  createInterface({ input: child.stdout }).on('line', (line) => {
    const event = JSON.parse(line) as { event: string; port: number } & SeenRequest;
    if (event.event === 'listening') state.port = event.port;
    else if (event.event === 'settings') state.changes += 1;
    else if (event.event === 'request') seen.push(event);
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      resolve();
    });
  });
  await eventually(
    () => {
      if (child.exitCode !== null) throw new Error('the verifier ended: is Debian’s python3-botocore there?');
      return state.port === 0 ? undefined : state.port;
    },
    'the verifier to listen',
    30_000,
  );
  return {
    port: state.port,
    caFile,
    seen,
    async set(changes) {
      const before = state.changes;
      child.stdin.write(`${JSON.stringify(changes)}\n`);
      await eventually(() => (state.changes > before ? true : undefined), 'the verifier to take settings');
    },
    async stop() {
      child.stdin.end();
      child.kill();
      await exited;
    },
  };
}
