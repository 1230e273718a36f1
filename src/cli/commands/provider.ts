import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { loadCatalogue } from '../../providers/catalogue.ts';
import { parseProvider } from '../../providers/parse.ts';
import { privateHosts } from '../../providers/private-hosts.ts';
import type { ProviderTemplate } from '../../providers/template.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { confirmByName } from '../confirm.ts';
import { secretForPrograms } from '../secret-text.ts';
import { LOW_CONFIDENCE, placesText, providerFacts, usageLines } from '../provider-text.ts';
import type { Session } from '../session.ts';

interface ListedProvider {
  readonly template: ProviderTemplate;
  readonly custom: boolean;
}

/** The catalogue can be looked at before there is a home. */
async function allProviders(session: Session): Promise<readonly ListedProvider[]> {
  if (existsSync(session.home)) return await (await session.administration()).listProviders();
  return loadCatalogue([])
    .all()
    .map((template) => ({ template, custom: false }));
}

async function findProvider(session: Session, slug: string): Promise<ListedProvider> {
  try {
    if (existsSync(session.home)) return await (await session.administration()).showProvider(slug);
  } catch (error) {
    if (!(error instanceof CommandError && error.code === 'not_found')) throw error;
    throw unknownProvider(slug);
  }
  const template = loadCatalogue([]).get(slug);
  if (template === undefined) throw unknownProvider(slug);
  return { template, custom: false };
}

function unknownProvider(slug: string): CommandError {
  return new CommandError('not_found', `there is no provider "${slug}"`, {
    hint: 'Search with `alter-proxy provider list --search <word>`.',
  });
}

function shortHosts(hosts: readonly string[]): string {
  if (hosts.length === 0) return 'any, named with --host';
  return hosts.length > 2 ? `${hosts.slice(0, 2).join(', ')} +${String(hosts.length - 2)}` : hosts.join(', ');
}

function unknownCategory(category: string, all: readonly ListedProvider[]): CommandError {
  const known = [...new Set(all.map(({ template }) => template.category))].sort().join(', ');
  return new CommandError('not_found', `there is no category "${category}"`, { hint: `Categories: ${known}.` });
}

function matches(template: ProviderTemplate, word: string): boolean {
  const text = [template.slug, template.name, template.category, template.note ?? '', ...template.hosts].join('\n').toLowerCase();
  return text.includes(word.toLowerCase());
}

interface ListOptions {
  readonly search?: string;
  readonly category?: string;
}

async function list(session: Session, { search, category }: ListOptions): Promise<void> {
  const { output } = session;
  const all = await allProviders(session);
  const inCategory = category === undefined ? all : all.filter(({ template }) => template.category === category);
  if (inCategory.length === 0 && category !== undefined) throw unknownCategory(category, all);
  const found = search === undefined ? inCategory : inCategory.filter(({ template }) => matches(template, search));
  output.result(
    found.map(({ template, custom }) => ({ ...template, custom })),
    () => {
      if (found.length === 0) return search === undefined ? 'No providers.' : 'No provider matches.';
      return output.table(
        ['slug', 'name', 'category', 'credential', 'hosts', 'confidence'],
        found.map(({ template, custom }) => [
          custom ? `${template.slug} (custom)` : template.slug,
          template.name,
          template.category,
          placesText(template),
          shortHosts(template.hosts),
          template.confidence === 'low' ? { painted: output.paint('yellow', 'low') } : '',
        ]),
      );
    },
  );
}

async function show(session: Session, slug: string): Promise<void> {
  const { output } = session;
  const { template, custom } = await findProvider(session, slug);
  output.result({ ...template, custom }, () => [
    ...output.facts([['Provider', `${template.name} (${template.slug}${custom ? ', custom' : ''})`], ...providerFacts(template)]),
    '',
    ...usageLines(template),
    ...(template.confidence === 'low' ? ['', output.paint('yellow', LOW_CONFIDENCE)] : []),
  ]);
}

interface AddOptions {
  readonly file: string;
  readonly allowPrivate?: boolean;
}

