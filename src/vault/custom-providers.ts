import { CommandError, notFound } from '../errors.ts';
import { derivationFault } from '../providers/check-derivation.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import { checkHostPatterns } from './allowed-origins.ts';
import type { ChangeTrail } from './change-trail.ts';
import { proveTemplate } from './credential-values.ts';
import { ShapeError, deepFreeze } from './members.ts';
import { isSlug } from './names.ts';
import { RECORD_VERSION } from './records.ts';
import type { SealedRecords } from './sealed-records.ts';
import { parseTemplate } from './template-shape.ts';
import type { PrepareInjection } from './vault.ts';

/** The providers that come with the proxy. */
export interface ShippedProviders {
  get(slug: string): ProviderTemplate | undefined;
  all(): Iterable<ProviderTemplate>;
}

/** A provider and where it comes from. */
export interface ListedProvider {
  readonly template: ProviderTemplate;
  readonly custom: boolean;
}

/** What the administration of providers needs. */
export interface CustomProvidersOptions {
  readonly records: SealedRecords;
  readonly shipped: ShippedProviders;
  readonly prepare: PrepareInjection;
  readonly trail: ChangeTrail;
  readonly now: () => number;
}

/** The shipped providers together with the custom ones of one app. */
export class CustomProviders {
  readonly #options: CustomProvidersOptions;

  constructor(options: CustomProvidersOptions) {
    this.#options = options;
  }

  async add(given: ProviderTemplate): Promise<ProviderTemplate> {
    const { records, shipped, prepare, trail, now } = this.#options;
    const template = checkedTemplate(given);
    checkHostPatterns(template);
    checkDerived(template);
    proveTemplate(template, prepare);
    const at = now();
    const record = { v: RECORD_VERSION, id: template.slug, app: records.app, template, createdAt: at, updatedAt: at };
    if (shipped.get(template.slug) !== undefined || !(await records.create('provider', record))) {
      throw new CommandError('record_exists', `there is a provider ${template.slug} already`);
    }
    await trail.record({ action: 'provider.add', target: template.slug, label: template.name });
    return template;
  }

  async list(): Promise<readonly ListedProvider[]> {
    const custom = (await this.#options.records.list('provider')).records.map(({ template }) => ({ template, custom: true }));
    const shipped = [...this.#options.shipped.all()].map((template) => ({ template, custom: false }));
    return [...shipped, ...custom].sort((a, b) => a.template.slug.localeCompare(b.template.slug, 'en'));
  }

  async show(slug: string): Promise<ListedProvider> {
    const { records, shipped } = this.#options;
    const template = shipped.get(slug);
    if (template !== undefined) return { template, custom: false };
    const standing = isSlug(slug) ? await records.read('provider', slug) : undefined;
    if (standing === undefined) throw notFound('provider', slug);
    return { template: standing.record.template, custom: true };
  }

  /** Takes a custom provider away; a shipped one stays in the catalogue. Its secrets are not looked at. */
  async withdraw({ template: { slug, name }, custom }: ListedProvider): Promise<void> {
    const { records, trail } = this.#options;
    if (custom) await records.withdraw('provider', slug);
    await trail.record({ action: 'provider.delete', target: slug, label: name });
  }
}

/** Checks the derivation of a custom provider, as a provider file is checked. */
function checkDerived(template: ProviderTemplate): void {
  const { derive } = template;
  const fault = derive === undefined ? undefined : derivationFault({ ...template, derive });
  if (fault !== undefined) throw new CommandError('record_invalid', `the derivation ${fault.member} ${fault.what}`);
}

function checkedTemplate(given: unknown): ProviderTemplate {
  try {
    return deepFreeze(parseTemplate(given, 'provider'));
  } catch (cause) {
    if (cause instanceof ShapeError) throw new CommandError('record_invalid', `the provider cannot be stored: ${cause.message}`, { cause });
    throw cause;
  }
}
