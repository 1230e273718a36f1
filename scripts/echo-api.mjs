/**
 * The API of the tour in README.md: `node scripts/echo-api.mjs [port]`. Prints each request that reaches it.
 */
import { existsSync, rmSync } from 'node:fs';
import path from 'node:path';

import { masked, startEchoApi } from './demo/echo-api.mjs';
import { ROOT } from './run-command.mjs';

const CREDENTIAL = 'sk-tour-credential-0042';

if (!existsSync(path.join(ROOT, 'dist/src'))) {
  console.error('Run `npm ci && npm run build` first.');
  process.exit(1);
}

const folder = path.join(ROOT, '.cache/echo-api');
rmSync(folder, { recursive: true, force: true });

const api = await startEchoApi({
  folder,
  credential: CREDENTIAL,
  port: Number(process.argv[2] ?? 8443),
  onRequest: ({ method, path: asked, rawHeaders, status }) => {
    const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization');
    const authorization = at === -1 ? '(none)' : rawHeaders[at + 1].replace(CREDENTIAL, masked(CREDENTIAL));
    console.log(`${method} ${asked}  Authorization: ${authorization}  → ${status}`);
  },
});
console.log(`https://${api.authority} takes the bearer token ${CREDENTIAL}; Ctrl-C stops it. Its CA: ${path.relative(ROOT, api.caFile)}`);
