import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';

import { dependenciesAreCurrent } from '../dependencies.mjs';
import { ROOT } from '../run-command.mjs';
import { whileWorking } from './paper.mjs';
import { DemoFailure } from './workspace.mjs';

const INSTALL_TIMEOUT_MS = 600_000;
const BUILT = 'dist/src/cli/main.js';

/** Whether `dist/` is there and no source is newer. */
function buildIsCurrent() {
  if (!existsSync(path.join(ROOT, BUILT))) return false;
  const builtAt = statSync(path.join(ROOT, BUILT)).mtimeMs;
  const sources = readdirSync(path.join(ROOT, 'src'), { recursive: true }).map((file) => path.join('src', file));
  return [...sources, 'tsconfig.json', 'package-lock.json'].every((file) => statSync(path.join(ROOT, file)).mtimeMs <= builtAt);
}

/**
 * @param {import('./workspace.mjs').Workspace} workspace
 * @param {string} command
 * @param {readonly string[]} args
 */
async function runOrFail(workspace, command, args) {
  const { code, stdout, stderr } = await workspace.run(command, args, { timeoutMs: INSTALL_TIMEOUT_MS });
  const name = [path.basename(command), ...args].join(' ');
  if (code !== 0) throw new DemoFailure(`${name} ended with ${code ?? 'a signal'}`, `${stdout}${stderr}`);
}

/**
 * Installs and builds, where that is needed.
 * @param {import('./workspace.mjs').Workspace} workspace
 */
export async function prepare(workspace) {
  if (!dependenciesAreCurrent()) {
    await whileWorking('Installing the dependencies', () =>
      runOrFail(workspace, 'npm', ['ci', '--include=dev', '--no-audit', '--no-fund']),
    );
  }
  if (!buildIsCurrent()) await whileWorking('Building', () => runOrFail(workspace, process.execPath, ['scripts/build.mjs']));
}
