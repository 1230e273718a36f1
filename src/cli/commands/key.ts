import { Option, type Command } from 'commander';
import type { Administration } from '../../vault/administration.ts';
import { endLost } from '../../vault/keys.ts';
import type { CreatedKey, HandOver, NewKey, RotatedKey } from '../../vault/keys.ts';
import { apiKeyText } from '../../vault/own-credentials.ts';
import type { KeyRecord } from '../../vault/records.ts';
import { collect, declare, declareGroup, durationOption, perform, type Runtime } from '../command.ts';
import { formatInstant, isoInstant } from '../duration.ts';
import { reserveKeyFile, type KeyFile } from '../key-file.ts';
import type { Style } from '../output.ts';
import type { Session } from '../session.ts';

interface FileOptions {
  readonly out?: string;
  readonly force?: boolean;
}

interface CreateOptions extends FileOptions {
  readonly ttl?: string;
  readonly cidr?: readonly string[];
  readonly env?: 'development' | 'production';
  readonly agent?: string;
}

interface RotateOptions extends FileOptions {
  readonly grace?: string;
}

type Facts = Readonly<Record<string, unknown>>;

const DEFAULT_GRACE = '24h';

const STATUS_STYLES: Readonly<Partial<Record<string, Style>>> = { active: 'green', deprecated: 'yellow' };

function effectiveStatus(key: KeyRecord, now: number): string {
  return key.status !== 'revoked' && key.expiresAt !== undefined && key.expiresAt <= now ? 'expired' : key.status;
}

function isUsable(key: KeyRecord, now: number): boolean {
  return ['active', 'deprecated'].includes(effectiveStatus(key, now));
}

function forPrograms(key: KeyRecord, now: number): Record<string, unknown> {
  return {
    id: key.id,
    app: key.app,
    type: key.type,
    agent: key.agent ?? null,
    environment: key.environment ?? null,
    name: key.name,
    prefix: key.prefix,
    cidrs: key.cidrs,
    status: effectiveStatus(key, now),
    createdAt: isoInstant(key.createdAt),
    updatedAt: isoInstant(key.updatedAt),
    expiresAt: isoInstant(key.expiresAt),
  };
}

function reserveFile({ out, force }: FileOptions): KeyFile | undefined {
  return out === undefined ? undefined : reserveKeyFile(out, force === true);
}

/** Gives a new key to its owner, once: into its file, or printed. Rejects when that is not possible. */
async function handOver({ output }: Session, { key, record }: CreatedKey, file: KeyFile | undefined, more: Facts = {}): Promise<void> {
  if (file === undefined)
    await output.deliver({ ...forPrograms(record, Date.now()), ...more, key: apiKeyText(key) }, () => apiKeyText(key));
  else file.fill(`${apiKeyText(key)}\n`);
}

/** Says where the key is, which its owner has by now. */
function tellOf({ output }: Session, { record }: CreatedKey, file: KeyFile | undefined, more: Facts = {}): void {
  const validity = record.expiresAt === undefined ? 'it does not expire' : `it expires ${formatInstant(record.expiresAt, Date.now())}`;
  if (file === undefined) {
    output.note(`This is the only time that the key is shown; ${validity}. Put it into the proxy URL: http://x:<key>@<host>:<port>`);
    return;
  }
  file.takePlace();
  const facts = { ...forPrograms(record, Date.now()), ...more, file: file.path };
  output.result(facts, () => `Wrote key ${record.name} to ${file.path}; ${validity}`);
}

async function create(session: Session, name: string, options: CreateOptions): Promise<void> {
  const ttlMs = durationOption('--ttl', options.ttl);
  const administration = await session.administration();
  const file = reserveFile(options);
  const wanted = {
    name,
    cidrs: options.cidr ?? [],
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(options.env === undefined ? {} : { environment: options.env }),
    ...(options.agent === undefined ? {} : { agent: options.agent }),
  };
  const created = await forFile(
    file,
    createFor(administration, wanted, (key) => handOver(session, key, file)),
  );
  tellOf(session, created, file);
}

/** A key that its owner does not get is nobody's, and ends. */
async function createFor(administration: Administration, wanted: NewKey, give: HandOver): Promise<CreatedKey> {
  const created = await administration.createKey(wanted);
  try {
    await give(created);
  } catch (error) {
    throw await endLost(created.record, error, () => administration.revokeKey(created.record.id));
  }
  return created;
}

async function rotate(session: Session, idOrName: string, options: RotateOptions): Promise<void> {
  const graceMs = options.grace === '0' ? 0 : (durationOption('--grace', options.grace ?? DEFAULT_GRACE) ?? 0);
  const administration = await session.administration();
  const file = reserveFile(options);
  const more = ({ previous }: RotatedKey): Facts => ({ previous: forPrograms(previous, Date.now()) });
  const rotated = await forFile(
    file,
    administration.rotateKey(idOrName, graceMs, (key) => handOver(session, key, file, more(key))),
  );
  tellOf(session, rotated, file, more(rotated));
  const { previous } = rotated;
  const end = previous.status === 'revoked' ? 'has ended' : `ends ${formatInstant(previous.expiresAt, Date.now())}`;
  session.output.note(`The old key (${previous.prefix}…) ${end}.`);
}

/** Without the key its file stays not behind. */
async function forFile<T>(file: KeyFile | undefined, made: Promise<T>): Promise<T> {
  try {
    return await made;
  } catch (error) {
    file?.giveUp();
    throw error;
  }
}

