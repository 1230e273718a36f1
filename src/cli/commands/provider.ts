import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Command } from 'commander';
import { CommandError } from '../../errors.ts';
import { loadCatalogue } from '../../providers/catalogue.ts';
import { parseProvider } from '../../providers/parse.ts';
import type { InjectionRule, ProviderTemplate } from '../../providers/template.ts';
import { declare, declareGroup, perform, type Runtime } from '../command.ts';
import { confirmByName } from '../confirm.ts';
import { secretForPrograms } from '../secret-text.ts';
import type { Session } from '../session.ts';

interface ListedProvider {
  readonly template: ProviderTemplate;
  readonly custom: boolean;
}

/** The catalogue can be looked at before there is a home. */
async function allProviders(session: Session): Promise<readonly ListedProvider[]> {
  if (!existsSync(session.home))
    return loadCatalogue([])
      .all()
      .map((template) => ({ template, custom: false }));
  return await (await session.administration()).listProviders();
}

async function findProvider(session: Session, slug: string): Promise<ListedProvider> {
  const found = (await allProviders(session)).find(({ template }) => template.slug === slug);
  if (found === undefined) {
    throw new CommandError('not_found', `there is no provider "${slug}"`, {
      hint: 'Search with `alter-proxy provider list --search <word>`.',
    });
  }
  return found;
}

/** Where a rule writes, in a few words: `header x-api-key`. */
function place(rule: InjectionRule): string {
  switch (rule.kind) {
    case 'bearer':
    case 'basic':
      return rule.kind;
    case 'header':
    case 'query':
      return `${rule.kind} ${rule.name}`;
    case 'default_header':
      return '';
  }
}

function describeRule(rule: InjectionRule): string {
  switch (rule.kind) {
    case 'bearer':
      return `Authorization: Bearer ${rule.format}`;
    case 'basic':
      return `Authorization: Basic base64(${rule.username}:${rule.password})`;
    case 'header':
      return `${rule.name}: ${rule.format}`;
    case 'query':
      return `?${rule.name}=${rule.format}`;
    case 'default_header':
      return `${rule.name}: ${rule.value} (unless the caller sends its own)`;
  }
}

function places(template: ProviderTemplate): string {
  return template.inject
    .map(place)
    .filter((text) => text !== '')
    .join(', ');
}

function shortHosts(hosts: readonly string[]): string {
  if (hosts.length === 0) return 'any, named with --host';
  return hosts.length > 2 ? `${hosts.slice(0, 2).join(', ')} +${String(hosts.length - 2)}` : hosts.join(', ');
}

function matches(template: ProviderTemplate, word: string): boolean {
  const text = [template.slug, template.name, template.category, ...template.hosts].join('\n').toLowerCase();
  return text.includes(word.toLowerCase());
}

async function list(session: Session, search: string | undefined): Promise<void> {
  const { output } = session;
  const found = (await allProviders(session)).filter(({ template }) => search === undefined || matches(template, search));
  output.result(
    found.map(({ template, custom }) => ({ ...template, custom })),
    () => {
      if (found.length === 0) return search === undefined ? 'No providers.' : 'No provider matches.';
      return output.table(
        ['slug', 'name', 'category', 'credential', 'hosts'],
        found.map(({ template, custom }) => [
          custom ? `${template.slug} (custom)` : template.slug,
          template.name,
          template.category,
          places(template),
          shortHosts(template.hosts),
        ]),
      );
    },
  );
}

function fieldLines(template: ProviderTemplate): string[] {
  return Object.entries(template.fields).map(([name, field]) => {
    const example = field.example === undefined ? '' : `, for example ${field.example}`;
    return `${name}: ${field.label}${field.secret ? '' : ' (not secret)'}${example}`;
  });
}

async function show(session: Session, slug: string): Promise<void> {
  const { output } = session;
  const { template, custom } = await findProvider(session, slug);
  const several = (name: string, lines: readonly string[]) => lines.map((line, index) => [index === 0 ? name : '', line] as const);
  const tenant = template.hosts.every((host) => host.startsWith('*')) ? ' --host <your host>' : '';
  output.result({ ...template, custom }, () => [
    ...output.facts([
      ['Provider', `${template.name} (${template.slug}${custom ? ', custom' : ''})`],
      ['Category', template.category],
      ...several('Hosts', template.hosts),
      ...several('Fields', fieldLines(template)),
      ...several('Injects', template.inject.map(describeRule)),
      ['Docs', template.docs],
      ['Note', template.note],
      ['Confidence', template.confidence === 'low' ? 'low: compare it with the documentation of the API' : undefined],
    ]),
    '',
    `Store a credential: alter-proxy secret add <name> --provider ${template.slug}${tenant}`,
  ]);
}

async function add(session: Session, file: string): Promise<void> {
  const template = parseProvider(readFileSync(file, 'utf8'), basename(file));
  const stored = await (await session.administration()).addProvider(template);
  session.output.result({ ...stored, custom: true }, () => `Added provider ${stored.slug} for app ${session.config().app}`);
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
  ]).option('-s, --search <word>', 'only those whose name, category or host contains the word');
  perform<{ readonly search?: string }>(listing, runtime, async (session, options) => {
    await list(session, options.search);
    return 0;
  });
  const showing = declare(group, 'show <slug>', 'Show hosts, fields and injection of a provider.', ['alter-proxy provider show openai']);
  perform(showing, runtime, async (session, _options, [slug = '']) => {
    await show(session, slug);
    return 0;
  });
  const adding = declare(group, 'add', 'Add a provider of your own from a file in the format of the catalogue.', [
    'alter-proxy provider add --file my-api.yaml',
  ]).requiredOption('-f, --file <file>', 'YAML file with the provider');
  perform<{ readonly file: string }>(adding, runtime, async (session, options) => {
    await add(session, options.file);
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
