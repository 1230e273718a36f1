import { fromText } from './env-layer.ts';
import type { Layer } from './layer.ts';
import { configSchema } from './schema.ts';
import { pathText, setAt, type Path, type SettingsTree } from './tree.ts';

/** What the command line may say. Undefined: nothing. */
export interface ConfigFlags {
  readonly app?: string | undefined;
  readonly name?: string | undefined;
  readonly host?: string | undefined;
  readonly port?: string | number | undefined;
  readonly requireKey?: boolean | undefined;
  readonly adminHost?: string | undefined;
  readonly adminPort?: string | number | undefined;
  /** False: no health endpoints (`--no-admin`). */
  readonly admin?: boolean | undefined;
  /** `embedded`, `redis`, or the URL of a Redis server. */
  readonly store?: string | undefined;
  /** A number, or `auto`. */
  readonly workers?: string | number | undefined;
  readonly ungranted?: string | undefined;
  readonly logLevel?: string | undefined;
}

/** Where each flag goes. */
const TARGETS: Readonly<Record<Exclude<keyof ConfigFlags, 'store'>, readonly string[]>> = {
  app: ['app'],
  name: ['name'],
  host: ['listen', 'host'],
  port: ['listen', 'port'],
  requireKey: ['listen', 'require_key'],
  admin: ['admin'],
  adminHost: ['admin', 'host'],
  adminPort: ['admin', 'port'],
  workers: ['workers'],
  ungranted: ['ungranted'],
  logLevel: ['log', 'level'],
};

/** The settings that flags hold. `--no-admin` wins over the other admin flags. */
export function flagsLayer(flags: ConfigFlags): Layer {
  const tree: SettingsTree = {};
  const names = new Map<string, string>([
    ['store.kind', '--store'],
    ['store.url', '--store'],
  ]);
  for (const [flag, path] of Object.entries(TARGETS) as [keyof ConfigFlags, readonly string[]][]) {
    names.set(path.join('.'), spelled(flag));
    const value = flags[flag];
    if (value === undefined || (path[0] === 'admin' && flags.admin === false && flag !== 'admin')) continue;
    if (flag === 'admin' && value === true) continue;
    setAt(tree, path, typeof value === 'string' ? readFlag(path, value) : value);
  }
  writeStore(tree, flags.store);
  const where = (path: Path): string => names.get(path.join('.')) ?? `--${pathText(path)}`;
  return { tree, where, whereKey: where };
}

function spelled(flag: string): string {
  return `--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function readFlag(path: readonly string[], text: string): unknown {
  const setting = configSchema().settings.find((candidate) => candidate.path.join('.') === path.join('.'));
  return setting === undefined ? text : fromText(setting.node, text);
}

function writeStore(tree: SettingsTree, store: string | undefined): void {
  if (store === undefined) return;
  setAt(tree, store.includes('://') ? ['store', 'url'] : ['store', 'kind'], store);
}
