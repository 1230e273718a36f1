import { createSecretKey, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { accessHint, CommandError } from '../errors.ts';
import { isAppName } from './names.ts';

/** One master key. The bytes stay inside the KeyObject, which does not print them. */
export interface MasterKey {
  readonly kid: string;
  readonly app: string;
  /** The one key of its app that seals. */
  readonly active: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly key: KeyObject;
}

/** A keyring file as it was read. */
export interface KeyringContents {
  readonly keys: readonly MasterKey[];
  /** Changes whenever the file does. */
  readonly stamp: string;
}

/** A member of the JWKS. Members that this code does not know are kept when the file is written again. */
export type Jwk = Readonly<Record<string, unknown>>;

const KEY_BYTES = 32;
const KEY_TEXT = /^[A-Za-z0-9_-]{43}$/;
const KID = /^[A-Za-z0-9._-]{1,128}$/;
const LOCK_STALE_MS = 10_000;

/** A new JWK with 32 random bytes. */
export function newJwk(app: string, active: boolean): Jwk & { readonly kid: string } {
  return {
    kty: 'oct',
    kid: `${app}-${randomBytes(8).toString('hex')}`,
    k: randomBytes(KEY_BYTES).toString('base64url'),
    alg: 'A256GCMKW',
    use: 'enc',
    alter_app: app,
    alter_active: active,
    alter_created: Date.now(),
  };
}

/** Identity of the file now; see {@link KeyringContents.stamp}. */
export function stampOf(file: string): string {
  try {
    return stampText(fs.statSync(file, { bigint: true }));
  } catch (cause) {
    throw unreadable(file, reasonOf(cause), cause);
  }
}

/** Reads and checks the file. Throws `key_file_exposed` when others may read it, `keyring_unreadable` for all else. */
export function readKeyringFile(file: string): KeyringContents {
  const { jwks, stamp } = readJwks(file);
  return { keys: parseKeys(file, jwks), stamp };
}

/** Creates the file. Never overwrites: throws `home_exists`. */
export function createKeyringFile(file: string, jwks: readonly Jwk[]): void {
  prepareFolder(dirname(file));
  let descriptor;
  try {
    descriptor = fs.openSync(file, 'wx', 0o600);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new CommandError('home_exists', `${file} exists already and is not overwritten`);
    throw unwritable(file, cause);
  }
  try {
    writeWhole(descriptor, jwks);
  } catch (cause) {
    fs.rmSync(file, { force: true });
    throw unwritable(file, cause);
  }
  syncFolder(dirname(file));
}

/** Replaces the keys by `change(keys)`: other processes see the old file or the new one, and one change at a time is made. */
export function changeKeyringFile(file: string, change: (jwks: readonly Jwk[]) => readonly Jwk[]): void {
  const real = realPath(file);
  const release = lock(real);
  try {
    const { jwks } = readJwks(real);
    parseKeys(real, jwks);
    const changed = change(jwks);
    parseKeys(real, changed);
    replaceFile(real, changed);
  } finally {
    release();
  }
}

function readJwks(file: string): { readonly jwks: readonly Jwk[]; readonly stamp: string } {
  let descriptor;
  try {
    descriptor = fs.openSync(file, 'r');
  } catch (cause) {
    throw unreadable(file, reasonOf(cause), cause);
  }
  try {
    const stat = fs.fstatSync(descriptor, { bigint: true });
    if ((Number(stat.mode) & 0o077) !== 0) throw new CommandError('key_file_exposed', `${file} can be read or written by other users`);
    return { jwks: parseJwks(file, fs.readFileSync(descriptor, 'utf8')), stamp: stampText(stat) };
  } catch (cause) {
    if (cause instanceof CommandError) throw cause;
    throw unreadable(file, reasonOf(cause), cause);
  } finally {
    fs.closeSync(descriptor);
  }
}

function stampText(stat: fs.BigIntStats): string {
  return [stat.dev, stat.ino, stat.mtimeNs, stat.ctimeNs, stat.size].join(':');
}

function parseJwks(file: string, text: string): readonly Jwk[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, and the text holds keys.
    throw unreadable(file, 'it is not JSON');
  }
  const keys = isObject(value) ? value['keys'] : undefined;
  if (!Array.isArray(keys) || !keys.every(isObject)) throw unreadable(file, 'it has no list "keys"');
  return keys;
}

