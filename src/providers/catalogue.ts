import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../errors.ts';
import { parseProvider } from './parse.ts';
import type { ProviderTemplate } from './template.ts';

/** The provider templates that a proxy knows from files. */
export interface Catalogue {
  /** The template of `slug`, or undefined. */
  get(slug: string): ProviderTemplate | undefined;
  /** Every template, sorted by slug. */
  all(): readonly ProviderTemplate[];
}

const SHIPPED = fileURLToPath(new URL('../../../config/providers/', import.meta.url));

/**
 * The shipped catalogue and every `.yaml` or `.yml` file of `extraDirs`. The operator's files are read now: throws `config_invalid` for
 * a wrong one or a slug that two files claim, and `file_unreadable`. A shipped file is named after its slug and read when it is asked
 * for, because reading all of them takes longer than most commands.
 */
export function loadCatalogue(extraDirs: readonly string[]): Catalogue {
  const shipped = new Map(providerFiles(SHIPPED).map((file) => [basename(file, extname(file)), file]));
  const templates = new Map<string, ProviderTemplate>();
  const files = new Map(shipped);
  for (const file of extraDirs.flatMap(providerFiles)) {
    const template = readProvider(file);
    const other = files.get(template.slug);
    if (other !== undefined)
      throw new CommandError('config_invalid', `${file}: the slug ${template.slug} is taken by ${other}; choose another`);
    files.set(template.slug, file);
    templates.set(template.slug, template);
  }
  const get = (slug: string): ProviderTemplate | undefined => {
    const known = templates.get(slug);
    const file = shipped.get(slug);
    if (known !== undefined || file === undefined) return known;
    const template = readProvider(file);
    templates.set(slug, template);
    return template;
  };
  let sorted: readonly ProviderTemplate[] | undefined;
  const all = () => (sorted ??= Object.freeze([...files.keys()].sort().flatMap((slug) => get(slug) ?? [])));
  return { get, all };
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
