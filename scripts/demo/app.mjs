import { fileURLToPath } from 'node:url';

import { DemoFailure } from './workspace.mjs';

/** One message as it went over the wire. `start` is its first line. */
/** @typedef {{ start: string, fields: [name: string, value: string][] }} Head */

/**
 * What one client program sent and got, read from its own trace.
 * @typedef {{ sent: Head, got: Head, status: number, body: string, everything: string }} Conversation
 */

/**
 * Sends one GET with an unmodified client: curl, or Node where there is no curl.
 * @param {import('./workspace.mjs').Workspace} workspace
 * @param {string} url
 * @param {readonly string[]} fields such as `X-Alter-Grant: …`
 * @param {{ proxy: string, caFile: string }} through
 * @returns {Promise<Conversation>}
 */
export async function sendWithApp(workspace, url, fields, { proxy, caFile }) {
  const env = { HTTPS_PROXY: proxy, CURL_CA_BUNDLE: caFile, NODE_EXTRA_CA_CERTS: caFile };
  const flags = ['-q', '-v', '--silent', '--show-error', '--max-time', '20'];
  const curl = [...flags, ...fields.flatMap((field) => ['-H', field]), url];
  const node = [fileURLToPath(new URL('./node-app.mjs', import.meta.url)), url, ...fields];
  const client = await clientOf(workspace);
  const { code, stdout, stderr } = await workspace.run(client, client === 'curl' ? curl : node, { env });
  if (code !== 0) throw new DemoFailure(`the app (${client}) ended with ${code}`, stderr);
  return readTrace(stdout, stderr);
}

/**
 * `curl`, or the path of Node.
 * @param {import('./workspace.mjs').Workspace} workspace
 */
async function clientOf(workspace) {
  try {
    const { code } = await workspace.run('curl', ['--version']);
    return code === 0 ? 'curl' : process.execPath;
  } catch (error) {
    if (error.code === 'ENOENT') return process.execPath;
    throw error;
  }
}

/**
 * @param {string} stdout
 * @param {string} stderr
 */
function readTrace(stdout, stderr) {
  // The head of CONNECT comes first; the last head of each direction is the one inside the tunnel.
  const sent = headsOf(stderr, '>').at(-1);
  const got = headsOf(stderr, '<').at(-1);
  if (sent === undefined || got === undefined) throw new DemoFailure('the trace of the app shows no request and answer', stderr);
  return { sent, got, status: Number(got.start.split(' ')[1]), body: stdout, everything: stdout + stderr };
}

/**
 * @param {string} trace
 * @param {'>' | '<'} mark
 * @returns {Head[]}
 */
function headsOf(trace, mark) {
  const heads = [];
  let lines = [];
  for (const line of trace.split(/\r?\n/)) {
    if (!line.startsWith(mark)) continue;
    const text = line.slice(2);
    if (text !== '') lines.push(text);
    else if (lines.length > 0) {
      const [start = '', ...fields] = lines;
      heads.push({ start, fields: fields.map((field) => field.split(/:\s*(.*)/s, 2)) });
      lines = [];
    }
  }
  return heads;
}

/**
 * @param {Head} head
 * @param {string} name
 */
export function valueOf(head, name) {
  return head.fields.find(([given]) => given.toLowerCase() === name)?.[1];
}
