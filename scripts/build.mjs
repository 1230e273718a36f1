/** Compiles everything to dist/, from nothing, so that no output of a deleted file stays behind. */
import { chmodSync, rmSync } from 'node:fs';
import path from 'node:path';

import { ROOT, runScript } from './run-command.mjs';
import { prepareSchemaChecks } from './schema-checks.mjs';
import { prepareShippedProviders } from './shipped-providers.mjs';

rmSync(path.join(ROOT, 'dist'), { recursive: true, force: true });
if (!runScript('node_modules/typescript/bin/tsc', ['-p', 'tsconfig.json'])) process.exit(1);
prepareSchemaChecks();
await prepareShippedProviders();
chmodSync(path.join(ROOT, 'dist/src/cli/main.js'), 0o755);
