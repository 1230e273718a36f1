import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { ROOT } from './run-command.mjs';

const DIR = path.join(ROOT, 'config/providers');

/** Checks every file of config/providers/ and writes them all into one file of dist/, which is read in a fraction of the time. */
export async function prepareShippedProviders() {
  const { parseProvider } = await import('../dist/src/providers/parse.js');
  const templates = readdirSync(DIR)
    .sort()
    .map((name) => {
      const template = parseProvider(readFileSync(path.join(DIR, name), 'utf8'), `config/providers/${name}`);
      if (`${template.slug}.yaml` !== name) throw new Error(`config/providers/${name}: the file is named after its slug, ${template.slug}`);
      return template;
    });
  writeFileSync(path.join(ROOT, 'dist/src/providers/shipped.json'), JSON.stringify(templates));
}
