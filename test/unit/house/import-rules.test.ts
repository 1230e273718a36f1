/**
 * The import rules of `.dependency-cruiser.js` bite: a small source tree that breaks each of them is reported, import by import, and
 * the near misses beside them are not.
 */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import test from 'ava';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const CONFIG = path.join(ROOT, '.dependency-cruiser.js');
const CRUISER = path.join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');

type Import = readonly [from: string, specifier: string, rule: string];

const LIBRARY_USES: readonly Import[] = [
  ['src/vault/expression.ts', '@marcbachmann/cel-js', 'owner-@marcbachmann/cel-js'],
  ['src/admin/table.ts', 'cli-table3', 'owner-cli-table3'],
  ['src/config/flags.ts', 'commander', 'owner-commander'],
  ['src/store/client.ts', 'ioredis', 'owner-ioredis'],
  ['src/store/embedded/client.ts', 'ioredis', 'owner-ioredis'],
  ['src/policy/ip.ts', 'ipaddr.js', 'owner-ipaddr.js'],
  ['src/store/seal.ts', 'jose', 'owner-jose'],
  ['src/store/redis/environment.ts', 'lmdb', 'owner-lmdb'],
  ['src/edge/cache.ts', 'lru-cache', 'owner-lru-cache'],
  ['src/cli/certificate.ts', 'node-forge', 'owner-node-forge'],
  ['src/edge/logger.ts', 'pino', 'owner-pino'],
  ['src/cli/yaml.ts', 'yaml', 'owner-yaml'],
  ['src/cli/padding.ts', 'left-pad', 'every-library-has-an-owner'],
  ['src/config/ajv.ts', 'ajv/dist/2020.js', 'every-library-has-an-owner'],
];

const LAYER_CROSSINGS: readonly Import[] = [
  ['src/secret/crossing.ts', '../errors.ts', 'layer-secret'],
  ['src/message/crossing.ts', '../secret/secret.ts', 'layer-message'],
  ['src/aws/crossing.ts', '../policy/base.ts', 'layer-aws'],
  ['src/policy/crossing.ts', '../store/base.ts', 'layer-policy'],
  ['src/policy/principals.ts', '../principals/base.ts', 'layer-policy'],
  ['src/policy/inject.ts', '../inject/base.ts', 'layer-policy'],
  ['src/inject/principals.ts', '../principals/base.ts', 'layer-inject'],
  ['src/inject/policy.ts', '../policy/base.ts', 'layer-inject'],
  ['src/principals/policy.ts', '../policy/base.ts', 'layer-principals'],
  ['src/principals/inject.ts', '../inject/base.ts', 'layer-principals'],
  ['src/providers/crossing.ts', '../vault/base.ts', 'layer-providers'],
  ['src/policy-file/crossing.ts', '../vault/base.ts', 'layer-policy-file'],
  ['src/config/crossing.ts', '../store/base.ts', 'layer-config'],
  ['src/store/crossing.ts', '../vault/base.ts', 'layer-store'],
  ['src/vault/crossing.ts', '../pipeline/base.ts', 'layer-vault'],
  ['src/audit/crossing.ts', '../vault/base.ts', 'layer-audit'],
  ['src/pki/crossing.ts', '../edge/base.ts', 'layer-pki'],
  ['src/pipeline/crossing.ts', '../edge/base.ts', 'layer-pipeline'],
  ['src/edge/crossing.ts', '../upstream/base.ts', 'layer-edge'],
  ['src/edge/store.ts', '../store/base.ts', 'layer-edge'],
  ['src/upstream/crossing.ts', '../edge/base.ts', 'layer-upstream'],
  ['src/upstream/app.ts', '../app.ts', 'layer-upstream'],
  ['src/admin/crossing.ts', '../edge/base.ts', 'layer-admin'],
  ['src/log-lines.ts', './config/base.ts', 'layer-log-lines'],
  ['src/schema-check.ts', './config/base.ts', 'layer-schema-check'],
  ['src/log.ts', './store/base.ts', 'layer-log'],
  ['src/errors.ts', './log.ts', 'layer-errors'],
  ['src/error-codes.ts', './errors.ts', 'layer-error-codes'],
  ['src/app.ts', './cli/base.ts', 'layer-app'],
  ['src/index.ts', './cli/base.ts', 'layer-index'],
];

const OTHER_VIOLATIONS: readonly Import[] = [
  ['src/config/reveal.ts', '../secret/reveal.ts', 'reveal-only-in-inject-and-vault'],
  ['src/cli/reveal.ts', '../secret/reveal.ts', 'reveal-only-in-inject-and-vault'],
  ['src/policy/lookup.ts', 'node:dns/promises', 'policy-without-io'],
  ['src/policy/read.ts', 'fs', 'policy-without-io'],
  ['src/message/socket.ts', 'node:http', 'message-and-secret-without-io'],
  ['src/plugins/first.ts', '../message/base.ts', 'every-source-has-a-layer'],
  ['src/edge/gone.ts', './not-there.ts', 'not-to-unresolvable'],
  ['src/cli/fixture.ts', '../../test/support/fixture.ts', 'source-not-to-tests'],
  ['src/edge/here.ts', './there.ts', 'no-cycle'],
];

