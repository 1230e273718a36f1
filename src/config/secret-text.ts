import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { Secret } from '../secret/secret.ts';
import { reasonOf } from './read-file.ts';

/** Digests under a key of this process, so that a reload can tell whether a secret changed without looking into it. */
const digests = new WeakMap<Secret, Buffer>();
const digestKey = randomBytes(32);

/** `text` as a secret that {@link sameSecret} can compare. */
export function comparableSecret(text: string): Secret {
  const secret = new Secret(text);
  digests.set(secret, createHash('sha256').update(digestKey).update(text).digest());
  return secret;
}

/** Whether both hold the same text. A secret that was not made by {@link comparableSecret} is like itself only. */
export function sameSecret(a: Secret, b: Secret): boolean {
  const [digestA, digestB] = [digests.get(a), digests.get(b)];
  if (digestA === undefined || digestB === undefined) return a === b;
  return timingSafeEqual(digestA, digestB);
}

/** What a file with one secret holds, or why it is not read. */
type SecretFile =
  | { readonly text: string }
  | { readonly code: 'key_file_exposed' | 'file_unreadable' | 'config_invalid'; readonly what: string; readonly right: string };

/** Reads a file that holds one line of secret text. The file is refused when anybody but its owner may read or write it. */
export function readSecretFile(file: string): SecretFile {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    // The very file that was opened is checked, not what its name may point to a moment later.
    const mode = fstatSync(descriptor).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      return {
        code: 'key_file_exposed',
        what: `names a file that others may read (mode 0${mode.toString(8)})`,
        right: 'run chmod 600 on it',
      };
    }
    const text = readFileSync(descriptor, 'utf8').replace(/\r?\n$/, '');
    if (/^[^\0\r\n]+$/.test(text)) return { text };
    return { code: 'config_invalid', what: 'names a file that does not hold exactly one line', right: 'write only the secret into it' };
  } catch (error) {
    return {
      code: 'file_unreadable',
      what: `names a file that cannot be read (${reasonOf(error)})`,
      right: 'name a file that exists; relative paths start at the home folder',
    };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
