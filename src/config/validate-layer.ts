import type { SchemaFault } from '../schema-check.ts';
import type { Layer } from './layer.ts';
import { nearest } from './nearest.ts';
import type { ProblemList } from './problem.ts';
import { configSchema, resolveRef, type SchemaNode } from './schema.ts';
import { isTree, quoteKey, valueAt, type Path, type SettingsTree } from './tree.ts';

/** Checks the tree of one source against the schema; what is wrong goes to `problems`, and out of the tree. */
export function validateLayer(layer: Layer, problems: ProblemList): void {
  const { validate } = configSchema();
  if (validate(layer.tree)) return;
  const told = new Set<string>();
  const errors = (validate.errors ?? []).map((error) => ({ error, path: pathOf(error.instancePath, layer.tree) }));
  for (const { error, path } of errors) {
    const pointer = `${error.instancePath}${error.keyword === 'additionalProperties' ? `/${unknownKey(error)}` : ''}`;
    // One value, one line: a wrong type also misses the pattern and the range.
    if (told.has(pointer)) continue;
    told.add(pointer);
    if (error.keyword === 'additionalProperties') reportUnknown(layer, path, error, problems);
    else problems.add(layer.where(path), whatIsWrong(error), expectation(nodeAt(path)));
  }
  for (const { error, path } of errors)
    removeAt(layer.tree, error.keyword === 'additionalProperties' ? [...path, unknownKey(error)] : path);
}

/** Takes out the value at `path`; the whole list when it is inside one. */
function removeAt(tree: SettingsTree, path: Path): void {
  const inList = path.findIndex((segment) => typeof segment === 'number');
  const end = inList < 0 ? path : path.slice(0, inList);
  const parent = valueAt(tree, end.slice(0, -1));
  const last = end.at(-1);
  if (isTree(parent) && last !== undefined) Reflect.deleteProperty(parent, last);
}

function unknownKey(error: SchemaFault): string {
  return String((error.params as { additionalProperty?: unknown }).additionalProperty);
}

function reportUnknown(layer: Layer, path: Path, error: SchemaFault, problems: ProblemList): void {
  const key = unknownKey(error);
  const known = Object.keys(nodeAt(path).properties ?? {});
  const near = nearest(key, known);
  const right = near === undefined ? `known here: ${known.join(', ')}` : `did you mean ${quoteKey(near)}?`;
  problems.add(layer.whereKey([...path, key]), 'is not a known setting', right);
}

function pathOf(pointer: string, tree: unknown): Path {
  const path: (string | number)[] = [];
  for (const raw of pointer.split('/').slice(1)) {
    const segment = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(valueAt(tree, path)) ? Number(segment) : segment);
  }
  return path;
}

function nodeAt(path: Path): SchemaNode {
  const { root } = configSchema();
  let node = root;
  for (const segment of path) {
    const further = node.additionalProperties;
    const child =
      typeof segment === 'number' ? node.items : (node.properties?.[segment] ?? (typeof further === 'object' ? further : undefined));
    node = resolveRef(root, child ?? {});
  }
  return node;
}

/** Says what is wrong without the value itself, unless it is a number: a text may be a credential in the wrong place. */
function whatIsWrong(error: SchemaFault): string {
  const value: unknown = error.data;
  if (error.keyword === 'type') return `is ${kindOf(value)}`;
  if (typeof value === 'number') return `is ${value.toString()}`;
  if (value === '') return 'is empty';
  return error.keyword === 'enum' ? 'is not a known word' : 'does not have the right form';
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'string') return value === '' ? 'empty' : 'text';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value;
}

/** What the schema wants at `node`: `use a whole number from 0 to 65535`. */
function expectation(node: SchemaNode): string {
  if (node.enum !== undefined) return `use one of ${node.enum.join(', ')}`;
  const types = typeof node.type === 'string' ? [node.type] : (node.type ?? []);
  return `use ${types.map((type) => expectedKind(type, node)).join(' or ')}`;
}

function expectedKind(type: string, node: SchemaNode): string {
  if (type === 'integer') return `a whole number from ${String(node.minimum)} to ${String(node.maximum)}`;
  if (type === 'boolean') return 'true or false';
  if (type === 'string') return `text such as ${exampleText(node)}`;
  if (type === 'array') return `a list such as ${JSON.stringify(node.examples?.[0])}`;
  return node.properties === undefined
    ? `a mapping such as ${JSON.stringify(node.examples?.[0])}`
    : `a mapping of ${Object.keys(node.properties).join(', ')}`;
}

function exampleText(node: SchemaNode): string {
  const [example] = node.examples ?? [];
  return typeof example === 'string' ? example : 'a word';
}
