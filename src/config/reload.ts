import { isDeepStrictEqual } from 'node:util';
import { CommandError } from '../errors.ts';
import { Secret } from '../secret/secret.ts';
import type { Config } from './config.ts';
import { deepFreeze } from './deep-freeze.ts';
import { isFromEmptyFile } from './load.ts';
import { sameSecret } from './secret-text.ts';

/** How a reload ended. Settings are named as in the file: `limits.max_connections`. */
export type ReloadResult =
  | {
      readonly ok: true;
      /** Settings that have their new value now. */
      readonly changed: readonly string[];
      /** Settings that differ but keep their old value until a restart. */
      readonly restartNeeded: readonly string[];
    }
  | { readonly ok: false; readonly error: CommandError };

/** Where a reload tells what it did. */
export interface ReloadLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The configuration of a running proxy. */
export interface ConfigHolder {
  /** The configuration in force. */
  current(): Config;
  /**
   * Loads anew and applies, all or nothing: when loading or applying fails, or the file of the old configuration is gone or was emptied, the
   * old configuration stays in force and the log says so.
   * Never rejects. Calls run one after the other.
   */
  reload(): Promise<ReloadResult>;
}

/** What a running proxy was built around and cannot exchange: sockets, store, identity, bounded queues and caches. */
const RESTART_SETTINGS: readonly string[] = [
  'app',
  'name',
  'workers',
  'key',
  'listen',
  'admin',
  'store',
  'cache',
  'keyring_file',
  'ca_dir',
  'intercept.max_leaves',
  'intercept.leaf_ttl_ms',
  'limits',
  'audit',
  'shutdown',
];

/** Where the configuration comes from is not part of what it says. */
const NOT_SETTINGS = ['home', 'file'];

/**
 * Holds the configuration that `load` gives (`initial`, when it was loaded already). `onChange` applies the next one and throws to refuse
 * it; it is not called when nothing that can change has changed. `restartSettings` (a setting, or all below it) keep their old value.
 */
export function createConfigHolder(
  load: () => Config,
  onChange: (next: Config, previous: Config) => void | Promise<void>,
  log: ReloadLog,
  initial: Config = load(),
  restartSettings: readonly string[] = RESTART_SETTINGS,
): ConfigHolder {
  let current = initial;
  let lastLoaded = initial;
  let last: Promise<unknown> = Promise.resolve();

  const reloadNow = async (): Promise<ReloadResult> => {
    try {
      const loaded = load();
      mustSayOn(lastLoaded, loaded);
      const next = keepOld(restartSettings, loaded, current);
      const changed = differences(current, next);
      const restartNeeded = differences(next, loaded);
      if (changed.length > 0) await onChange(next, current);
      current = next;
      lastLoaded = loaded;
      tell(log, changed, restartNeeded);
      return { ok: true, changed, restartNeeded };
    } catch (cause) {
      const error =
        cause instanceof CommandError ? cause : new CommandError('internal', 'the new configuration could not be applied', { cause });
      log.error({ err: error }, 'configuration not reloaded, the old one stays in force');
      return { ok: false, error };
    }
  };

  return {
    current: () => current,
    reload: () => {
      const result = last.then(reloadNow);
      last = result;
      return result;
    },
  };
}

/** A file that is moved away, or cut down to be written again, must not put the defaults in force: they allow more than it may have. */
function mustSayOn(previous: Config, loaded: Config): void {
  const { file } = previous;
  if (file === undefined) return;
  if (loaded.file === undefined)
    throw new CommandError('file_unreadable', `${file}: is gone; put it back, or restart the proxy to run without it`);
  if (isFromEmptyFile(loaded) && !isFromEmptyFile(previous)) {
    const text = `${file}:1:1: holds no setting any more; write them again, or restart the proxy to run without them`;
    throw new CommandError('config_invalid', text);
  }
}

function tell(log: ReloadLog, changed: readonly string[], restartNeeded: readonly string[]): void {
  log.info({ changed }, changed.length === 0 ? 'configuration reloaded, nothing changed' : 'configuration reloaded');
  if (restartNeeded.length > 0) log.warn({ settings: restartNeeded }, 'these settings keep their old value until a restart');
}

function keepOld(settings: readonly string[], loaded: Config, previous: Config): Config {
  const next: Record<string, unknown> = { ...loaded };
  for (const [name, inner] of settings.map((setting) => setting.split('.').map(camelCase))) {
    if (name === undefined) continue;
    const old: unknown = previous[name as keyof Config];
    if (inner === undefined) next[name] = old;
    else if (isSettings(old)) next[name] = { ...(next[name] as object), [inner]: old[inner] };
  }
  return deepFreeze(next as unknown as Config);
}

/** The settings in which `a` and `b` differ, in the spelling of the file. */
function differences(a: unknown, b: unknown, path = ''): string[] {
  if (a instanceof Secret && b instanceof Secret) return sameSecret(a, b) ? [] : [path];
  if (!isSettings(a) || !isSettings(b) || path === 'default_grants') return isDeepStrictEqual(a, b) ? [] : [path];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((key) => !(path === '' && NOT_SETTINGS.includes(key)));
  return keys.flatMap((key) => differences(a[key], b[key], path === '' ? snakeCase(key) : `${path}.${snakeCase(key)}`));
}

function isSettings(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Secret);
}

function snakeCase(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function camelCase(key: string): string {
  return key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
