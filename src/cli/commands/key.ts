import { rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { apiKeyText } from '../../vault/own-credentials.ts';
import type { KeyRecord } from '../../vault/records.ts';
import { declare, declareGroup, durationOption, perform, type Runtime } from '../command.ts';
import { formatInstant, isoInstant } from '../duration.ts';
import { isExisting } from '../report-error.ts';
import type { Session } from '../session.ts';

interface CreateOptions {
  readonly ttl?: string;
  readonly out?: string;
  readonly force?: boolean;
}

function effectiveStatus(key: KeyRecord, now: number): string {
  return key.status === 'active' && key.expiresAt !== undefined && key.expiresAt <= now ? 'expired' : key.status;
}

function forPrograms(key: KeyRecord, now: number): Record<string, unknown> {
  return {
    id: key.id,
    app: key.app,
    type: key.type,
    name: key.name,
    prefix: key.prefix,
    status: effectiveStatus(key, now),
    createdAt: isoInstant(key.createdAt),
    updatedAt: isoInstant(key.updatedAt),
    expiresAt: isoInstant(key.expiresAt),
  };
}

/** Makes the file before the key, so that no key is made that nobody gets to see. */
function reserveFile(path: string, force: boolean): void {
  if (force) rmSync(path, { force: true });
  try {
    writeFileSync(path, '', { mode: 0o600, flag: 'wx' });
  } catch (error) {
    if (!isExisting(error)) throw error;
    throw new CommandError('not_allowed', `${path} exists`, { hint: 'Name another file, or pass --force to replace it.' });
  }
}

async function create(session: Session, name: string, options: CreateOptions): Promise<void> {
  const { output } = session;
  const ttlMs = durationOption('--ttl', options.ttl);
  const administration = await session.administration();
  const file = options.out === undefined ? undefined : resolve(options.out);
  if (file !== undefined) reserveFile(file, options.force === true);
  const { key, record } = await administration.createKey({ name, ...(ttlMs === undefined ? {} : { ttlMs }) });
  const facts = forPrograms(record, Date.now());
  const validity = record.expiresAt === undefined ? 'it does not expire' : `it expires ${formatInstant(record.expiresAt, Date.now())}`;
  if (file !== undefined) {
    writeFileSync(file, `${apiKeyText(key)}\n`);
    output.result({ ...facts, file }, () => `Wrote key ${record.name} to ${file}; ${validity}`);
    return;
  }
  output.result({ ...facts, key: apiKeyText(key) }, () => apiKeyText(key));
  output.note(`This is the only time that the key is shown; ${validity}. Put it into the proxy URL: http://x:<key>@<host>:<port>`);
}

async function list(session: Session, all: boolean): Promise<void> {
  const { output } = session;
  const now = Date.now();
  const keys = (await (await session.administration()).listKeys()).filter((key) => all || effectiveStatus(key, now) === 'active');
  output.result(
    keys.map((key) => forPrograms(key, now)),
    () => {
      if (keys.length === 0) return 'No keys. Create one with: alter-proxy key create <name>';
      return output.table(
        ['name', 'key', 'created', 'expires', 'status'],
        keys.map((key) => {
          const status = effectiveStatus(key, now);
          const painted = output.paint(status === 'active' ? 'green' : 'red', status);
          return [key.name, `${key.prefix}…`, formatInstant(key.createdAt, now), formatInstant(key.expiresAt, now), { painted }];
        }),
      );
    },
  );
}

async function revoke(session: Session, idOrName: string): Promise<void> {
  const key = await (await session.administration()).revokeKey(idOrName);
  session.output.result(forPrograms(key, Date.now()), () => `Revoked key ${key.name} (${key.prefix}…)`);
}

/** `key create`, `list` and `revoke`. */
export function addKeyCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'key', 'Keys with which clients prove themselves to the proxy');
  const creating = declare(group, 'create <name>', 'Create a key of the app. It is printed once, and only its hash is stored.', [
    'alter-proxy key create ci --ttl 90d',
    'alter-proxy key create sidecar --out app.key',
  ])
    .option('--ttl <duration>', 'how long it is valid, such as 12h or 90d (default: until it is revoked)')
    .option('-o, --out <file>', 'write the key to a new file, readable by its owner only, instead of printing it')
    .option('--force', 'replace an existing file');
  perform<CreateOptions>(creating, runtime, async (session, options, [name = '']) => {
    await create(session, name, options);
    return 0;
  });
  const listing = declare(group, 'list', 'List the active keys of the app.', ['alter-proxy key list', 'alter-proxy key list --all']);
  perform<{ readonly all?: boolean }>(listing.option('-a, --all', 'also expired and revoked ones'), runtime, async (session, options) => {
    await list(session, options.all === true);
    return 0;
  });
  const revoking = declare(group, 'revoke <name-or-prefix>', 'Revoke a key; the next request with it is refused.', [
    'alter-proxy key revoke ci',
  ]);
  perform(revoking, runtime, async (session, _options, [idOrName = '']) => {
    await revoke(session, idOrName);
    return 0;
  });
}
