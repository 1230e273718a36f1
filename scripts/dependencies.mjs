import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { ROOT, runCommand } from './run-command.mjs';

/** @param {string} file */
const packagesOf = (file) => JSON.parse(readFileSync(path.join(ROOT, file), 'utf8')).packages;

/**
 * Whether `node_modules` is what `package-lock.json` says. The contents are compared, not the times: a checkout sets times as it likes.
 * Optional packages of other platforms may be absent.
 */
export function dependenciesAreCurrent() {
  const installedFile = 'node_modules/.package-lock.json';
  if (!existsSync(path.join(ROOT, installedFile))) return false;
  const installed = packagesOf(installedFile);
  return Object.entries(packagesOf('package-lock.json')).every(([folder, { version, optional }]) => {
    if (folder === '') return true;
    const found = installed[folder];
    return found === undefined ? optional === true : found.version === version;
  });
}

/** Installs the dependencies when they are missing or not the ones of the lockfile. Ends the process when that fails. */
export function ensureDependencies() {
  if (dependenciesAreCurrent()) return;
  console.log('Installing the dependencies (npm ci) …');
  if (runCommand('npm', ['ci', '--include=dev', '--no-audit'])) return;
  console.error('npm ci failed. It needs the npm registry, or a filled npm cache.');
  process.exit(1);
}
