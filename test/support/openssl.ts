import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** What an openssl command ended with. */
export interface OpensslResult {
  readonly ok: boolean;
  /** Standard output and standard error. */
  readonly text: string;
}

/** Runs `openssl <args>`: the second opinion on what the proxy makes. */
export function openssl(...args: string[]): OpensslResult {
  const { status, stdout, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  return { ok: status === 0, text: stdout + stderr };
}

/** A folder for the files of one test, gone when the test is over. */
export function opensslFolder(t: ExecutionContext): { readonly path: string; write(name: string, content: string | Buffer): string } {
  const path = mkdtempSync(join(tmpdir(), 'alter-pki-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    write: (name, content) => {
      writeFileSync(join(path, name), content, { mode: 0o600 });
      return join(path, name);
    },
  };
}
