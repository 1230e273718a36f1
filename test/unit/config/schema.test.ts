import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { configSchema, resolveRef, type SchemaNode } from '../../../src/config/schema.ts';
import { configHome } from '../../support/config-home.ts';

const repositoryFile = (name: string): string => readFileSync(new URL(`../../../../${name}`, import.meta.url), 'utf8');

type Described = SchemaNode & { readonly title?: string; readonly description?: string };

function* nodes(node: SchemaNode, path = ''): Generator<readonly [string, Described]> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const childPath = path === '' ? name : `${path}.${name}`;
    yield [childPath, resolveRef(configSchema().root, child)];
    yield* nodes(child, childPath);
  }
}

test('every key tells an editor what it is', (t) => {
  for (const [path, node] of nodes(configSchema().root)) {
    t.truthy(node.title, `${path}: title`);
    t.regex(node.description ?? '', /\.$/, `${path}: description`);
    t.true((node.examples ?? []).length > 0, `${path}: examples`);
    t.true(node.default !== undefined || WITHOUT_DEFAULT.includes(path), `${path}: default`);
  }
});

const WITHOUT_DEFAULT = [
  'name',
  'key_file',
  'store.url',
  'store.username',
  'store.password_file',
  'store.ca_file',
  'limits.body_spool_folder',
];

test('the schema is a valid JSON Schema 2020-12', (t) => {
  const { root } = configSchema();
  const ajv = new Ajv2020({ allowUnionTypes: true });
  t.true(ajv.validateSchema(root), ajv.errorsText());
  t.false(ajv.validateSchema({ ...root, additionalProperties: 'no' }));
});

test('every default and every example is valid itself', (t) => {
  const { root } = configSchema();
  const ajv = new Ajv2020({ allowUnionTypes: true });
  for (const [path, node] of nodes(root)) {
    const validate = ajv.compile({ ...node, $defs: root.$defs });
    for (const value of [...(node.examples ?? []), ...(node.default === undefined ? [] : [node.default])]) {
      t.true(validate(value), `${path}: ${JSON.stringify(value)}`);
    }
  }
});

test('no mapping takes keys that it does not know, apart from the one that maps hosts', (t) => {
  t.is(configSchema().root.additionalProperties, false);
  for (const [path, node] of nodes(configSchema().root)) {
    if (path !== 'default_grants' && (node.properties !== undefined || node.type === 'object'))
      t.is(node.additionalProperties, false, path);
  }
});

test('the example file is the defaults', (t) => {
  const { load, write } = configHome(t);
  const { file: _none, ...defaults } = load();
  write('config.yaml', repositoryFile('config/example.yaml'));
  const { file: _file, ...example } = load();
  t.deepEqual(example, defaults);
});

test('the example file has every setting', (t) => {
  const keys = new Set([...repositoryFile('config/example.yaml').matchAll(/^[# ]*(\w+):/gm)].map(([, key]) => key));
  for (const { path } of configSchema().settings) t.true(keys.has(path.at(-1)), path.join('.'));
});

test('docs/configuration.md has a row for every setting, with its default, its variable and its meaning', (t) => {
  const rows = new Map(
    repositoryFile('docs/configuration.md')
      .split('\n')
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map((cells) => [cells[1] ?? '', cells]),
  );
  for (const { path, env, node } of configSchema().settings) {
    const name = path.join('.');
    const [, , shown, , variable, , meaning] = rows.get(`\`${name}\``) ?? [];
    t.is(variable, `\`${env}\``, name);
    t.is(meaning, (node as Described).description, name);
    if (node.default !== undefined && node.properties === undefined) {
      t.is(shown, `\`${typeof node.default === 'string' ? node.default : JSON.stringify(node.default)}\``, name);
    }
  }
});

test('docs/configuration.md has no row for what is not a setting', (t) => {
  const known = new Set(configSchema().settings.map(({ path }) => path.join('.')));
  for (const [, name] of repositoryFile('docs/configuration.md').matchAll(/^\| `([a-z_.]+)`/gm)) t.true(known.has(name ?? ''), name);
});
