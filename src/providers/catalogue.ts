import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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
 * Reads the shipped catalogue and every `.yaml` or `.yml` file of `extraDirs`. Throws `config_invalid` for a wrong file or a slug that
 * two files claim, and `file_unreadable`.
 */
export function loadCatalogue(extraDirs: readonly string[]): Catalogue {
  const files = new Map<string, string>();
  const templates = new Map<string, ProviderTemplate>();
  for (const file of [SHIPPED, ...extraDirs].flatMap(providerFiles)) {
    const template = parseProvider(
      readOrExplain(() => readFileSync(file, 'utf8'), file),
      file,
    );
    const other = files.get(template.slug);
    if (other !== undefined)
      throw new CommandError('config_invalid', `${file}: the slug ${template.slug} is taken by ${other}; choose another`);
    files.set(template.slug, file);
    templates.set(template.slug, template);
  }
  const sorted = Object.freeze([...templates.values()].sort((a, b) => (a.slug < b.slug ? -1 : 1)));
  return { get: (slug) => templates.get(slug), all: () => sorted };
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
