/**
 * The API of the tour in README.md: `node scripts/echo-api.mjs [port]`. Prints each request that reaches it.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

import { masked, startEchoApi } from './demo/echo-api.mjs';
import { ROOT } from './run-command.mjs';

const CREDENTIAL = 'sk-tour-credential-0042';

if (!existsSync(path.join(ROOT, 'dist/src'))) {
  console.error('Run `npm ci && npm run build` first.');
  process.exit(1);
}

const port = Number(process.argv[2] ?? 8443);
const folder = path.join(ROOT, '.cache/echo-api');
// What stands in the folder may belong to one that runs: it is replaced only once the port is ours.
const made = `${folder}-${process.pid}`;

const api = await startEchoApi({
  folder: made,
  credential: CREDENTIAL,
  port,
  onRequest: ({ method, path: asked, rawHeaders, status }) => {
    const at = rawHeaders.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization');
    const authorization = at === -1 ? '(none)' : rawHeaders[at + 1].replace(CREDENTIAL, masked(CREDENTIAL));
    console.log(`${method} ${asked}  Authorization: ${authorization}  → ${status}`);
  },
}).catch((error) => {
  rmSync(made, { recursive: true, force: true });
  console.error(`The API cannot listen on port ${port}: ${error.message}. Name another one: node scripts/echo-api.mjs <port>`);
  process.exit(1);
});
rmSync(folder, { recursive: true, force: true });
renameSync(made, folder);
console.log(
  `https://${api.authority} takes the bearer token ${CREDENTIAL}; Ctrl-C stops it. Its CA: ${path.relative(ROOT, path.join(folder, path.basename(api.caFile)))}`,
);
