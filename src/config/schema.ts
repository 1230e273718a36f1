import { readFileSync } from 'node:fs';
import { schemaCheck, type SchemaCheck } from '../schema-check.ts';

/** The part of JSON Schema that `config/schema.json` uses. */
export interface SchemaNode {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, SchemaNode>>;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** The settings in the spelling of the file, after defaults: what the schema promises. */
export interface Settings {
  readonly app: string;
  readonly name?: string;
  readonly workers: number | 'auto';
  readonly key_file?: string;
  readonly keyring_file: string;
  readonly ca_dir: string;
  readonly provider_dirs: readonly string[];
  readonly ungranted: 'forward' | 'deny';
  readonly default_grants: Readonly<Record<string, string>>;
  readonly listen: {
    readonly host: string;
    readonly port: number;
    readonly require_key: boolean;
    readonly trusted_proxies: readonly string[];
  };
  readonly admin: false | { readonly host: string; readonly port: number };
  readonly store: {
    readonly kind: 'embedded' | 'redis';
    readonly path: string;
    readonly url?: string;
    readonly username?: string;
    readonly password_file?: string;
    readonly ca_file?: string;
    readonly namespace: string;
    readonly connect_timeout_ms: number;
    readonly command_timeout_ms: number;
  };
  readonly cache: { readonly max_entries: number; readonly max_stale_ms: number };
  readonly intercept: { readonly pass_through: readonly string[]; readonly max_leaves: number; readonly leaf_ttl_ms: number };
  readonly upstream: {
    readonly ca_files: readonly string[];
    readonly allow_private: readonly string[];
    readonly connect_timeout_ms: number;
    readonly headers_timeout_ms: number;
    readonly body_timeout_ms: number;
    readonly keep_alive_ms: number;
    readonly max_lifetime_ms: number;
    readonly max_connections: number;
    readonly max_queue: number;
  };
  readonly limits: {
    readonly max_header_bytes: number;
    readonly head_timeout_ms: number;
    readonly idle_timeout_ms: number;
    readonly stall_timeout_ms: number;
    readonly max_connections: number;
    readonly max_body_memory_bytes: number;
    readonly body_spool_bytes: number;
    readonly body_spool_folder?: string;
  };
  readonly grants: { readonly max_ttl_seconds: number };
  readonly agents: { readonly self_issue: boolean; readonly need_delegation: boolean };
  readonly audit: { readonly max_queue: number; readonly max_stream: number };
  readonly log: { readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug' };
  readonly shutdown: { readonly drain_timeout_ms: number };
}

/** One key that holds a value, as the schema describes it. */
export interface Setting {
  /** `['listen', 'port']`. */
  readonly path: readonly string[];
  /** `ALTER_LISTEN_PORT`. */
  readonly env: string;
  readonly node: SchemaNode;
}

interface LoadedSchema {
  readonly root: SchemaNode;
  readonly settings: readonly Setting[];
  readonly validate: SchemaCheck<Settings>;
}

let loaded: LoadedSchema | undefined;

/** The schema that ships in `config/`, its settings in order, and its check. Read once. */
export function configSchema(): LoadedSchema {
  loaded ??= load();
  return loaded;
}

function load(): LoadedSchema {
  const root = JSON.parse(readFileSync(new URL('../../../config/schema.json', import.meta.url), 'utf8')) as SchemaNode;
  return { root, settings: [...listSettings(root, root, [])], validate: schemaCheck<Settings>('config') };
}

function* listSettings(root: SchemaNode, node: SchemaNode, path: readonly string[]): Generator<Setting> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    const childPath = [...path, name];
    const resolved = resolveRef(root, child);
    if (resolved.properties === undefined || Array.isArray(resolved.type)) {
      yield { path: childPath, env: `ALTER_${childPath.join('_').toUpperCase()}`, node: resolved };
    }
    yield* listSettings(root, resolved, childPath);
  }
}

/** `node` with what its `$ref` says filled in. References are `#/$defs/<name>` and never chained. */
export function resolveRef(root: SchemaNode, node: SchemaNode): SchemaNode {
  if (node.$ref === undefined) return node;
  return { ...root.$defs?.[node.$ref.slice('#/$defs/'.length)], ...node };
}

/** The tree of defaults in the spelling of the file. */
export function defaultSettings(): Record<string, unknown> {
  return defaultsOf(configSchema().root);
}

function defaultsOf(node: SchemaNode): Record<string, unknown> {
  const tree: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    if (child.properties !== undefined) tree[name] = defaultsOf(child);
    else if (child.default !== undefined) tree[name] = structuredClone(child.default);
  }
  return tree;
}
