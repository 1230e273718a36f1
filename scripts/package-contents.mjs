/** Packs the package as npm would publish it, and checks what an importer of the tarball gets. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { ROOT, runScript } from './run-command.mjs';

const REQUIRED = [
  'LICENSE',
  'README.md',
  'package.json',
  'config/schema.json',
  'dist/src/cli/main.js',
  'dist/src/index.js',
  'dist/src/index.d.ts',
];
const UNWANTED = /^(src|test|scripts|bench|dist\/test)\/|\.key$/;

/** @param {readonly string[]} files */
function contentProblems(files) {
  const missing = REQUIRED.filter((file) => !files.includes(file)).map((file) => `${file} is not in the package`);
  return [...missing, ...files.filter((file) => UNWANTED.test(file)).map((file) => `${file} does not belong into the package`)];
}

const folder = mkdtempSync(path.join(tmpdir(), 'alter-package-'));
try {
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', folder], { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
  const packed = JSON.parse(output.toString());
  const [{ filename, files }] = Array.isArray(packed) ? packed : Object.values(packed);
  const problems = contentProblems(files.map((file) => file.path));
  for (const problem of problems) console.error(problem);
  const tarball = path.join(folder, filename);
  const published = runScript('node_modules/publint/src/cli.js', ['run', tarball, '--strict']);
  const typed = runScript('node_modules/@arethetypeswrong/cli/dist/index.js', [
    tarball,
    '--profile',
    'esm-only',
    '--no-emoji',
    '--no-color',
  ]);
  process.exitCode = problems.length === 0 && published && typed ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
