import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Ca } from '../pki/ca.ts';
import { exportTrust } from '../pki/export.ts';
import { ADDING_TRUST_VARIABLES, REPLACING_TRUST_VARIABLES, type JavaTrustStore, type TrustVariable } from './run-environment.ts';
import { isAlive } from './run-file.ts';

/** The trust files of one run, in a folder of their own. */
export interface RunFolder {
  readonly trustFiles: Readonly<Record<TrustVariable, string>>;
  readonly javaTrustStore: JavaTrustStore;
  /** Removes the folder. */
  remove(): void;
}

const NAME = /^run-(\d+)-/;
/** What every Java tool expects; the store holds certificates only. */
const JAVA_PASSWORD = 'changeit';

type Environment = Readonly<Record<string, string | undefined>>;

/** Removes what runs that were killed have left behind. */
function removeStale(runDir: string): void {
  for (const name of readdirSync(runDir)) {
    const pid = Number(NAME.exec(name)?.[1] ?? 0);
    if (pid > 0 && pid !== process.pid && !isAlive(pid)) rmSync(join(runDir, name), { recursive: true, force: true });
  }
}

/** The certificates that the caller had chosen for a client, or undefined when there are none to keep. */
function callersChoice(variable: TrustVariable, env: Environment): string | undefined {
  const replaces = (REPLACING_TRUST_VARIABLES as readonly string[]).includes(variable);
  const path = env[variable] ?? (replaces ? env['SSL_CERT_FILE'] : undefined);
  if (path === undefined || path === '') return undefined;
  try {
    const text = readFileSync(path, 'utf8');
    return text.includes('-----BEGIN') ? text : undefined;
  } catch {
    // A missing file or a folder: the client would have fallen back to its own roots or failed; the bundle with the roots serves it better.
    return undefined;
  }
}

function writeTrustFiles(folder: string, ca: Ca, env: Environment): Readonly<Record<TrustVariable, string>> {
  const written = new Map<string, string>();
  const write = (name: string, content: string): string => {
    const file = written.get(content) ?? join(folder, name);
    if (!written.has(content)) writeFileSync(file, content, { mode: 0o600 });
    written.set(content, file);
    return file;
  };
  const authority = exportTrust(ca, 'pem').toString('utf8');
  const files = { ca: write('ca.pem', authority), bundle: write('bundle.pem', exportTrust(ca, 'bundle').toString('utf8')) };
  const fileFor = (variable: TrustVariable, standard: string): string => {
    const kept = callersChoice(variable, env);
    return kept === undefined ? standard : write(`${variable.toLowerCase()}.pem`, `${kept.trimEnd()}\n${authority}`);
  };
  return Object.fromEntries([
    ...REPLACING_TRUST_VARIABLES.map((variable) => [variable, fileFor(variable, files.bundle)]),
    ...ADDING_TRUST_VARIABLES.map((variable) => [variable, fileFor(variable, files.ca)]),
  ]) as Record<TrustVariable, string>;
}

/** Makes the folder of a run under `runDir`, with the trust files for every client. Certificates that the caller had chosen stay trusted. */
export function createRunFolder(runDir: string, ca: Ca, env: Environment): RunFolder {
  mkdirSync(runDir, { recursive: true, mode: 0o700 });
  removeStale(runDir);
  const folder = mkdtempSync(join(runDir, `run-${String(process.pid)}-`));
  const remove = () => {
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const trustFiles = writeTrustFiles(folder, ca, env);
    const javaFile = join(folder, 'trust.p12');
    writeFileSync(javaFile, exportTrust(ca, 'p12', { password: JAVA_PASSWORD, includeRoots: true }), { mode: 0o600 });
    return { trustFiles, javaTrustStore: { file: javaFile, password: JAVA_PASSWORD }, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
