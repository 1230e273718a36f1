import { CommandError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { changeKeyringFile, createKeyringFile, newJwk, readKeyringFile, stampOf } from './keyring-file.ts';
import type { Jwk, KeyringContents, MasterKey } from './keyring-file.ts';
import { isAppName } from './names.ts';

/** What may be shown of a master key. */
export interface KeyFacts {
  readonly kid: string;
  readonly app: string;
  readonly active: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** The file is looked at no more often than this, whatever the store holds. */
const RECHECK_MS = 200;

/** Makes a keyring file with one active key for `app`. Throws CommandError `home_exists`, `file_unwritable`, `key_file_exposed`. */
export function createKeyring(file: string, app: string): Keyring {
  checkApp(app);
  createKeyringFile(file, [newJwk(app, true)]);
  return loadKeyring(file);
}

/** Reads a keyring file. Throws CommandError `keyring_unreadable`, `key_file_exposed`. */
export function loadKeyring(file: string): Keyring {
  return new Keyring(file, readKeyringFile(file));
}

/**
 * The master keys, by kid: several open, one per app seals. It follows its file: a kid that it does not know makes it look at the file again,
 * so that another process can add a key and seal under it while this one runs.
 */
export class Keyring {
  readonly file: string;
  #contents: KeyringContents;
  #byKid: ReadonlyMap<string, MasterKey>;
  #checkedAt = -Infinity;
  #recheck: Promise<void> | undefined;

  constructor(file: string, contents: KeyringContents) {
    this.file = file;
    this.#contents = contents;
    this.#byKid = indexByKid(contents);
  }

  /** All keys, in the order of the file. */
  list(): readonly KeyFacts[] {
    return this.#contents.keys.map(({ kid, app, active, createdAt }) => ({ kid, app, active, createdAt }));
  }

  /** The kid that seals for `app`. Throws CommandError `not_found` when there is none. */
  activeKid(app: string): string {
    return this.#activeKey(app).kid;
  }

  /** The key that seals for `app`, as the file has it now. For sealing.ts only. */
  sealingKey(app: string): MasterKey {
    if (performance.now() - this.#checkedAt >= RECHECK_MS) this.#reload();
    return this.#activeKey(app);
  }

  /** The key named `kid`, or undefined when the file does not have it now either. For sealing.ts only. */
  openingKey(kid: string): MaybePromise<MasterKey | undefined> {
    return this.#byKid.get(kid) ?? this.#lookAgain().then(() => this.#byKid.get(kid));
  }

  /** Adds a key for `app`, which seals from now on unless `activate` is false; returns its kid. Throws CommandError. */
  add(app: string, options: { readonly activate?: boolean } = {}): string {
    checkApp(app);
    const activate = options.activate ?? true;
    const jwk = newJwk(app, activate);
    this.#change((keys) => [
      ...(activate ? keys.map((key) => (key['alter_app'] === app ? { ...key, alter_active: false } : key)) : keys),
      jwk,
    ]);
    return jwk.kid;
  }

  /** Lets `kid` seal for its app in place of the active one. Throws CommandError `not_found`. */
  activate(kid: string): void {
    this.#change((keys) => {
      const app = find(keys, kid)['alter_app'];
      return keys.map((key) => (key['alter_app'] === app ? { ...key, alter_active: key['kid'] === kid } : key));
    });
  }

  /**
   * Removes `kid`: what is sealed under it never opens again. Throws CommandError `not_found`, and `keyring_key_in_use` for an active key.
   * Whether records still need the key is for the caller to know.
   */
  drop(kid: string): void {
    this.#change((keys) => {
      if (find(keys, kid)['alter_active'] === true) {
        throw new CommandError('keyring_key_in_use', `key ${kid} is active`, {
          hint: 'Activate another key of the app, then rewrap, first.',
        });
      }
      return keys.filter((key) => key['kid'] !== kid);
    });
  }

  #change(change: (keys: readonly Jwk[]) => readonly Jwk[]): void {
    changeKeyringFile(this.file, change);
    this.#reload();
  }

  #activeKey(app: string): MasterKey {
    const key = this.#contents.keys.find((candidate) => candidate.active && candidate.app === app);
    if (key === undefined) {
      const what = `the keyring ${this.file} has no active key for app ${JSON.stringify(app)}`;
      throw new CommandError('not_found', what, { hint: 'Run `alter-proxy keyring add`.' });
    }
    return key;
  }

  /** One look for all who wait; who comes too early after the last look waits for the next one and is not turned away. */
  #lookAgain(): Promise<void> {
    this.#recheck ??= delay(this.#checkedAt + RECHECK_MS - performance.now()).then(() => {
      this.#recheck = undefined;
      this.#reload();
    });
    return this.#recheck;
  }

  #reload(): void {
    this.#checkedAt = performance.now();
    if (stampOf(this.file) === this.#contents.stamp) return;
    const contents = readKeyringFile(this.file);
    this.#contents = contents;
    this.#byKid = indexByKid(contents);
  }
}

function indexByKid(contents: KeyringContents): ReadonlyMap<string, MasterKey> {
  return new Map(contents.keys.map((key) => [key.kid, key]));
}

function find(keys: readonly Jwk[], kid: string): Jwk {
  const key = keys.find((candidate) => candidate['kid'] === kid);
  if (key === undefined) throw new CommandError('not_found', `the keyring has no key ${JSON.stringify(kid)}`);
  return key;
}

function checkApp(app: string): void {
  if (!isAppName(app))
    throw new CommandError('record_invalid', `${JSON.stringify(app)} cannot name an app: letters, digits, dots, dashes and underscores`);
}

function delay(ms: number): Promise<void> {
  return ms <= 0 ? Promise.resolve() : new Promise((resolve) => setTimeout(resolve, ms));
}
