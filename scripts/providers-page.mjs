/**
 * Writes docs/providers.md from the catalogue; needs dist/.
 *
 *   npm run providers-page [-- --check]     --check: writes nothing, fails when the page is not up to date
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import prettier from 'prettier';

import { placesText } from '../dist/src/cli/provider-text.js';
import { loadCatalogue } from '../dist/src/providers/catalogue.js';
import { ROOT } from './run-command.mjs';

const PAGE = path.join(ROOT, 'docs/providers.md');

const templates = loadCatalogue([]).all();
const categories = [...new Set(templates.map(({ category }) => category))].sort();

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|');

/** @param {string} text */
const code = (text) => `\`${cell(text)}\``;

/** @param {(typeof templates)[number]} template */
function row({ slug, name, docs, hosts, confidence, ...template }) {
  const link = docs === undefined ? cell(name) : `[${cell(name)}](${docs})`;
  const where = hosts.length === 0 ? 'your own' : hosts.map(code).join(', ');
  const places = placesText(/** @type {any} */ (template));
  return `| ${code(slug)} | ${link} | ${where} | ${cell(places)} | ${Object.keys(template.fields).map(code).join(', ')} | ${confidence === 'low' ? 'low' : ''} |`;
}

const sections = categories.map((category) => {
  const rows = templates.filter((template) => template.category === category).map(row);
  return [
    `## ${category}`,
    '',
    '| slug | API | hosts | credential goes to | fields | confidence |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
});

const text = `# Providers

<!-- Written by \`npm run providers-page\` from config/providers/. -->

The ${templates.length} providers of the catalogue: APIs whose way of taking a credential is known without configuration. \`alter-proxy provider show <slug>\` tells the rest of each: labels
and formats of the fields, the test call, remarks, and how a client names its grant where its credential would stand.

- A host with \`{tenant}\` or another field in it is yours alone: \`secret add --tenant <name>\` makes an exact host of it.
- Under a host with \`*\`, name your own exact host with \`secret add --host\`.
- Where several hosts stand, a secret may go to all of them unless \`--host\` names those that it is for.
- _derived_: the proxy gets a short-lived token with what is stored; see [derived credentials](derived-credentials.md).
- Confidence \`low\`: the facts have one source or less. Compare them with the documentation of the API before you rely on them.

An API that is not here takes \`custom-bearer\`, \`custom-api-key\`, \`custom-basic\`, \`custom-basic-encoded\`, \`custom-query\`, \`custom-multi\` or \`custom-sigv4\`, or a
[file of your own](cli.md#alter-proxy-provider-add) in the format of [\`config/providers/\`](../config/providers).

${sections.join('\n\n')}
`;

const page = await prettier.format(text, { ...(await prettier.resolveConfig(PAGE)), parser: 'markdown' });
if (process.argv.includes('--check')) {
  if (readFileSync(PAGE, 'utf8') !== page) {
    console.error('docs/providers.md is not what the catalogue says: run `npm run providers-page`.');
    process.exit(1);
  }
} else {
  writeFileSync(PAGE, page);
}
