/**
 * `npm run check`: everything that CI runs.
 *
 *   npm run check [-- static | test | fuzz | nodes …]
 */
import { ensureDependencies } from './dependencies.mjs';
import { runScript, runScriptBeside } from './run-command.mjs';

/** @type {Record<string, readonly (readonly [title: string, file: string, args?: readonly string[]])[]>} */
const PARTS = {
  static: [
    ['Format', 'node_modules/prettier/bin/prettier.cjs', ['--check', '--log-level', 'warn', '.']],
    ['Import rules', 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs', ['src', 'test', 'scripts']],
    ['Unused files, exports and dependencies', 'node_modules/knip/bin/knip.js'],
    ['Private keys', 'scripts/private-keys.mjs'],
    ['Build', 'scripts/build.mjs'],
    ['Package', 'scripts/package-contents.mjs'],
  ],
  test: [['Tests', 'scripts/test.mjs']],
  fuzz: [
    ['Build', 'scripts/build.mjs'],
    ['Random input for the HTTP/1.1 codec', 'dist/test/fuzz/h1-fuzz.js', ['--seconds', '20', '--seed', '1']],
  ],
  nodes: [['Tests on the other versions of Node', 'scripts/other-node-versions.mjs']],
};

/** Takes as long as all other static checks, and one core: runs beside them. */
const BESIDE = { static: ['Lint', 'node_modules/eslint/bin/eslint.js', ['--max-warnings', '0', '.']] };

const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);
const unknown = wanted.find((part) => !Object.hasOwn(PARTS, part));
if (unknown !== undefined) {
  console.error(`No part ${unknown}; there are: ${Object.keys(PARTS).join(', ')}.`);
  process.exit(2);
}

/** Runs the checks of a part. Returns the titles of those that failed. */
async function failuresOf(part) {
  const [besideTitle, ...besideCommand] = BESIDE[part] ?? [];
  const beside = besideTitle === undefined ? undefined : runScriptBeside(...besideCommand);
  const failed = PARTS[part]
    .filter(([title, file, args]) => {
      console.log(`\n== ${title} ==\n`);
      return !runScript(file, args);
    })
    .map(([title]) => title);
  if (beside === undefined) return failed;
  const { ok, output } = await beside;
  console.log(`\n== ${besideTitle} ==\n\n${output}`);
  return ok ? failed : [...failed, besideTitle];
}

ensureDependencies();
for (const part of wanted) {
  const failed = await failuresOf(part);
  if (failed.length > 0) {
    console.error(`\nFailed: ${failed.join(', ')}.`);
    process.exit(1);
  }
}
