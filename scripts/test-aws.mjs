/**
 * `npm run test:aws`: unmodified AWS clients against verifiers of their signatures, with and without the proxy. Installs what is missing,
 * which `npm test` does without: Debian's AWS clients and Ceph, and the AWS SDK for JavaScript.
 *
 *   npm run test:aws -- [--no-build] [test/aws/file.aws.ts …] [arguments of ava]
 */
import { existsSync } from 'node:fs';
import path from 'node:path';

import { ensureDependencies } from './dependencies.mjs';
import { ROOT, runCommand, runScript } from './run-command.mjs';
import { AWS_PACKAGES, ensureSystemPackages, TEST_PACKAGES } from './system-packages.mjs';

const SDK = 'test/aws/clients/node';

/** The SDK has a lockfile of its own, so that it is no dependency of the proxy's developers. */
function ensureSdk() {
  if (existsSync(path.join(ROOT, SDK, 'node_modules/@aws-sdk/client-s3'))) return;
  console.log('Installing the AWS SDK for JavaScript (npm ci) …');
  if (runCommand('npm', ['ci', '--prefix', SDK, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])) return;
  console.error(`Missing: the AWS SDK for JavaScript. npm ci --prefix ${SDK} needs the npm registry, or a filled npm cache.`);
  process.exit(1);
}

const given = process.argv.slice(2);
ensureDependencies();
ensureSystemPackages([...TEST_PACKAGES, ...AWS_PACKAGES]);
ensureSdk();
if (!given.includes('--no-build') && !runScript('scripts/build.mjs')) {
  console.error('The build failed; no test ran.');
  process.exit(1);
}
const args = given.filter((arg) => arg !== '--no-build').map((arg) => arg.replace(/^(?:\.\/)?(test\/.*)\.ts$/, 'dist/$1.js'));
process.exitCode = runScript('node_modules/ava/entrypoints/cli.mjs', ['--config', 'ava.aws.config.js', ...args]) ? 0 : 1;
