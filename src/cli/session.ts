import type { Config } from '../config/config.ts';
import { homePaths, resolveHome } from '../config/home.ts';
import { loadConfig, type ConfigFlags, type ConfigInput } from '../config/load.ts';
import { unreadable } from '../config/read-file.ts';
import { CommandError } from '../errors.ts';
import type { Ca } from '../pki/ca.ts';
import { loadCatalogue, type Catalogue } from '../providers/catalogue.ts';
import type { Store } from '../store/store.ts';
import type { Administration } from '../vault/administration.ts';
import { loadKeyring, type Keyring } from '../vault/keyring.ts';
import { storePasswordText } from '../vault/own-credentials.ts';
import type { RecordUnreadableError } from '../vault/record-unreadable.ts';
import { operator } from './operator.ts';
import { createOutput, type Output } from './output.ts';
import { reportLeftOut } from './report-error.ts';
import type { Terminal } from './terminal.ts';

/** Options that every command takes. */
export interface GlobalOptions {
  readonly home: string | undefined;
  readonly config: string | undefined;
  readonly json: boolean;
  readonly colour: boolean;
}

/** The parts of a home as one command needs them: each is opened when it is first asked for and closed with the session. */
export class Session {
  readonly terminal: Terminal;
  readonly output: Output;
  readonly home: string;
  readonly paths: ReturnType<typeof homePaths>;
  readonly #globals: GlobalOptions;
  #config: Config | undefined;
  #store: Promise<Store> | undefined;
  #keyring: Keyring | undefined;
  #catalogue: Catalogue | undefined;
  /** By what they are: several listings may meet the same record. */
  readonly #leftOut = new Map<string, RecordUnreadableError>();

  constructor(terminal: Terminal, globals: GlobalOptions) {
    this.terminal = terminal;
    this.output = createOutput(terminal, globals);
    this.home = resolveHome(globals.home, terminal.env);
    this.paths = homePaths(this.home);
    this.#globals = globals;
  }

  /** Whether commands find this home only when it is named with --home. */
  isNamedHome(): boolean {
    return this.home !== resolveHome(undefined, this.terminal.env);
  }

  /** Reads the configuration anew. Throws CommandError `home_missing`, `config_invalid`. */
  readConfig(flags: ConfigFlags = {}): Config {
    return this.#load({ flags });
  }

  #load(more: Partial<ConfigInput>): Config {
    const file = this.#globals.config ?? this.terminal.env['ALTER_CONFIG'];
    if (file === undefined && unreadable(this.home, 'folder') === 'ENOENT')
      throw new CommandError('home_missing', `there is no home folder at ${this.home}`);
    return loadConfig({ home: this.home, env: this.terminal.env, file, ...more });
  }

  /** The configuration for an operator, read once: a lost key file is in the way of the proxy alone. */
  config(): Config {
    this.#config ??= this.#load({ withoutLostKey: true });
    return this.#config;
  }

  /** The store, opened once. */
  store(): Promise<Store> {
    this.#store ??= this.#openStore(this.config());
    return this.#store;
  }

  keyring(): Keyring {
    this.#keyring ??= loadKeyring(this.config().keyringFile);
    return this.#keyring;
  }

  async ca(): Promise<Ca> {
    const { caDir } = this.config();
    const { loadCa } = await import('../pki/ca.ts');
    return loadCa(caDir);
  }

  /** The shipped catalogue and the provider folders of the configuration. */
  catalogue(): Catalogue {
    this.#catalogue ??= loadCatalogue(this.config().providerDirs);
    return this.#catalogue;
  }

  async administration(): Promise<Administration> {
    const keyring = this.keyring();
    const catalogue = this.catalogue();
    const store = await this.store();
    const { createAdministration } = await import('../vault/administration.ts');
    const { prepareOffline } = await import('../inject/prepare.ts');
    const { app, grants } = this.config();
    return createAdministration({
      ...{ store, keyring, catalogue, app, prepare: prepareOffline, by: operator() },
      leftOut: (error) => this.#leftOut.set(error.record, error),
      maxTtlMs: grants.maxTtlSeconds === 0 ? undefined : grants.maxTtlSeconds * 1000,
    });
  }

  /** Ends a listing: tells of the records that it had to leave out, if any, and answers the exit code. */
  listed(): number {
    if (this.#leftOut.size === 0) return 0;
    return reportLeftOut([...this.#leftOut.values()], this.terminal, this.#globals);
  }

  /** Closes what was opened. */
  async close(): Promise<void> {
    const store = await this.#store?.catch(() => undefined);
    await store?.close();
  }

  // Loaded when needed: most of the time that a command takes goes into loading code.
  async #openStore({ store, audit }: Config): Promise<Store> {
    const { openStore } = await import('../store/open.ts');
    return await openStore(store, { auditMaxStream: audit.maxStream, revealPassword: storePasswordText });
  }
}
