import { readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';

import { ROOT, runScript } from './run-command.mjs';

/** Where V8 writes what ran, for `NODE_V8_COVERAGE`. */
export const COVERAGE_DATA = path.join(ROOT, 'coverage/tmp');

/** Compiled modules without code: their sources hold only types, which c8 would count as lines that never ran. */
function modulesWithoutCode() {
  return readdirSync(path.join(ROOT, 'dist/src'), { recursive: true })
    .map((file) => path.join('dist/src', file))
    .filter(
      (file) =>
        file.endsWith('.js') && /^export \{\};\s*(\/\/# sourceMappingURL=.*\s*)?$/.test(readFileSync(path.join(ROOT, file), 'utf8')),
    );
}

/** Forgets the last run. */
export function clearCoverage() {
  rmSync(path.join(ROOT, 'coverage'), { recursive: true, force: true });
}

/** Writes the report, prints its summary, and returns whether the thresholds of `.c8rc.json` are met. */
export function reportCoverage() {
  const excluded = modulesWithoutCode().flatMap((file) => ['--exclude', file]);
  return runScript('node_modules/c8/bin/c8.js', ['report', '--temp-directory', COVERAGE_DATA, ...excluded]);
}