const NEAR_MISSES: readonly (readonly [from: string, specifier: string])[] = [
  // The other half of the cycle, which is reported once.
  ['src/edge/there.ts', './here.ts'],
  ['src/store/redis/client.ts', 'ioredis'],
  ['src/store/embedded/environment.ts', 'lmdb'],
  ['src/pki/certificate.ts', 'node-forge'],
  ['src/cli/program.ts', 'commander'],
  ['src/cli/start.ts', '../app.ts'],
  ['src/inject/bearer.ts', '../secret/reveal.ts'],
  ['src/vault/seal.ts', '../secret/reveal.ts'],
  ['src/secret/secret.ts', './reveal.ts'],
  ['src/config/masked.ts', '../secret/secret.ts'],
  ['src/policy/url.ts', 'node:url'],
  ['src/policy/canonical.ts', '../message/base.ts'],
  ['src/message/address.ts', 'node:net'],
  ['src/edge/deliver.ts', '../pipeline/base.ts'],
  ['test/unit/everything.test.ts', '../../src/secret/reveal.ts'],
  ['test/unit/library.test.ts', 'ioredis'],
];

const VIOLATIONS = [...LIBRARY_USES, ...LAYER_CROSSINGS, ...OTHER_VIOLATIONS];

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

async function write(root: string, file: string, text: string): Promise<void> {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), text);
}

/** The package of a module: `name`, or `@scope/name`. */
function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

/** Writes a package that has the module `specifier` (`name` or `name/path/of/module.js`). */
async function writeLibrary(root: string, specifier: string): Promise<void> {
  const name = packageOf(specifier);
  await write(root, `node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
  await write(root, `node_modules/${specifier === name ? `${name}/index.js` : specifier}`, 'exports.base = 1;\n');
}

/** Writes a tree in which every module has one import, every other one of them a type import. */
async function writeTree(root: string): Promise<void> {
  const imports = new Map([...VIOLATIONS, ...NEAR_MISSES].map(([from, specifier]) => [from, specifier]));
  const folders = new Set([...imports.keys()].map((file) => path.posix.dirname(file)).filter((folder) => folder !== 'src'));
  for (const folder of folders) await write(root, `${folder}/base.ts`, 'export const base = 1;\n');
  await write(root, 'src/secret/reveal.ts', 'export const base = 1;\n');
  await write(root, 'test/support/fixture.ts', 'export const base = 1;\n');
  for (const [index, [file, specifier]] of [...imports].entries()) {
    const type = index % 2 === 0 ? 'type ' : '';
    await write(root, file, `import ${type}{ base } from '${specifier}';\nexport type Base = typeof base;\n`);
  }
  const libraries = [...new Set([...imports.values()].filter((name) => /^[@a-z]/.test(name) && !/^(node:|fs$)/.test(name)))];
  for (const specifier of libraries) await writeLibrary(root, specifier);
  const dependencies = Object.fromEntries(libraries.map((specifier) => [packageOf(specifier), '1.0.0']));
  await write(root, 'package.json', JSON.stringify({ name: 'fixture', type: 'module', dependencies }));
  await write(
    root,
    'tsconfig.json',
    JSON.stringify({ compilerOptions: { module: 'node20', allowImportingTsExtensions: true, noEmit: true } }),
  );
}

/** What the rules report for the tree, as `file: rule`. */
async function cruise(root: string): Promise<string[]> {
  const output = await new Promise<string>((resolve, reject) => {
    const args = [CRUISER, '--config', CONFIG, '--output-type', 'json', 'src', 'test'];
    execFile(process.execPath, args, { cwd: root, maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) => {
      if (stdout === '') reject(new Error(stderr, { cause: error }));
      else resolve(stdout);
    });
  });
  const { summary } = JSON.parse(output) as { summary: { violations: readonly Violation[] } };
  return [...new Set(summary.violations.map(({ from, rule }) => `${from}: ${rule.name}`))].sort();
}

test('each import rule reports its violations, and nothing beside them', async (t) => {
  const root = await mkdtemp(path.join(tmpdir(), 'alter-import-rules-'));
  t.teardown(() => rm(root, { recursive: true, force: true }));
  await writeTree(root);
  t.deepEqual(await cruise(root), VIOLATIONS.map(([from, , rule]) => `${from}: ${rule}`).sort());
});

test('no rule is without a violation in this test', async (t) => {
  const { default: config } = (await import(CONFIG)) as { default: { forbidden: readonly { name: string }[] } };
  const tested = new Set(VIOLATIONS.map(([, , rule]) => rule));
  t.deepEqual([...tested].sort(), config.forbidden.map(({ name }) => name).sort());
});

test('the rules name every dependency that the package ships with', async (t) => {
  const { default: manifest } = (await import(path.join(ROOT, 'package.json'), { with: { type: 'json' } })) as {
    default: { dependencies: Readonly<Record<string, string>> };
  };
  const owned = new Set(LIBRARY_USES.map(([, , rule]) => rule.replace('owner-', '')));
  t.deepEqual(
    Object.keys(manifest.dependencies).filter((name) => !owned.has(name)),
    [],
  );
});
