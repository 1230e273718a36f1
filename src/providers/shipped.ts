import { readFileSync } from 'node:fs';
import type { ProviderTemplate } from './template.ts';

/** Made of config/providers/ by `npm run build`: to read and check that many YAML files takes longer than most commands. */
const PREPARED = new URL('./shipped.json', import.meta.url);

let templates: ReadonlyMap<string, ProviderTemplate> | undefined;

/** The providers that come with the proxy, by slug, in the order of their slugs; read once. */
export function shippedProviders(): ReadonlyMap<string, ProviderTemplate> {
  templates ??= read();
  return templates;
}

function read(): ReadonlyMap<string, ProviderTemplate> {
  const prepared = JSON.parse(readFileSync(PREPARED, 'utf8')) as readonly ProviderTemplate[];
  return new Map(prepared.map((template) => [template.slug, frozen(template)]));
}

function frozen<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) if (typeof part === 'object' && part !== null) frozen(part);
  return Object.freeze(value);
}
