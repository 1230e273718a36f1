/** Contract: a Node that is too old is named, by every command and before anything else happens. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { LEAST_NODE } from '../../../src/cli/node-version.ts';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.js', import.meta.url));

/** Runs a command in a Node that says it is `version`. */
function runAs(version: string, ...args: string[]): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  const say = `Object.defineProperty(process.versions,'node',{value:'${version}'})`;
  const execArgs = [`--import=data:text/javascript,${encodeURIComponent(say)}`, MAIN, ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, execArgs, (error, stdout, stderr) => {
      resolve({ code: error?.code ?? 0, stdout, stderr });
    });
  });
}

test('a Node that is too old is named, in one line', async (t) => {
  for (const version of ['18.20.8', '20.9.0'])
    for (const args of [['init'], ['--version']]) {
      const { code, stdout, stderr } = await runAs(version, ...args);
      t.is(stderr, `error: alter-proxy needs Node ${LEAST_NODE} or later, this is ${version}\n`);
      t.is(stdout, '');
      t.is(code, 1);
    }
  for (const version of [`${LEAST_NODE}.0`, '22.20.0', '100.0.0']) t.is((await runAs(version, '--version')).code, 0, version);
});

test('the least Node is that of package.json', (t) => {
  const text = readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8');
  const { engines } = JSON.parse(text) as { readonly engines: { readonly node: string } };
  t.true(engines.node.startsWith(`^${LEAST_NODE} `), engines.node);
});
