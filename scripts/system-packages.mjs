/**
 * Programs that the tests use and npm does not bring. As a command: `node scripts/system-packages.mjs [program …]`.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { runCommand } from './run-command.mjs';

/** @param {string} program */
function onPath(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
}

/** How to see that each Debian package is there. */
const PACKAGES = {
  'redis-server': () => onPath('redis-server'),
  openssl: () => onPath('openssl'),
  curl: () => onPath('curl'),
  'ca-certificates': () => existsSync('/etc/ssl/certs/ca-certificates.crt'),
  // Debian's own, wherever another version of the same program stands in PATH.
  awscli: () => existsSync('/usr/bin/aws'),
  'python3-boto3': () => existsSync('/usr/lib/python3/dist-packages/boto3'),
  rclone: () => onPath('rclone'),
  s3cmd: () => onPath('s3cmd'),
  'ceph-common': () => onPath('ceph'),
  'ceph-mon': () => onPath('ceph-mon'),
  'ceph-osd': () => onPath('ceph-osd'),
  radosgw: () => onPath('radosgw'),
};

/** What every test run needs. The rest is for `npm run test:aws`. */
export const TEST_PACKAGES = ['redis-server', 'openssl', 'curl'];

/** AWS clients, and Ceph, which verifies signatures as S3 does. */
export const AWS_PACKAGES = ['awscli', 'python3-boto3', 'rclone', 's3cmd', 'ceph-common', 'ceph-mon', 'ceph-osd', 'radosgw'];

/** @param {readonly string[]} names */
function install(names) {
  // The tests start servers of their own: the package is asked not to start its service (SysV init; systemd).
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1', SYSTEMD_OFFLINE: '1' };
  return (
    runCommand('apt-get', ['update', '-qq'], env) &&
    runCommand('apt-get', ['install', '-qq', '-y', '--no-install-recommends', ...names], env)
  );
}

/**
 * Installs what is missing when this is root on a Debian system; otherwise says what to install and ends the process.
 * @param {readonly (keyof typeof PACKAGES)[]} names
 */
export function ensureSystemPackages(names) {
  const missing = names.filter((name) => !PACKAGES[name]());
  if (missing.length === 0) return;
  const list = missing.join(' ');
  if (process.getuid?.() === 0 && onPath('apt-get')) {
    console.log(`Installing missing system packages: ${list} …`);
    if (install(missing) && missing.every((name) => PACKAGES[name]())) return;
    console.error('apt-get could not install them.');
  }
  console.error(`Missing: ${list}. Install and run again:`);
  console.error(`  sudo apt-get update && sudo apt-get install -y --no-install-recommends ${list}`);
  if (missing.some((name) => TEST_PACKAGES.includes(name)))
    console.error('On other systems, install Redis 6 or newer, OpenSSL and curl by their own means.');
  process.exit(1);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = process.argv.slice(2);
  const unknown = names.find((name) => !Object.hasOwn(PACKAGES, name));
  if (unknown !== undefined) throw new Error(`No rule how to find ${unknown}`);
  ensureSystemPackages(names.length === 0 ? [...TEST_PACKAGES, 'ca-certificates'] : names);
}
