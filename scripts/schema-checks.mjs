import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { Ajv2020 } from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

import { ROOT } from './run-command.mjs';

/** By the name of the check: the schema, and what is particular to it. */
const SCHEMAS = {
  config: ['schema.json', { allErrors: true, verbose: true, allowUnionTypes: true }],
  policy: ['policy.schema.json', { strictRequired: false, strictTypes: false }],
  provider: ['provider.schema.json', { allErrors: true, verbose: true, strictRequired: false, strictTypes: false }],
};

/** The one thing that a check would load: the length of a text in code points. */
const LENGTH_OF_AJV = 'require("ajv/dist/runtime/ucs2length").default';
const LENGTH = '(text) => Array.from(text).length';

/**
 * Compiles the schemas of config/ to dist/src/schema-checks/: no command pays for a compiler, and the package needs none. Tests check the
 * schemas against their meta-schema.
 */
export function prepareSchemaChecks() {
  const folder = path.join(ROOT, 'dist/src/schema-checks');
  mkdirSync(folder);
  for (const [name, [file, options]] of Object.entries(SCHEMAS)) {
    const ajv = new Ajv2020({ ...options, validateSchema: false, code: { source: true, lines: true } });
    const check = ajv.compile(JSON.parse(readFileSync(path.join(ROOT, 'config', file), 'utf8')));
    const code = standalone.default(ajv, check).replaceAll(LENGTH_OF_AJV, LENGTH);
    if (/\brequire\(/.test(code)) throw new Error(`the check of config/${file} would load a module at run time`);
    writeFileSync(path.join(folder, `${name}.cjs`), code);
  }
}
