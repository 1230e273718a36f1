import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError } from '../errors.ts';
import { parseProvider } from './parse.ts';
import { shippedProviders } from './shipped.ts';
import type { ProviderTemplate } from './template.ts';

/** The provider templates that a proxy knows from files. */
export interface Catalogue {
  /** The template of `slug`, or undefined. */
  get(slug: string): ProviderTemplate | undefined;
  /** Every template, sorted by slug. */
  all(): readonly ProviderTemplate[];
}

/**
 * The shipped catalogue and every `.yaml` or `.yml` file of `extraDirs`. The operator's files are read now: throws `config_invalid` for
 * a wrong one or a slug that is taken, and `file_unreadable`. The shipped ones are read when one is asked for.
 */
export function loadCatalogue(extraDirs: readonly string[]): Catalogue {
  const own = new Map<string, { readonly file: string; readonly template: ProviderTemplate }>();
  for (const file of extraDirs.flatMap(providerFiles)) {
    const template = readProvider(file);
    const { slug } = template;
    const other = own.get(slug)?.file ?? (shippedProviders().has(slug) ? 'a provider of the catalogue' : undefined);
    if (other !== undefined) throw new CommandError('config_invalid', `${file}: the slug ${slug} is taken by ${other}; choose another`);
    own.set(slug, { file, template });
  }
  let sorted: readonly ProviderTemplate[] | undefined;
  return {
    get: (slug) => own.get(slug)?.template ?? shippedProviders().get(slug),
    all: () => {
      const templates = [...shippedProviders().values(), ...[...own.values()].map(({ template }) => template)];
      return (sorted ??= Object.freeze(templates.sort((a, b) => (a.slug < b.slug ? -1 : 1))));
    },
  };
}

function readProvider(file: string): ProviderTemplate {
  return parseProvider(
    readOrExplain(() => readFileSync(file, 'utf8'), file),
    file,
  );
}

function providerFiles(dir: string): string[] {
  const names = readOrExplain(() => readdirSync(dir), dir).sort();
  return names.filter((name) => /^[^.].*\.ya?ml$/.test(name)).map((name) => join(dir, name));
}

function readOrExplain<T>(read: () => T, path: string): T {
  try {
    return read();
  } catch (cause) {
    throw new CommandError('file_unreadable', `${path} cannot be read (${errorCode(cause)})`, { cause });
  }
}

function errorCode(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown cause';
}