async function add(session: Session, { file, allowPrivate }: AddOptions): Promise<void> {
  const template = parseProvider(readFileSync(file, 'utf8'), basename(file));
  const allowed = session.config().upstream.allowPrivate;
  const closed = privateHosts(template).filter((host) => !allowed.includes(host) && !allowed.includes(host.replace(/:[0-9]+$/, '')));
  if (closed.length > 0 && allowPrivate !== true) {
    throw new CommandError('not_allowed', `the provider names a private host: ${closed.join(', ')}`, {
      hint: 'Pass --allow-private if that is meant.',
    });
  }
  const stored = await (await session.administration()).addProvider(template);
  session.output.result({ ...stored, custom: true }, () => `Added provider ${stored.slug} for app ${session.config().app}`);
  if (closed.length > 0) session.output.note(`The proxy connects to ${closed.join(', ')} only when upstream.allow_private names it.`);
}

interface DeleteOptions {
  readonly yes?: string;
}

async function remove(session: Session, slug: string, { yes }: DeleteOptions): Promise<void> {
  const administration = await session.administration();
  const { template, custom } = await administration.showProvider(slug);
  const secrets = (await administration.listSecrets()).filter(({ provider, status }) => provider === slug && status !== 'deleted');
  const ids = new Set(secrets.map(({ id }) => id));
  const grants = (await administration.listGrants()).filter(({ secretId, status }) => status === 'active' && ids.has(secretId)).length;
  const names = secrets.length === 0 ? '' : ` (${secrets.map(({ name }) => name).join(', ')})`;
  const what = custom ? `Deleting provider ${slug} takes it away, with` : `Provider ${slug} is shipped and stays; deleting takes away`;
  const effect = `${what} its ${String(secrets.length)} secrets${names}, and ends their ${String(grants)} active grants. It cannot be undone.`;
  if (yes === undefined) await confirmByName(session.terminal, effect, slug, `Pass --yes ${slug} to confirm.`);
  else if (yes !== slug) throw new CommandError('not_allowed', `--yes names another provider than ${JSON.stringify(slug)}`);
  const deleted = await administration.deleteProvider(slug);
  session.output.result(
    { slug: template.slug, withdrawn: deleted.withdrawn, secrets: deleted.secrets.map(secretForPrograms) },
    () => `Deleted ${custom ? `provider ${slug} with` : `of provider ${slug}`} ${String(deleted.secrets.length)} secrets`,
  );
}

/** The commands of `provider`. */
export function addProviderCommands(program: Command, runtime: Runtime): void {
  const group = declareGroup(program, 'provider', 'How each API takes its credential');
  const listing = declare(group, 'list', 'List the providers of the catalogue and your own.', [
    'alter-proxy provider list',
    'alter-proxy provider list --search openai',
    'alter-proxy provider list --category payments',
  ])
    .option('-s, --search <text>', 'only those whose name, category, host or note contains the text')
    .option('--category <word>', 'only those of the category');
  perform<ListOptions>(listing, runtime, async (session, options) => {
    await list(session, options);
    return session.listed();
  });
  const showing = declare(group, 'show <slug>', 'Show hosts, fields and injection of a provider, and how to use it.', [
    'alter-proxy provider show openai',
  ]);
  perform(showing, runtime, async (session, _options, [slug = '']) => {
    await show(session, slug);
    return 0;
  });
  const adding = declare(group, 'add', 'Add a provider of your own from a file in the format of the catalogue.', [
    'alter-proxy provider add --file my-api.yaml',
    'alter-proxy provider add --file intranet.yaml --allow-private',
  ])
    .requiredOption('-f, --file <file>', 'YAML file with the provider')
    .option('--allow-private', 'accept hosts that are private by their name or address');
  perform<AddOptions>(adding, runtime, async (session, options) => {
    await add(session, options);
    return 0;
  });
  const deleting = declare(group, 'delete <slug>', 'Delete a provider of your own, and all secrets of any provider.', [
    'alter-proxy provider delete my-api',
    'alter-proxy provider delete my-api --yes my-api',
  ]).option('-y, --yes <slug>', 'do not ask; name the provider once more');
  perform<DeleteOptions>(deleting, runtime, async (session, options, [slug = '']) => {
    await remove(session, slug, options);
    return 0;
  });
}
