import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { CommandError } from '../errors.ts';
import type { Environment } from './env-layer.ts';

/** The files and folders of a home. */
export interface HomePaths {
  readonly config: string;
  readonly keyring: string;
  readonly ca: string;
  readonly store: string;
  /** The proxy's own API key. */
  readonly key: string;
  /** What lives only as long as a running proxy. */
  readonly run: string;
}

/**
 * The home folder, absolute: the flag, else ALTER_HOME, else `~/.alter-proxy`. Whether it exists is not looked at.
 * Throws CommandError `home_missing` when this user has no home directory and none is named.
 */
export function resolveHome(flag: string | undefined, env: Environment): string {
  const named = [flag, env['ALTER_HOME']].find((path) => path !== undefined && path !== '');
  return named === undefined ? join(userHome(env), '.alter-proxy') : resolve(named);
}

function userHome(env: Environment): string {
  const home = env['HOME'];
  if (home !== undefined && home !== '') return resolve(home);
  try {
    // Not homedir(), which takes an empty HOME for the folder.
    return userInfo().homedir;
  } catch (cause) {
    // A container may run as a user id without an entry in /etc/passwd.
    throw new CommandError('home_missing', 'this user has no home directory; name a folder with --home or ALTER_HOME', { cause });
  }
}

/** Where things stand in `home` unless the configuration says otherwise. */
export function homePaths(home: string): HomePaths {
  return {
    config: join(home, 'config.yaml'),
    keyring: join(home, 'keyring.json'),
    ca: join(home, 'ca'),
    store: join(home, 'store'),
    key: join(home, 'key'),
    run: join(home, 'run'),
  };
}