function parseKeys(file: string, jwks: readonly Jwk[]): readonly MasterKey[] {
  const keys = jwks.map((jwk, index) => parseKey(file, jwk, index));
  if (keys.length === 0) throw unreadable(file, 'it has no keys');
  const kids = new Set(keys.map(({ kid }) => kid));
  if (kids.size !== keys.length) throw unreadable(file, 'two keys have the same kid');
  const active = keys.filter((key) => key.active).map(({ app }) => app);
  if (new Set(active).size !== active.length) throw unreadable(file, 'an app has more than one active key');
  return keys;
}

function parseKey(file: string, jwk: Jwk, index: number): MasterKey {
  const wrong = (member: string): CommandError => unreadable(file, `keys[${String(index)}].${member} is missing or wrong`);
  const { kid, k, alter_app: app, alter_active: active, alter_created: createdAt } = jwk;
  if (jwk['kty'] !== 'oct') throw wrong('kty');
  if (jwk['alg'] !== 'A256GCMKW') throw wrong('alg');
  if (jwk['use'] !== 'enc') throw wrong('use');
  if (typeof kid !== 'string' || !KID.test(kid)) throw wrong('kid');
  if (typeof k !== 'string' || !KEY_TEXT.test(k)) throw wrong('k');
  if (typeof app !== 'string' || !isAppName(app)) throw wrong('alter_app');
  if (typeof active !== 'boolean') throw wrong('alter_active');
  if (typeof createdAt !== 'number' || !Number.isSafeInteger(createdAt)) throw wrong('alter_created');
  return Object.freeze({ kid, app, active, createdAt, key: createSecretKey(k, 'base64url') });
}

function prepareFolder(folder: string): void {
  let mode;
  try {
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
    mode = fs.statSync(folder).mode;
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  if ((mode & 0o077) !== 0) throw new CommandError('key_file_exposed', `the folder ${folder} is open to other users`);
}

/** Written beside the file and renamed over it, so that a full disk or a crash leaves the old file whole. */
function replaceFile(file: string, jwks: readonly Jwk[]): void {
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(6).toString('hex')}.new`);
  try {
    writeWhole(fs.openSync(temporary, 'wx', 0o600), jwks);
    fs.renameSync(temporary, file);
  } catch (cause) {
    fs.rmSync(temporary, { force: true });
    throw unwritable(file, cause);
  }
  syncFolder(dirname(file));
}

function writeWhole(descriptor: number, jwks: readonly Jwk[]): void {
  try {
    fs.writeFileSync(descriptor, `${JSON.stringify({ keys: jwks }, null, 2)}\n`);
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

function syncFolder(folder: string): void {
  const descriptor = fs.openSync(folder, 'r');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Without it, two operators who add keys at the same time would lose one of them, and with it every record sealed under it. */
function lock(file: string): () => void {
  const path = `${file}.lock`;
  removeStaleLock(path);
  try {
    fs.closeSync(fs.openSync(path, 'wx', 0o600));
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') throw new CommandError('record_conflict', `another process is changing ${file}`);
    throw unwritable(file, cause);
  }
  return () => {
    fs.rmSync(path, { force: true });
  };
}

function removeStaleLock(path: string): void {
  const stat = fs.statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && Date.now() - stat.mtimeMs > LOCK_STALE_MS) fs.rmSync(path, { force: true });
}

function realPath(file: string): string {
  try {
    return fs.realpathSync(file);
  } catch (cause) {
    throw unreadable(file, reasonOf(cause), cause);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function codeOf(cause: unknown): string | undefined {
  return cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
}

function reasonOf(cause: unknown): string {
  return codeOf(cause) ?? 'it cannot be read';
}

function unreadable(file: string, reason: string, cause?: unknown): CommandError {
  return new CommandError('keyring_unreadable', `the keyring ${file} cannot be used: ${reason}`, { cause, ...accessHint(cause) });
}

function unwritable(file: string, cause: unknown): CommandError {
  return new CommandError('file_unwritable', `${file} cannot be written: ${codeOf(cause) ?? 'unknown failure'}`, { cause });
}
