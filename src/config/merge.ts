import type { Layer } from './layer.ts';
import type { ProblemList } from './problem.ts';
import { configSchema, defaultSettings } from './schema.ts';
import { isTree, setAt, valueAt, type Path, type SettingsTree } from './tree.ts';

/** The layers as one tree, with the way back to who said what. */
export interface Merged {
  readonly tree: SettingsTree;
  /** The layer that decided the value at `path`; undefined: the default. */
  origin(path: Path): Layer | undefined;
  /** How a message about the value at `path` starts. */
  where(path: Path): string;
}

const EMBEDDED_ONLY = ['path'];
const REDIS_ONLY = ['url', 'username', 'password_file', 'ca_file', 'namespace', 'connect_timeout_ms', 'command_timeout_ms'];

/**
 * Lays `layers` (weakest first) over the defaults. Mappings merge key by key; a list, and `default_grants`, replaces the weaker one.
 * The strongest layer that chooses a store also shuts out what weaker layers say for the other kind.
 */
export function mergeLayers(layers: readonly Layer[], problems: ProblemList): Merged {
  const tree = defaultSettings();
  const origin = (path: Path): Layer | undefined => layers.findLast((layer) => valueAt(layer.tree, path) !== undefined);
  const where = (path: Path): string => origin(path)?.where(path) ?? path.join('.');
  for (const { path } of configSchema().settings) {
    const value = path[0] === 'admin' ? undefined : valueAt(origin(path)?.tree, path);
    if (value !== undefined) setAt(tree, path, value);
  }
  tree['admin'] = mergeAdmin(tree['admin'], layers);
  chooseStore(tree, layers, problems);
  return { tree, origin, where };
}

function mergeAdmin(defaults: unknown, layers: readonly Layer[]): unknown {
  let merged = defaults;
  for (const { tree } of layers) {
    const said = tree['admin'];
    if (said === false) merged = false;
    if (said === true && merged === false) merged = defaults;
    if (isTree(said)) merged = { ...(isTree(merged) ? merged : isTree(defaults) ? defaults : {}), ...said };
  }
  return merged;
}

function chooseStore(tree: SettingsTree, layers: readonly Layer[], problems: ProblemList): void {
  const chooser = layers.findLastIndex(({ tree: said }) => chosenKind(said) !== undefined);
  const kind = chosenKind(layers[chooser]?.tree) ?? 'embedded';
  setAt(tree, ['store', 'kind'], kind);
  const other = kind === 'redis' ? 'embedded' : 'redis';
  for (const key of other === 'redis' ? REDIS_ONLY : EMBEDDED_ONLY) {
    const path = ['store', key];
    const layer = layers.slice(Math.max(chooser, 0)).findLast(({ tree: said }) => valueAt(said, path) !== undefined);
    if (layer === undefined) continue;
    problems.add(
      layer.where(path),
      `belongs to a store of kind ${other}, but store.kind is ${kind}`,
      `set store.kind to ${other}, or remove it`,
    );
  }
}

function chosenKind(said: unknown): 'embedded' | 'redis' | undefined {
  const kind = valueAt(said, ['store', 'kind']);
  if (kind === 'embedded' || kind === 'redis') return kind;
  return valueAt(said, ['store', 'url']) === undefined ? undefined : 'redis';
}
