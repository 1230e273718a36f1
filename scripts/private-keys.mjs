/** No private key is ever committed: looks for PEM and JWK key material, and for key files, in every tracked file. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { ROOT } from './run-command.mjs';

/** A PEM header with base64 after it, also when the line break is written as an escape. The header alone is no key. */
const PEM = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\s|\\n|\\r)+[A-Za-z0-9+/=]{16}/;
/** A symmetric or private JWK: its `k` or `d` is at least 128 bits. */
const JWK = /["']?\b[kd]\b["']?\s*:\s*["'][A-Za-z0-9_-]{22,}["']/;
const KEY_FILE = /\.(key|p12|pfx|jks|keystore)$|(^|\/)id_(rsa|ecdsa|ed25519)$|(^|\/)keyring\.json$/;
const UNTRACKED = new Set(['.git', 'node_modules', 'coverage', '.demo', '.cache']);

/**
 * What is wrong with a file, or undefined.
 * @param {string} file
 * @param {string} text
 */
export function privateKeyIn(file, text) {
  if (KEY_FILE.test(file)) return 'is a key file by its name';
  if (PEM.test(text)) return 'holds a PEM private key';
  if (JWK.test(text) && /["']?\bkty\b["']?\s*:/.test(text)) return 'holds a private or symmetric JWK';
  return undefined;
}

/** Files that git tracks or would add; without git, every file that is not output. */
function trackedFiles() {
  const { status, stdout } = spawnSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: ROOT });
  if (status === 0) return stdout.toString().split('\0').filter(Boolean);
  return readdirSync(ROOT, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(ROOT, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.split(path.sep).some((part) => UNTRACKED.has(part) || /^dist(-|$)/.test(part)));
}

/** @param {string} file */
function read(file) {
  try {
    return readFileSync(path.join(ROOT, file), 'utf8');
  } catch (error) {
    // Deleted from the working tree, but still in the index.
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const files = trackedFiles();
  const findings = files.flatMap((file) => {
    const finding = privateKeyIn(file, read(file));
    return finding === undefined ? [] : [`${file} ${finding}`];
  });
  for (const finding of findings) console.error(finding);
  if (findings.length === 0) console.log(`No private key in ${files.length} files.`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
