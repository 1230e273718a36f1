import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { CommandError } from '../errors.ts';
import { isExisting, systemReason } from './report-error.ts';

/** A file for a key that is still to be made. */
export interface KeyFile {
  readonly path: string;
  /** Writes the text. Throws CommandError `file_unwritable` when it cannot. */
  fill(text: string): void;
  /** Takes the place of the file that it replaces. Throws CommandError `file_unwritable` when it cannot, and says where the text is. */
  takePlace(): void;
  /** Leaves everything as it was before. */
  giveUp(): void;
}

/** What a file holds until its key is made. It is longer than any key, which so finds room also when the disk has filled up meanwhile. */
const ROOM = ' '.repeat(128);

/**
 * Makes the file before the key, with room for it, so that no key is made that nobody gets to see. One that is replaced stays until the new text
 * is whole: it may hold the only copy of a key that works. Throws CommandError `not_allowed` or `file_unwritable`.
 */
export function reserveKeyFile(out: string, replace: boolean): KeyFile {
  const path = resolve(out);
  if (replace && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true)
    throw new CommandError('not_allowed', `${path} is a folder`, { hint: 'Name a file.' });
  const reserved = replace ? `${path}.${randomBytes(6).toString('hex')}.new` : path;
  const giveUp = (): void => {
    rmSync(reserved, { force: true });
  };
  const descriptor = create(reserved, path);
  try {
    writeAndClose(descriptor, ROOM);
  } catch (cause) {
    giveUp();
    throw unwritable(path, cause);
  }
  return {
    path,
    fill: (text) => {
      try {
        // Without emptying it first, which would give its room away.
        writeAndClose(openSync(reserved, 'r+'), text);
      } catch (cause) {
        throw unwritable(path, cause);
      }
    },
    takePlace: () => {
      if (reserved !== path) moveOver(reserved, path);
    },
    giveUp,
  };
}

function create(reserved: string, path: string): number {
  try {
    return openSync(reserved, 'wx', 0o600);
  } catch (error) {
    if (!isExisting(error)) throw error;
    throw new CommandError('not_allowed', `${path} exists`, { hint: 'Name another file, or pass --force to replace it.' });
  }
}

/** Makes `text` all that a file holds. */
function writeAndClose(descriptor: number, text: string): void {
  try {
    writeFileSync(descriptor, text);
    ftruncateSync(descriptor, Buffer.byteLength(text));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function unwritable(path: string, cause: unknown): CommandError {
  return new CommandError('file_unwritable', `${path} cannot be written: ${systemReason(cause)}`, { cause });
}

function moveOver(reserved: string, path: string): void {
  try {
    renameSync(reserved, path);
  } catch (cause) {
    throw new CommandError('file_unwritable', `${path} cannot be replaced; the new key is in ${reserved}`, { cause });
  }
}
