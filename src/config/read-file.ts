import { accessSync, constants, lstatSync, readFileSync, statSync } from 'node:fs';

/** The stable reason of a failed file operation: `ENOENT`, `EACCES` … */
export function reasonOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown reason';
}

/** Whether nothing stands there. What cannot be looked at may be there: reading it says why it cannot be read. */
export function isMissing(file: string): boolean {
  try {
    lstatSync(file);
    return false;
  } catch (error) {
    return reasonOf(error) === 'ENOENT';
  }
}

/** Why `file` is not a file (or folder) that this user can read; undefined when it is. */
export function unreadable(file: string, kind: 'file' | 'folder'): string | undefined {
  try {
    accessSync(file, constants.R_OK);
    const isFolder = statSync(file).isDirectory();
    if (isFolder === (kind === 'folder')) return undefined;
    return isFolder ? 'EISDIR' : 'ENOTDIR';
  } catch (error) {
    return reasonOf(error);
  }
}

/** The text of `file`; undefined when it is not UTF-8. Throws what the file system throws. */
export function readText(file: string): string | undefined {
  const bytes = readFileSync(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
