/** What the benchmark is built from: the load generator and the origin in C, and where built things lie. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));

/** Ignored by git. */
export const BUILD = path.join(HERE, '.build');
export const LOADGEN = path.join(BUILD, 'loadgen');
export const ORIGIN = path.join(BUILD, 'origin');
export const FLOOR = path.join(HERE, 'floor.mjs');
export const ENGINE = path.join(HERE, 'engine.mjs');
export const CLI = path.join(HERE, '..', 'dist', 'src', 'cli', 'main.js');

/** Compiles the C programs. Ends the process with what to install when something is missing. */
export function buildTools() {
  const missing = ['taskset', 'openssl'].find((name) => findBinary(name) === undefined);
  if (process.platform !== 'linux') giveUp('The benchmark reads /proc and pins processes to cores: it runs on Linux only.');
  if (missing !== undefined) giveUp(`There is no ${missing}.`, 'sudo apt-get install util-linux openssl');
  if (findBinary('cc') === undefined) giveUp('There is no C compiler (cc).', 'sudo apt-get install gcc libc6-dev libssl-dev');
  mkdirSync(BUILD, { recursive: true });
  for (const program of [LOADGEN, ORIGIN]) {
    const source = `${path.basename(program)}.c`;
    try {
      execFileSync('cc', ['-O2', '-w', '-o', program, path.join(HERE, source), '-lssl', '-lcrypto'], { stdio: 'pipe' });
    } catch (error) {
      const [reason] = String(error.stderr ?? error.message).split('\n');
      giveUp(`bench/${source} does not compile: ${reason}`, 'sudo apt-get install gcc libc6-dev libssl-dev');
    }
  }
}

/** Where a program is; undefined when it is not installed. Servers often stand outside the PATH of a user. */
export function findBinary(name) {
  const folders = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => path.join(folder, name)).find(isExecutable);
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function giveUp(problem, remedy) {
  console.error(problem);
  if (remedy !== undefined) console.error(`Install what is missing, on Debian with: ${remedy}`);
  process.exit(1);
}
