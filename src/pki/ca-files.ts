import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { accessHint, CommandError } from '../errors.ts';

const CERTIFICATE_FILE = 'ca.pem';
const KEY_FILE = 'ca.key';
/** Any permission of group or others. */
const EXPOSED = 0o077;

/** The two files of a CA, as PEM. */
export interface CaFiles {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/**
 * Writes a CA into `dir`, which must not exist or be empty. The files are made in a closed folder next to it, which then
 * takes its place in one step: after a crash there is a whole CA or none, and nothing is ever overwritten.
 * Throws `home_exists` or `file_unwritable`.
 */
export function writeCaFiles(dir: string, files: CaFiles): void {
  let staging: string | undefined;
  try {
    if (isTaken(dir)) throw alreadyThere(dir);
    mkdirSync(dirname(dir), { recursive: true, mode: 0o700 });
    // mkdtemp makes the folder with mode 0700
    staging = mkdtempSync(join(dirname(dir), `.${basename(dir)}-`));
    writeClosed(join(staging, KEY_FILE), files.privateKeyPem);
    writeClosed(join(staging, CERTIFICATE_FILE), files.certificatePem);
    syncFolder(staging);
    renameSync(staging, dir);
    syncFolder(dirname(dir));
  } catch (error) {
    if (staging !== undefined) rmSync(staging, { recursive: true, force: true });
    if (error instanceof CommandError) throw error;
    throw hasCode(error, 'ENOTEMPTY', 'EEXIST') ? alreadyThere(dir) : unwritable(dir, error);
  }
}

/**
 * Moves the CA in `dir`, if there is one, to `<dir>.old`; answers how to take that back. Throws `not_allowed` when something stands there
 * already, and `file_unwritable`.
 */
export function setCaFilesAside(dir: string): () => void {
  if (!isTaken(dir)) return () => undefined;
  const old = `${dir}.old`;
  if (lstatSync(old, { throwIfNoEntry: false }) !== undefined)
    throw new CommandError('not_allowed', `${old} exists`, { hint: 'It holds an older CA: move it away, or remove it.' });
  move(dir, old);
  return () => {
    move(old, dir);
  };
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (cause) {
    throw new CommandError('file_unwritable', `${from} cannot be moved to ${to}: ${reasonOf(cause)}`, { cause });
  }
}

/**
 * Reads the CA in `dir`. Throws `ca_unreadable` for what is missing or cannot be read, and `key_file_exposed` when group or
 * others have any access to the key file or the folder.
 */
export function readCaFiles(dir: string): CaFiles {
  refuseExposed(dir, modeOf(dir));
  const keyFile = join(dir, KEY_FILE);
  // The mode is asked of the open file, so that what is checked is what is read.
  const privateKeyPem = readOpen(keyFile, (mode) => {
    refuseExposed(keyFile, mode);
  });
  return { privateKeyPem, certificatePem: readOpen(join(dir, CERTIFICATE_FILE)) };
}

function isTaken(dir: string): boolean {
  const entry = lstatSync(dir, { throwIfNoEntry: false });
  return entry !== undefined && (!entry.isDirectory() || readdirSync(dir).length > 0);
}

function modeOf(dir: string): number {
  try {
    return statSync(dir).mode;
  } catch (error) {
    throw unreadable(dir, error);
  }
}

function readOpen(file: string, check?: (mode: number) => void): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, constants.O_RDONLY);
    check?.(fstatSync(descriptor).mode);
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    throw error instanceof CommandError ? error : unreadable(file, error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function writeClosed(file: string, text: string): void {
  const descriptor = openSync(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, 0o600);
  try {
    writeFileSync(descriptor, text);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function syncFolder(dir: string): void {
  const descriptor = openSync(dir, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function refuseExposed(path: string, mode: number): void {
  if ((mode & EXPOSED) === 0) return;
  const octal = (mode & 0o777).toString(8).padStart(4, '0');
  throw new CommandError('key_file_exposed', `${path} is open to group or others (mode ${octal})`);
}

function alreadyThere(dir: string): CommandError {
  return new CommandError('home_exists', `${dir} is not empty: a CA is only created in a new folder`);
}

function unwritable(dir: string, cause: unknown): CommandError {
  return new CommandError('file_unwritable', `cannot create the CA in ${dir}: ${reasonOf(cause)}`, { cause });
}

function unreadable(path: string, cause: unknown): CommandError {
  const what = hasCode(cause, 'ENOENT') ? 'does not exist' : `cannot be read: ${reasonOf(cause)}`;
  return new CommandError('ca_unreadable', `${path} ${what}`, { cause, ...accessHint(cause) });
}

function hasCode(error: unknown, ...codes: string[]): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code);
}

function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
}
