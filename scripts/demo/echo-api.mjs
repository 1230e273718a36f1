import { timingSafeEqual } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import path from 'node:path';

import { ROOT } from '../run-command.mjs';

const DAY_MS = 86_400_000;

/** @typedef {{ method: string, path: string, rawHeaders: string[], status: number }} Received */

/**
 * Starts a small HTTPS API for `localhost` with a CA of its own in the new folder `folder`. It takes one credential as a bearer token, tells
 * what was asked for and, like real APIs do, names the credential by its last four characters only.
 * @param {{ folder: string, credential: string, port?: number, onRequest?: (received: Received) => void }} options
 */
export async function startEchoApi({ folder, credential, port = 0, onRequest = () => undefined }) {
  const { createCa } = await import(path.join(ROOT, 'dist/src/pki/ca.js'));
  const ca = createCa(folder);
  const leaf = ca.mintLeaf('localhost', DAY_MS);
  const caFile = path.join(folder, 'ca.pem');
  writeFileSync(caFile, ca.certificatePem);

  const key = leaf.privateKey.export({ type: 'pkcs8', format: 'pem' });
  const server = createServer({ cert: leaf.certificatePem, key }, (request, response) => {
    const { method, url, rawHeaders } = request;
    const known = sameText(request.headers.authorization ?? '', `Bearer ${credential}`);
    const status = known ? 200 : 401;
    onRequest({ method, path: url, rawHeaders, status });
    const answer = known ? { echo: `${method} ${url}`, signed_in_with: masked(credential) } : { error: 'no valid credential' };
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(answer)}\n`);
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    authority: `localhost:${server.address().port}`,
    caFile,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/**
 * A credential but for its last four characters.
 * @param {string} credential
 */
export function masked(credential) {
  return `••••••••${credential.slice(-4)}`;
}

/**
 * @param {string} given
 * @param {string} expected
 */
function sameText(given, expected) {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
