import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { tenantFields, usedFields } from '../../providers/derived-fields.ts';
import { hostValueForm } from '../../providers/host-template.ts';
import type { ProviderTemplate } from '../../providers/template.ts';
import { collect, declare, declareGroup, perform, type Runtime } from '../command.ts';
import { confirmByName } from '../confirm.ts';
import { formatInstant } from '../duration.ts';
import { shortOrigin, shortOrigins } from '../origin-text.ts';
import { checkFieldOptions, readSecretFields } from '../secret-input.ts';
import { secretForPrograms } from '../secret-text.ts';
import type { Session } from '../session.ts';
import { addSecretChanges, maxTtlOption } from './secret-change.ts';
import { addSecretShow } from './secret-show.ts';
import { addSecretTest } from './secret-test.ts';

interface FieldOptions {
  readonly field?: readonly string[];
  readonly fieldsStdin?: boolean;
}

interface AddOptions extends FieldOptions {
  readonly provider: string;
  readonly host?: readonly string[];
  readonly maxTtl?: string;
  readonly tenant?: string;
}

function readFields(session: Session, template: ProviderTemplate, { field = [], fieldsStdin = false }: FieldOptions, others?: 'kept') {
  return readSecretFields(template, { field, fieldsStdin, ...(others === undefined ? {} : { others }) }, session.terminal);
}

async function add(session: Session, name: string, options: AddOptions): Promise<void> {
  const maxTtlS = maxTtlOption(options.maxTtl);
  const administration = await session.administration();
  const hosts = options.host ?? [];
  const life = maxTtlS === undefined ? {} : { maxTtlS };
  const { template } = await administration.showProvider(options.provider);
  const asked = hosts.length === 0 ? template : withoutHostFields(template);
  const input = withTenant(asked, options);
  checkFieldOptions(asked, { field: input.field ?? [] });
  await administration.checkNewSecret({ name, provider: template.slug, hosts, ...life });
  const fields = await readFields(session, asked, input);
  const secret = await administration.addSecret({ name, provider: template.slug, fields, hosts, ...life });
  session.output.result(
    secretForPrograms(secret),
    () => `Stored secret ${secret.name} (${secret.id}) for ${secret.origins.map(shortOrigin).join(', ')}`,
  );
  session.output.note(`Give access with: alter-proxy grant issue --secret ${quoted(secret.name)} --label <purpose>`);
}

/** `--tenant acme` is `--field tenant=acme`, whatever the provider calls the field that stands in its host. */
function withTenant(template: ProviderTemplate, { tenant, ...options }: AddOptions): AddOptions {
  if (tenant === undefined) return options;
  const [field] = tenantFields(template).filter((name) => Object.hasOwn(template.fields, name));
  if (field === undefined || options.host !== undefined) {
    throw new CommandError(
      'usage',
      `--tenant names a part of the host, and here ${options.host ? '--host names all of it' : 'no host has one'}`,
    );
  }
  if (options.fieldsStdin === true || !/^[A-Za-z0-9]/.test(tenant)) {
    throw new CommandError(
      'usage',
      `--tenant takes ${hostValueForm(template.fields[field])}; with --fields-stdin it belongs into the JSON object`,
    );
  }
  return { ...options, field: [...(options.field ?? []), `${field}=${tenant}`] };
}

/** The provider without the fields that only its hosts need. */
function withoutHostFields(template: ProviderTemplate): ProviderTemplate {
  const injected = new Set(usedFields(template));
  return { ...template, fields: Object.fromEntries(Object.entries(template.fields).filter(([name]) => injected.has(name))) };
}

/** The provider without the fields that stay when a secret is rotated: those that named its host. */
function withoutPinnedFields(template: ProviderTemplate): ProviderTemplate {
  const pinned = tenantFields(template);
  return { ...template, fields: Object.fromEntries(Object.entries(template.fields).filter(([name]) => !pinned.includes(name))) };
}

/** A name as it can be pasted into a shell; names hold letters, digits, spaces, dots, dashes and underscores. */
function quoted(name: string): string {
  return name.includes(' ') ? `'${name}'` : name;
}

async function rotate(session: Session, idOrName: string, options: FieldOptions): Promise<void> {
  const administration = await session.administration();
  const { provider } = await administration.showSecret(idOrName);
  const { template } = await administration.showProvider(provider);
  const fields = await readFields(session, withoutPinnedFields(template), options, 'kept');
  // Of a refresh token that a proxy renews, the current one is in the record only: nobody could give it once more.
  const secret = await administration.rotateSecret(idOrName, fields, options.field === undefined ? {} : { others: 'kept' });
  session.output.result(
    secretForPrograms(secret),
    () =>
      `Rotated secret ${secret.name} (${secret.id}) to version ${String(secret.version)}; ${secret.status === 'active' ? 'its grants keep working' : 'it is still revoked'}`,
  );
}

