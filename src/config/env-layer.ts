import type { Layer } from './layer.ts';
import { nearest } from './nearest.ts';
import type { ProblemList } from './problem.ts';
import { configSchema, type SchemaNode, type Setting } from './schema.ts';
import { isTree, pathText, setAt, valueAt, type Path, type SettingsTree } from './tree.ts';

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

const PREFIX = 'ALTER_';

/** The variables that hold a secret themselves; each has a setting that names a file instead. */
export const SECRET_VARIABLES = { key: 'ALTER_KEY', storePassword: 'ALTER_STORE_PASSWORD' } as const;

/** `ALTER_*` variables that are no settings but belong to other parts. */
export const OTHER_VARIABLES: readonly string[] = [
  'ALTER_HOME',
  'ALTER_CONFIG',
  'ALTER_DEBUG',
  SECRET_VARIABLES.key,
  SECRET_VARIABLES.storePassword,
];

/**
 * Kubernetes writes such variables into every container for each service of the namespace, so for services named `alter-…`, too
 * (https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables).
 */
const SERVICE_LINK = /_SERVICE_HOST$|_SERVICE_PORT(_[A-Z0-9_]+)?$|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/;
const SERVICE_LINK_URL = /^(tcp|udp|sctp):\/\//;

/** The settings that `ALTER_*` variables hold; empty ones count as not set. What is wrong goes to `problems`. */
export function envLayer(env: Environment, problems: ProblemList): Layer {
  const bySettingName = new Map(configSchema().settings.map((setting) => [setting.env, setting]));
  const tree: SettingsTree = {};
  for (const name of Object.keys(env).sort()) {
    const text = env[name];
    if (!name.startsWith(PREFIX) || text === undefined || text === '') continue;
    const setting = bySettingName.get(name);
    if (setting === undefined) reportUnknown(name, text, [...bySettingName.keys()], problems);
    else if (SERVICE_LINK_URL.test(text) && name.endsWith('_PORT')) {
      problems.add(name, 'is the address of a Kubernetes service', 'set enableServiceLinks: false in the pod, or rename the service');
    } else write(tree, setting, text, problems);
  }
  return { tree, where: whereInEnv, whereKey: whereInEnv };
}

function reportUnknown(name: string, text: string, settings: readonly string[], problems: ProblemList): void {
  if (OTHER_VARIABLES.includes(name) || SERVICE_LINK.test(name)) return;
  if (name.endsWith('_PORT') && SERVICE_LINK_URL.test(text)) return;
  const near = nearest(
    name.slice(PREFIX.length),
    [...settings, ...OTHER_VARIABLES].map((known) => known.slice(PREFIX.length)),
  );
  problems.add(
    name,
    'is not a known variable',
    near === undefined ? 'docs/configuration.md lists the names' : `did you mean ${PREFIX}${near}?`,
  );
}

function write(tree: SettingsTree, setting: Setting, text: string, problems: ProblemList): void {
  const value = fromText(setting.node, text);
  const parent = valueAt(tree, setting.path.slice(0, -1));
  const present = valueAt(tree, setting.path);
  if (parent === false) problems.add(setting.env, 'contradicts ALTER_ADMIN=false', 'unset one of them');
  else if (isTree(present) && value === true) return;
  else setAt(tree, setting.path, value);
}

/** `text` as the type that the schema wants; text that cannot be read stays text, and the schema refuses it. */
export function fromText(node: SchemaNode, text: string): unknown {
  const types = typeof node.type === 'string' ? [node.type] : (node.type ?? []);
  const trimmed = text.trim();
  if (types.includes('integer') && /^-?\d{1,16}$/.test(trimmed)) return Number(trimmed);
  if (types.includes('boolean') && (trimmed === 'true' || trimmed === 'false')) return trimmed === 'true';
  if (types.includes('array')) return splitList(trimmed);
  if (types.includes('object') && node.properties === undefined) return splitMap(trimmed);
  return text;
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function splitMap(text: string): unknown {
  const map: SettingsTree = {};
  for (const item of splitList(text)) {
    const at = item.indexOf('=');
    const key = item.slice(0, at).trim();
    if (at < 1 || Object.hasOwn(map, key)) return text;
    map[key] = item.slice(at + 1).trim();
  }
  return map;
}

function inside(path: Path): string {
  const text = pathText(path);
  return text === '' || text.startsWith('[') ? text : `.${text}`;
}

function whereInEnv(path: Path): string {
  for (let length = path.length; length > 0; length--) {
    const head = path.slice(0, length);
    const setting = configSchema().settings.find((candidate) => candidate.path.join('.') === head.join('.'));
    if (setting !== undefined) return setting.env + inside(path.slice(length));
  }
  return `ALTER_${path.join('_').toUpperCase()}`;
}
