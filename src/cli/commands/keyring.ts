import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import type { KeyFacts } from '../../vault/keyring.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { confirmByName } from '../confirm.ts';
import { formatInstant, isoInstant } from '../duration.ts';
import type { Session } from '../session.ts';

function forPrograms({ kid, app, active, createdAt }: KeyFacts): Record<string, unknown> {
  return { kid, app, active, createdAt: isoInstant(createdAt) };
}

function list(session: Session): void {
  const { output } = session;
  const keys = session.keyring().list();
  const now = Date.now();
  output.result(keys.map(forPrograms), () =>
    output.table(
      ['kid', 'app', 'created', 'use'],
      keys.map(({ kid, app, active, createdAt }) => [
        kid,
        app,
        formatInstant(createdAt, now),
        active ? { painted: output.paint('green', 'seals and opens') } : 'opens',
      ]),
    ),
  );
}

function find(session: Session, kid: string): KeyFacts {
  const key = session
    .keyring()
    .list()
    .find((candidate) => candidate.kid === kid);
  if (key === undefined)
    throw new CommandError('not_found', 'the keyring has no key with this id', { hint: 'See `alter-proxy keyring list`.' });
  return key;
}

function add(session: Session, activate: boolean): void {
  const { app } = session.config();
  const keyring = session.keyring();
  const kid = keyring.add(app, { activate });
  const next = activate
    ? 'New records are sealed under it. Seal the old ones again with: alter-proxy keyring rewrap'
    : `Let it seal with: alter-proxy keyring activate ${kid}`;
  session.output.result(forPrograms(find(session, kid)), () => `Added master key ${kid} for app ${app}`);
  session.output.note(next);
}

function activate(session: Session, kid: string): void {
  session.keyring().activate(find(session, kid).kid);
  session.output.result(forPrograms(find(session, kid)), () => `Master key ${kid} seals from now on`);
  session.output.note('Seal the old records again with: alter-proxy keyring rewrap');
}

async function rewrap(session: Session): Promise<number> {
  const result = await (await session.administration()).rewrap();
  session.output.result(
    result,
    () => `Sealed ${String(result.rewrapped)} of ${String(result.scanned)} records again; ${String(result.unreadable)} could not be opened`,
  );
  return result.unreadable === 0 ? 0 : 1;
}

async function drop(session: Session, kid: string, yes: boolean): Promise<void> {
  const key = find(session, kid);
  if (key.active)
    throw new CommandError('keyring_key_in_use', `master key ${kid} is the one that seals`, {
      hint: 'Add or activate another key, then rewrap, first.',
    });
  if (!yes) await confirmByName(session.terminal, 'Backups of the store that need this key can never be opened again.', kid);
  await (await session.administration()).dropKey(kid);
  session.output.result(forPrograms(key), () => `Dropped master key ${kid}`);
}

/** `keyring list`, `add`, `activate`, `rewrap` and `drop`. */
export function addKeyringCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'keyring', 'Master keys that seal the stored records');
  perform(
    declare(group, 'list', 'List the master keys, without the keys themselves.', ['alter-proxy keyring list']),
    runtime,
    (session) => {
      list(session);
      return 0;
    },
  );
  const adding = declare(group, 'add', 'Add a master key for the app. Proxies that run pick it up by themselves.', [
    'alter-proxy keyring add && alter-proxy keyring rewrap',
    'alter-proxy keyring add --no-activate   # first copy the file to every machine, then activate',
  ]).option('--no-activate', 'only open with it; let the old key seal');
  perform<{ readonly activate: boolean }>(adding, runtime, (session, options) => {
    add(session, options.activate);
    return 0;
  });
  const activating = declare(group, 'activate <kid>', 'Let a master key seal in place of the active one.', [
    'alter-proxy keyring activate default-3f2a…',
  ]);
  perform(activating, runtime, (session, _options, [kid = '']) => {
    activate(session, kid);
    return 0;
  });
  const rewrapping = declare(group, 'rewrap', 'Seal every record again under the active key, while proxies run.', [
    'alter-proxy keyring rewrap',
  ]);
  perform(rewrapping, runtime, rewrap);
  const dropping = declare(group, 'drop <kid>', 'Remove a master key that no record needs any more.', [
    'alter-proxy keyring drop default-3f2a…',
  ]);
  perform<{ readonly yes?: boolean }>(dropping.option('-y, --yes', 'do not ask'), runtime, async (session, options, [kid = '']) => {
    await drop(session, kid, options.yes === true);
    return 0;
  });
}