async function list(session: Session, all: boolean): Promise<void> {
  const { output } = session;
  const now = Date.now();
  const secrets = (await (await session.administration()).listSecrets()).filter(({ status }) => all || status !== 'deleted');
  output.result(secrets.map(secretForPrograms), () => {
    if (secrets.length === 0) return 'No secrets. Store one with: alter-proxy secret add <name> --provider <slug>';
    return output.table(
      ['name', 'id', 'provider', 'destinations', 'version', 'changed', 'status'],
      secrets.map((secret) => [
        secret.name,
        secret.id,
        secret.provider,
        shortOrigins(secret.origins),
        String(secret.version),
        formatInstant(secret.rotatedAt, now),
        { painted: output.paint(secret.status === 'active' ? 'green' : 'red', secret.status) },
      ]),
    );
  });
}

async function remove(session: Session, idOrName: string, yes: boolean): Promise<void> {
  const administration = await session.administration();
  const secret = await administration.showSecret(idOrName);
  if (secret.status === 'deleted') throw new CommandError('not_found', `secret ${secret.name} is deleted already`);
  const grants = (await administration.listGrants()).filter((grant) => grant.secretId === secret.id && grant.status === 'active').length;
  const effect = `Deleting secret ${secret.name} (${secret.id}) ends its ${String(grants)} active grant${grants === 1 ? '' : 's'}.`;
  if (!yes) await confirmByName(session.terminal, effect, secret.name);
  const deleted = await administration.deleteSecret(secret.id);
  session.output.result(secretForPrograms(deleted), () => `Deleted secret ${deleted.name} (${deleted.id})`);
}

function withFieldOptions(command: Command): Command {
  return command
    .option('--field <name[=@file|=-]>', 'read one field from a file, from stdin, or ask for it (repeatable)', collect)
    .option('--fields-stdin', 'read all fields as one JSON object from stdin');
}

/** The commands of `secret`. */
export function addSecretCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'secret', 'Credentials, encrypted; they go in and never come out');
  const adding = withFieldOptions(
    declare(
      group,
      'add <name>',
      'Store a credential. Its value comes from a hidden prompt, a file or stdin, never from the command line.',
      [
        'alter-proxy secret add openai --provider openai                         # asks',
        'alter-proxy secret add openai --provider openai < key.txt               # one field: stdin',
        'alter-proxy secret add jira --provider jira --tenant acme --field email=me@example.com --field api_token=-',
        `echo '{"username":"u","password":"p"}' | alter-proxy secret add db --provider my-api --fields-stdin`,
        'alter-proxy secret add azure --provider azure-openai --host me.openai.azure.com',
      ],
    )
      .requiredOption('-p, --provider <slug>', 'provider of the credential, see `alter-proxy provider list`')
      .option('--tenant <name>', 'your own part of the host, where a provider has one for each customer; asked for when it is missing')
      .option('--host <host[:port]>', "destination that may receive it (repeatable; default: the provider's own hosts)", collect)
      .option('--max-ttl <duration>', 'longest life of its grants, such as 30d (default: any)'),
  );
  perform<AddOptions>(adding, runtime, async (session, options, [name = '']) => {
    await add(session, name, options);
    return 0;
  });
  const listing = declare(group, 'list', 'List the secrets of the app, without values.', [
    'alter-proxy secret list',
    'alter-proxy secret list --json',
  ]);
  perform<{ readonly all?: boolean }>(listing.option('-a, --all', 'also deleted ones'), runtime, async (session, options) => {
    await list(session, options.all === true);
    return session.listed();
  });
  addSecretShow(group, runtime);
  addSecretTest(group, runtime);
  const rotating = withFieldOptions(
    declare(
      group,
      'rotate <name-or-id>',
      'Replace the value of a secret. Grants keep working and use the new value from the next request on.',
      [
        'alter-proxy secret rotate openai < new-key.txt',
        'alter-proxy secret rotate graph --field client_secret=@secret.txt        # the other fields stay',
      ],
    ),
  );
  perform<FieldOptions>(rotating, runtime, async (session, options, [idOrName = '']) => {
    await rotate(session, idOrName, options);
    return 0;
  });
  addSecretChanges(group, runtime);
  const deleting = declare(group, 'delete <name-or-id>', 'Delete a secret. Its grants stop working at once.', [
    'alter-proxy secret delete openai',
  ]);
  perform<{ readonly yes?: boolean }>(deleting.option('-y, --yes', 'do not ask'), runtime, async (session, options, [idOrName = '']) => {
    await remove(session, idOrName, options.yes === true);
    return 0;
  });
}
