import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { configTemplate } from '../../config/template.ts';
import { CommandError } from '../../errors.ts';
import { prepareOffline } from '../../inject/prepare.ts';
import { createCa, type Ca } from '../../pki/ca.ts';
import { loadCatalogue } from '../../providers/catalogue.ts';
import { openStore } from '../../store/open.ts';
import { createAdministration } from '../../vault/administration.ts';
import { apiKeyText } from '../../vault/own-credentials.ts';
import { createKeyring, type Keyring } from '../../vault/keyring.ts';
import { isAppName } from '../../vault/names.ts';
import { declare, perform, type Runtime } from '../command.ts';
import type { Session } from '../session.ts';

interface InitOptions {
  readonly app: string;
}

type Paths = Session['paths'];

/** Makes the folder, or takes an empty one. Returns how to undo that. */
function claimHome(home: string): () => void {
  const stat = statSync(home, { throwIfNoEntry: false });
  if (stat === undefined) {
    const first = mkdirSync(home, { recursive: true, mode: 0o700 });
    chmodSync(home, 0o700);
    return () => {
      rmSync(first ?? home, { recursive: true, force: true });
    };
  }
  if (!stat.isDirectory() || readdirSync(home).length > 0) throw new CommandError('home_exists', `${home} exists and is not empty`);
  chmodSync(home, 0o700);
  return () => {
    for (const name of readdirSync(home)) rmSync(join(home, name), { recursive: true, force: true });
    chmodSync(home, stat.mode & 0o777);
  };
}

/** Stores the key of this proxy in the new store and in its file. */
async function createOwnKey(paths: Paths, keyring: Keyring, app: string): Promise<void> {
  mkdirSync(paths.store, { mode: 0o700 });
  const store = await openStore({ kind: 'embedded', path: paths.store }, { auditMaxStream: 0 });
  try {
    const administration = createAdministration({ store, keyring, catalogue: loadCatalogue([]), app, prepare: prepareOffline });
    const { key } = await administration.createKey({ name: 'sidecar' });
    writeFileSync(paths.key, `${apiKeyText(key)}\n`, { mode: 0o600, flag: 'wx' });
  } finally {
    await store.close();
  }
}

async function fill(session: Session, app: string): Promise<Ca> {
  const { paths, home } = session;
  const keyring = createKeyring(paths.keyring, app);
  const ca = createCa(paths.ca);
  await createOwnKey(paths, keyring, app);
  writeFileSync(paths.config, configTemplate({ app }), { mode: 0o600, flag: 'wx' });
  loadConfig({ home, file: paths.config, env: {} });
  return ca;
}

function describe(session: Session, ca: Ca): string[] {
  const { paths, home, output } = session;
  const elsewhere = session.isNamedHome() ? [`  export ALTER_HOME=${home}`] : [];
  const folder = (path: string) => `${basename(path)}/`;
  return [
    `${output.paint('green', '✓')} Created ${home}`,
    '',
    ...output
      .facts([
        [basename(paths.config), 'configuration'],
        [basename(paths.keyring), 'master key that seals every record; back it up'],
        [folder(paths.ca), `certificate authority of this proxy, valid until ${ca.notAfter.toISOString().slice(0, 10)}`],
        [folder(paths.store), 'embedded store'],
        [basename(paths.key), "this proxy's own key"],
      ])
      .map((line) => `  ${line}`),
    '',
    'Next:',
    ...elsewhere,
    '  alter-proxy secret add openai --provider openai',
    "  alter-proxy grant issue --secret openai --label 'first steps'",
    "  alter-proxy run -- curl https://api.openai.com/v1/models -H 'X-Alter-Grant: <grant>'",
  ];
}

async function init(session: Session, app: string): Promise<void> {
  if (!isAppName(app))
    throw new CommandError('usage', '--app takes letters, digits, dots, dashes and underscores, 63 at most; the name "key" is reserved');
  const { home, paths, output } = session;
  const undo = claimHome(home);
  let ca: Ca;
  try {
    ca = await fill(session, app);
  } catch (error) {
    undo();
    throw error;
  }
  const { subject, fingerprint256 } = ca;
  output.result(
    {
      home,
      app,
      config: paths.config,
      keyring: paths.keyring,
      store: paths.store,
      keyFile: paths.key,
      ca: { folder: paths.ca, subject, fingerprint256 },
    },
    () => describe(session, ca),
  );
}

/** `init`. */
export function addInitCommand(program: Command, runtime: Runtime): void {
  const command = declare(program, 'init', 'Create a home folder: configuration, keyring, certificate authority and store.', [
    'alter-proxy init',
    'alter-proxy init --home /var/lib/alter-proxy --app billing',
  ]).option('--app <name>', 'app whose secrets and grants live here', 'default');
  perform<InitOptions>(command, runtime, async (session, options) => {
    await init(session, options.app);
    return 0;
  });
}