async function list(session: Session, all: boolean): Promise<void> {
  const { output } = session;
  const now = Date.now();
  const keys = (await (await session.administration()).listKeys()).filter((key) => all || isUsable(key, now));
  output.result(
    keys.map((key) => forPrograms(key, now)),
    () => {
      if (keys.length === 0) return 'No keys. Create one with: alter-proxy key create <name>';
      return output.table(
        ['name', 'key', 'of', 'networks', 'created', 'expires', 'status'],
        keys.map((key) => {
          const status = effectiveStatus(key, now);
          const painted = output.paint(STATUS_STYLES[status] ?? 'red', status);
          const owner = key.agent === undefined ? 'app' : `agent ${key.agent}`;
          const networks = key.cidrs.length === 0 ? 'any' : key.cidrs.join(' ');
          const times = [formatInstant(key.createdAt, now), formatInstant(key.expiresAt, now)];
          return [key.name, `${key.prefix}…`, owner, networks, ...times, { painted }];
        }),
      );
    },
  );
}

async function revoke(session: Session, idOrName: string): Promise<void> {
  const administration = await session.administration();
  const key = await administration.revokeKey(idOrName);
  const now = Date.now();
  const sameName = idOrName === key.name ? (await administration.listKeys()).filter(({ name }) => name === idOrName) : [];
  const stillWorking = sameName.filter((other) => isUsable(other, now));
  session.output.result(
    { ...forPrograms(key, now), stillWorking: stillWorking.map((other) => forPrograms(other, now)) },
    () => `Revoked key ${key.name} (${key.prefix}…)`,
  );
  for (const { name, prefix, expiresAt } of stillWorking) {
    const until = expiresAt === undefined ? '' : `, and expires ${formatInstant(expiresAt, now)}`;
    session.output.note(`Another key called ${name} still works${until}. To end it now: alter-proxy key revoke ${prefix}`);
  }
}

async function deprecate(session: Session, idOrName: string): Promise<void> {
  const key = await (await session.administration()).deprecateKey(idOrName);
  session.output.result(forPrograms(key, Date.now()), () => `Key ${key.name} (${key.prefix}…) is ${effectiveStatus(key, Date.now())}`);
}

function withFileOptions(command: Command): Command {
  return command
    .option('-o, --out <file>', 'write the key to a new file, readable by its owner only, instead of printing it')
    .option('--force', 'replace an existing file');
}

function addCreate(group: Command, runtime: Runtime): void {
  const description = 'Create a key of the app, or of one of its agents. It is printed once, and only its hash is stored.';
  const creating = declare(group, 'create <name>', description, [
    'alter-proxy key create ci --ttl 90d',
    'alter-proxy key create sidecar --out app.key',
    'alter-proxy key create fleet --env production --cidr 10.20.0.0/16 --cidr 2001:db8:7::/48',
    'alter-proxy key create night-shift --agent reporter',
  ])
    .option('--ttl <duration>', 'how long it is valid, such as 12h or 90d (default: until it is revoked)')
    .option('--cidr <network>', 'take it only from this network or address; may be repeated', collect)
    .addOption(
      new Option('--env <name>', 'development: ends after 30 days at most; production: needs --cidr').choices([
        'development',
        'production',
      ]),
    )
    .option('--agent <name>', 'a key of this agent instead of the app');
  perform<CreateOptions>(withFileOptions(creating), runtime, async (session, options, [name = '']) => {
    await create(session, name, options);
    return 0;
  });
}

function addRotate(group: Command, runtime: Runtime): void {
  const rotating = declare(group, 'rotate <name-or-prefix>', 'Make a new key with the same settings. The old one ends after the grace.', [
    'alter-proxy key rotate ci',
    'alter-proxy key rotate sidecar --grace 1h --out app.key --force',
  ]).option('--grace <duration>', 'how long the old key still works, such as 1h; 0 ends it now', DEFAULT_GRACE);
  perform<RotateOptions>(withFileOptions(rotating), runtime, async (session, options, [idOrName = '']) => {
    await rotate(session, idOrName, options);
    return 0;
  });
}

/** `key create`, `list`, `deprecate`, `rotate` and `revoke`. */
export function addKeyCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'key', 'Keys with which clients prove themselves to the proxy');
  addCreate(group, runtime);
  const listing = declare(group, 'list', 'List the active keys of the app and its agents.', [
    'alter-proxy key list',
    'alter-proxy key list --all',
  ]);
  perform<{ readonly all?: boolean }>(listing.option('-a, --all', 'also expired and revoked ones'), runtime, async (session, options) => {
    await list(session, options.all === true);
    return session.listed();
  });
  const deprecating = declare(
    group,
    'deprecate <name-or-prefix>',
    'Mark a key as one to replace. It still works, and every answer says so with X-Alter-Key-Deprecated.',
    ['alter-proxy key deprecate ci'],
  );
  perform(deprecating, runtime, async (session, _options, [idOrName = '']) => {
    await deprecate(session, idOrName);
    return 0;
  });
  addRotate(group, runtime);
  const revoking = declare(group, 'revoke <name-or-prefix>', 'Revoke a key; the next request with it is refused.', [
    'alter-proxy key revoke ci',
  ]);
  perform(revoking, runtime, async (session, _options, [idOrName = '']) => {
    await revoke(session, idOrName);
    return 0;
  });
}
