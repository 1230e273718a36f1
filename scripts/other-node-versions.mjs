/**
 * Runs the built tests on the other supported lines of Node. Their binaries come as npm packages, into a temporary folder.
 *
 *   node scripts/other-node-versions.mjs [test/unit/area/file.test.ts …] [arguments of ava]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { runCommand } from './run-command.mjs';

const SUPPORTED = ['20', '22', '24'];
/** A line between two on which every test runs: there those of connections and of the main job are enough, unless tests are named. */
const BETWEEN_FILES = 'body-spool,invariants,keep-alive,leaks,main-job,redis,resets,slow-clients,smuggling,streaming,upstream-pool';
const BETWEEN = { version: '22', tests: [`dist/test/integration/{${BETWEEN_FILES}}.test.js`] };

/**
 * Runs the tests with one Node at the front of PATH, so that also `env node` in child processes is that one.
 * @param {string} version
 * @param {string} folder
 */
function testsPassOn(version, folder) {
  const name = `node-linux-${process.arch}`;
  const prefix = path.join(folder, version);
  const install = [
    'install',
    '--no-save',
    '--no-audit',
    '--no-fund',
    '--ignore-scripts',
    '--loglevel=error',
    '--prefix',
    prefix,
    `${name}@${version}`,
  ];
  if (!runCommand('npm', install)) return false;
  const bin = path.join(prefix, 'node_modules', name, 'bin');
  const env = { ...process.env, PATH: `${bin}${path.delimiter}${process.env.PATH ?? ''}` };
  const node = path.join(bin, 'node');
  const named = process.argv.slice(2);
  const tests = named.length === 0 && version === BETWEEN.version ? BETWEEN.tests : named;
  return runCommand(node, ['--version'], env) && runCommand(node, ['scripts/test.mjs', '--no-build', ...tests], env);
}

const others = SUPPORTED.filter((version) => !process.version.startsWith(`v${version}.`));
const folder = mkdtempSync(path.join(tmpdir(), 'alter-node-'));
try {
  const failed = others.filter((version) => {
    console.log(`\n== Tests on Node ${version} ==\n`);
    return !testsPassOn(version, folder);
  });
  if (failed.length > 0) console.error(`\nFailed on Node ${failed.join(' and ')}.`);
  process.exitCode = failed.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
