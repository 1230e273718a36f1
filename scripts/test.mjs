/**
 * `npm test`: installs what is missing, builds, runs the tests and ends with the line `N passed, N failed`.
 *
 *   npm test -- [--no-build] [--coverage] [test/unit/area/file.test.ts …] [arguments of ava]
 */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { COVERAGE_DATA, clearCoverage, reportCoverage } from './coverage.mjs';
import { ensureDependencies } from './dependencies.mjs';
import { ROOT, runScript } from './run-command.mjs';
import { ensureSystemPackages, TEST_PACKAGES } from './system-packages.mjs';
import { TestTotals } from './test-totals.mjs';

const OWN_FLAGS = ['--no-build', '--coverage'];

/** Environment of the tests: nothing of the developer's own proxy or of an alter-proxy that runs beside them. */
function testEnvironment(coverage) {
  const entries = Object.entries(process.env).filter(([name]) => !/^(ALTER_.*|(https?|all|no)_proxy)$/i.test(name));
  return { ...Object.fromEntries(entries), ...(coverage ? { NODE_V8_COVERAGE: COVERAGE_DATA } : {}) };
}

/** Test files may be named as sources; without any, all run. */
function avaArguments(args) {
  const compiled = args.map((arg) => arg.replace(/^(?:\.\/)?(test\/.*)\.ts$/, 'dist/$1.js'));
  return compiled.some((arg) => !arg.startsWith('-')) ? compiled : ['dist/test/**/*.test.js', ...compiled];
}

/** Runs ava, shows its report and counts it. */
function runTests(args, coverage) {
  return new Promise((resolve, reject) => {
    const totals = new TestTotals();
    const ava = spawn(process.execPath, ['node_modules/ava/entrypoints/cli.mjs', ...avaArguments(args)], {
      cwd: ROOT,
      env: testEnvironment(coverage),
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: ava.stdout }).on('line', (line) => {
      totals.add(line);
      console.log(line);
    });
    ava.on('error', reject);
    ava.on('close', (code) => {
      totals.close(code);
      resolve(totals);
    });
  });
}

const given = process.argv.slice(2);
const coverage = given.includes('--coverage');

ensureDependencies();
ensureSystemPackages(TEST_PACKAGES);
if (!given.includes('--no-build') && !runScript('scripts/build.mjs')) {
  console.error('The build failed; no test ran.');
  process.exit(1);
}
if (coverage) clearCoverage();

const totals = await runTests(
  given.filter((arg) => !OWN_FLAGS.includes(arg)),
  coverage,
);
const covered = !coverage || reportCoverage();
if (!covered) console.log('Coverage is below its threshold (.c8rc.json), or could not be reported.');
if (totals.passed + totals.failed === 0) console.log('No test ran.');
// Once more at the end: of the output of a long run often only the end is kept.
for (const failure of totals.failures) console.log(failure);
console.log(`\n${totals}`);
process.exitCode = totals.ok && covered ? 0 : 1;
