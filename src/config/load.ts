import { availableParallelism, hostname, tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { CommandError } from '../errors.ts';
import type { Secret } from '../secret/secret.ts';
import { ValueReader } from './check-values.ts';
import type { Config, EmbeddedStoreConfig, RedisStoreConfig } from './config.ts';
import { findContradictions } from './contradictions.ts';
import { deepFreeze } from './deep-freeze.ts';
import { envLayer, SECRET_VARIABLES, type Environment } from './env-layer.ts';
import { flagsLayer, type ConfigFlags } from './flags-layer.ts';
import { homePaths } from './home.ts';
import { isLoopback } from './hosts.ts';
import type { Layer } from './layer.ts';
import { mergeLayers, type Merged } from './merge.ts';
import { ProblemList } from './problem.ts';
import { isMissing, readText, reasonOf } from './read-file.ts';
import { configSchema, type Settings } from './schema.ts';
import { comparableSecret, readSecretFile } from './secret-text.ts';
import { validateLayer } from './validate-layer.ts';
import { yamlLayer } from './yaml-layer.ts';

export type { ConfigFlags } from './flags-layer.ts';

/** What the schema takes at most, too. The embedded store has room for so many readers, and for commands beside them. */
const MAX_WORKERS = 64;

/** Configurations whose file was read and holds no setting. */
const fromEmptyFile = new WeakSet<Config>();

/** Where the configuration comes from. */
export interface ConfigInput {
  /** Home folder, absolute. */
  readonly home: string;
  /** The file that the operator named; undefined: ALTER_CONFIG, else `config.yaml` in the home folder when it exists. */
  readonly file?: string | undefined;
  readonly env: Environment;
  readonly flags?: ConfigFlags;
  /** Without its key file there is no key, instead of no configuration: for commands that can do without, such as the one that mends it. */
  readonly withoutLostKey?: boolean;
}

/**
 * Reads the configuration: defaults, then the YAML file, then `ALTER_*` variables, then flags; the later wins. The result is frozen.
 * Throws CommandError with one line for everything that is wrong (`config_invalid`, or `file_unreadable` and `key_file_exposed` when it is
 * nothing but that): `<file>:<line>:<column>: <path>: <what is wrong>; <what would be right>`.
 */
export function loadConfig(input: ConfigInput): Config {
  const problems = new ProblemList();
  const file = findFile(input);
  const layers = readLayers(input, file, problems);
  const merged = mergeLayers(layers.all, problems);
  const settings = settingsOf(merged.tree);
  const config = new Assembly(input, file, settings, merged, problems).config();
  // A contradiction with a value that is wrong itself, and so was set aside, would mislead.
  if (problems.size === 0) findContradictions(settings, merged, problems);
  problems.throwIfAny();
  if (file !== undefined && Object.keys(layers.file?.tree ?? {}).length === 0) fromEmptyFile.add(config);
  return deepFreeze(config);
}

/** Whether the file of `config` was read and holds no setting. */
export function isFromEmptyFile(config: Config): boolean {
  return fromEmptyFile.has(config);
}

function findFile({ home, file, env }: ConfigInput): string | undefined {
  const named = [file, env['ALTER_CONFIG']].find((path) => path !== undefined && path !== '');
  if (named !== undefined) return resolve(named);
  const usual = homePaths(home).config;
  return isMissing(usual) ? undefined : usual;
}

interface Layers {
  readonly file: Layer | undefined;
  /** The later wins. */
  readonly all: readonly Layer[];
}

function readLayers(input: ConfigInput, file: string | undefined, problems: ProblemList): Layers {
  const fromFile = file === undefined ? undefined : fileLayer(file, problems);
  const all = [...(fromFile === undefined ? [] : [fromFile]), envLayer(input.env, problems), flagsLayer(input.flags ?? {})];
  for (const layer of all) validateLayer(layer, problems);
  return { file: fromFile, all };
}

function fileLayer(file: string, problems: ProblemList): Layer | undefined {
  let text: string | undefined;
  try {
    text = readText(file);
  } catch (cause) {
    const reason = reasonOf(cause);
    const right = reason === 'ENOENT' ? 'exists' : reason === 'EACCES' ? 'this user may read' : 'can be read';
    throw new CommandError('file_unreadable', `${file}: cannot be read (${reason}); name a configuration file that ${right}`, { cause });
  }
  if (text !== undefined) return yamlLayer(file, text, problems);
  problems.add(`${file}:1:1`, 'is not UTF-8 text', 'save it as UTF-8');
  return undefined;
}

/** The schema is the only judge of types, so its verdict is what makes the tree a {@link Settings}. */
function settingsOf(tree: unknown): Settings {
  const { validate } = configSchema();
  if (validate(tree)) return tree;
  throw new CommandError('internal', 'sound settings became unsound when they were merged');
}

class Assembly {
  readonly #input: ConfigInput;
  readonly #file: string | undefined;
  readonly #settings: Settings;
  readonly #merged: Merged;
  readonly #problems: ProblemList;
  readonly #values: ValueReader;

  constructor(input: ConfigInput, file: string | undefined, settings: Settings, merged: Merged, problems: ProblemList) {
    this.#input = input;
    this.#file = file;
    this.#settings = settings;
    this.#merged = merged;
    this.#problems = problems;
    this.#values = new ValueReader(input.home, merged, problems);
  }

  config(): Config {
    const { app, name, workers, keyring_file, ca_dir, provider_dirs, ungranted, default_grants } = this.#settings;
    const { cache, grants, agents, audit, log, shutdown } = this.#settings;
    return {
      home: resolve(this.#input.home),
      file: this.#file,
      app,
      name: name ?? hostname(),
      workers: workers === 'auto' ? Math.min(availableParallelism(), MAX_WORKERS) : workers,
      key: this.#key(),
      ...this.#listeners(),
      store: this.#store(),
      cache: { maxEntries: cache.max_entries, maxStaleMs: cache.max_stale_ms },
      keyringFile: this.#values.file(keyring_file),
      caDir: this.#values.file(ca_dir),
      providerDirs: provider_dirs.map((dir, index) => this.#values.existing(['provider_dirs', index], dir, 'folder')),
      intercept: this.#intercept(),
      ungranted,
      defaultGrants: this.#values.defaultGrants(default_grants),
      upstream: this.#upstream(),
      limits: this.#limits(),
      grants: { maxTtlSeconds: grants.max_ttl_seconds },
      agents: { selfIssue: agents.self_issue, needDelegation: agents.need_delegation },
      audit: { maxQueue: audit.max_queue, maxStream: audit.max_stream },
      log: { level: log.level },
      shutdown: { drainTimeoutMs: shutdown.drain_timeout_ms },
    };
  }

  #listeners(): Pick<Config, 'listen' | 'admin'> {
    const { listen, admin } = this.#settings;
    const host = this.#values.listenHost(['listen', 'host'], listen.host);
    return {
      listen: {
        host,
        port: listen.port,
        requireKey: listen.require_key || !isLoopback(host),
        trustedProxies: this.#values.networks(['listen', 'trusted_proxies'], listen.trusted_proxies),
      },
      admin: admin === false ? undefined : { host: this.#values.listenHost(['admin', 'host'], admin.host), port: admin.port },
    };
  }

  #intercept(): Config['intercept'] {
    const { pass_through, max_leaves, leaf_ttl_ms } = this.#settings.intercept;
    const passThrough = this.#values.hosts(['intercept', 'pass_through'], pass_through, true);
    return { passThrough, maxLeaves: max_leaves, leafTtlMs: leaf_ttl_ms };
  }

  #upstream(): Config['upstream'] {
    const { upstream } = this.#settings;
    return {
      caFiles: upstream.ca_files.map((file, index) => this.#values.existing(['upstream', 'ca_files', index], file, 'file')),
      allowPrivate: this.#values.hosts(['upstream', 'allow_private'], upstream.allow_private, false),
      connectTimeoutMs: upstream.connect_timeout_ms,
      headersTimeoutMs: upstream.headers_timeout_ms,
      bodyTimeoutMs: upstream.body_timeout_ms,
      keepAliveMs: upstream.keep_alive_ms,
      maxLifetimeMs: upstream.max_lifetime_ms,
      maxConnections: upstream.max_connections,
      maxQueue: upstream.max_queue,
    };
  }

  #limits(): Config['limits'] {
    const { limits } = this.#settings;
    return {
      maxHeaderBytes: limits.max_header_bytes,
      headTimeoutMs: limits.head_timeout_ms,
      idleTimeoutMs: limits.idle_timeout_ms,
      stallTimeoutMs: limits.stall_timeout_ms,
      maxConnections: limits.max_connections,
      maxBodyMemoryBytes: limits.max_body_memory_bytes,
      bodySpoolBytes: limits.body_spool_bytes,
      bodySpoolFolder:
        limits.body_spool_folder === undefined
          ? tmpdir()
          : this.#values.existing(['limits', 'body_spool_folder'], limits.body_spool_folder, 'folder'),
    };
  }

  #store(): EmbeddedStoreConfig | RedisStoreConfig {
    const { store } = this.#settings;
    if (store.kind === 'embedded') {
      this.#refuseLonePassword();
      return { kind: 'embedded', path: this.#values.file(store.path) };
    }
    return {
      kind: 'redis',
      url: store.url === undefined ? '' : this.#values.redisUrl(store.url),
      username: store.username,
      password: this.#secret(SECRET_VARIABLES.storePassword, ['store', 'password_file'], store.password_file),
      caFile: store.ca_file === undefined ? undefined : this.#values.existing(['store', 'ca_file'], store.ca_file, 'file'),
      namespace: store.namespace,
      connectTimeoutMs: store.connect_timeout_ms,
      commandTimeoutMs: store.command_timeout_ms,
    };
  }

  /** Otherwise a forgotten ALTER_STORE_URL would quietly start the proxy on an empty store. */
  #refuseLonePassword(): void {
    const { env, flags } = this.#input;
    if ((env[SECRET_VARIABLES.storePassword] ?? '') === '' || flags?.store !== undefined) return;
    this.#problems.add(
      SECRET_VARIABLES.storePassword,
      'is set, but store.kind is embedded',
      'set store.url (ALTER_STORE_URL), or unset it',
    );
  }

  #key(): Secret | undefined {
    const { key_file: named } = this.#settings;
    const file = named === undefined || (this.#input.withoutLostKey === true && this.#isLost(named)) ? undefined : named;
    // Another name may be a key that was put into the wrong place, and is not repeated.
    const usual = homePaths(this.#input.home).key;
    const out = file !== undefined && this.#values.file(file) === usual ? usual : '<file>';
    return this.#secret(
      SECRET_VARIABLES.key,
      ['key_file'],
      file,
      (text) => (/^alter_key_[\w-]+$/.test(text) ? undefined : 'does not hold an API key (alter_key_…)'),
      `make a new key with \`alter-proxy key create sidecar --force --out ${out}\``,
    );
  }

  /** Whether a file is not there or holds no text. One that others may read is not lost. */
  #isLost(file: string): boolean {
    const read = readSecretFile(this.#values.file(file));
    return 'code' in read && read.code !== 'key_file_exposed';
  }

  /**
   * The secret of `variable`, else that of the file; the variable wins over a file that a weaker source names. `mend` is what
   * else is right when the file does not hold it.
   */
  #secret(
    variable: string,
    path: readonly string[],
    file: string | undefined,
    check?: (text: string) => string | undefined,
    mend?: string,
  ): Secret | undefined {
    const given = this.#input.env[variable]?.trim();
    if (given !== undefined && given !== '') {
      const fileVariable = `${variable}_FILE`;
      if ((this.#input.env[fileVariable] ?? '') !== '') this.#problems.add(variable, `contradicts ${fileVariable}`, 'unset one of them');
      return this.#checked(variable, given, check);
    }
    if (file === undefined) return undefined;
    const read = readSecretFile(this.#values.file(file));
    if ('text' in read) return this.#checked(this.#merged.where(path), read.text, check);
    const right = mend === undefined || read.code === 'key_file_exposed' ? read.right : `${read.right}, or ${mend}`;
    this.#problems.add(this.#merged.where(path), read.what, right, read.code);
    return undefined;
  }

  #checked(where: string, text: string, check: ((text: string) => string | undefined) | undefined): Secret | undefined {
    const wrong = check?.(text);
    if (wrong === undefined) return comparableSecret(text);
    this.#problems.add(where, wrong, 'give the key that `alter-proxy init` wrote, alone on one line');
    return undefined;
  }
}
