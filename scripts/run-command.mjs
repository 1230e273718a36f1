import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The root of the repository. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * Runs a command at the root of the repository, in this terminal.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {boolean} whether it ended with 0
 */
export function runCommand(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error !== undefined) console.error(`${command}: ${error.message}`);
  return status === 0;
}

/**
 * Runs a file of the repository with this Node.
 * @param {string} file
 * @param {readonly string[]} [args]
 */
export function runScript(file, args = []) {
  return runCommand(process.execPath, [file, ...args]);
}

/**
 * The same beside what goes on meanwhile.
 * @param {string} file
 * @param {readonly string[]} [args]
 * @returns {Promise<{ ok: boolean, output: string }>} whether it ended with 0, and what it said
 */
export function runScriptBeside(file, args = []) {
  return new Promise((resolve) => {
    execFile(process.execPath, [file, ...args], { cwd: ROOT, maxBuffer: Infinity }, (error, stdout, stderr) => {
      // A command that ended by itself has said why it failed.
      const reason = error === null || typeof error.code === 'number' ? '' : `${file}: ${error.message}\n`;
      resolve({ ok: error === null, output: `${stdout}${stderr}${reason}` });
    });
  });
}
