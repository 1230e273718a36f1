/**
 * The app of the demo where there is no curl: one GET through HTTPS_PROXY.
 *
 *   node node-app.mjs <url> [<name: value> …]
 *
 * Prints like `curl -v`: heads on stderr, behind `>` and `<`, the body on stdout. Node 20 itself does not read HTTPS_PROXY.
 */
import http from 'node:http';
import https from 'node:https';
import { connect } from 'node:tls';

const [url, ...fields] = process.argv.slice(2);
const { hostname, host, port } = new URL(url);
const proxy = new URL(process.env.HTTPS_PROXY);
const headers = Object.fromEntries(fields.map((field) => field.split(/:\s*/, 2)));

/**
 * @param {string} mark
 * @param {string} first
 * @param {Record<string, unknown>} rest
 */
function show(mark, first, rest) {
  for (const line of [first, ...Object.entries(rest).map(([name, value]) => `${name}: ${value}`), '']) console.error(`${mark} ${line}`);
}

const authority = `${hostname}:${port || 443}`;
// By default Node would name the proxy in Host; RFC 9112 §3.2.3 asks for the destination.
const tunnel = http.request({ host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: authority, headers: { host: authority } });
tunnel.once('connect', (answer, socket) => {
  if (answer.statusCode !== 200) throw new Error(`CONNECT was answered with ${answer.statusCode} ${answer.headers['x-alter-error'] ?? ''}`);
  const secure = connect({ socket, servername: hostname });
  const request = https.get(url, { headers, defaultPort: 443, createConnection: () => secure }, (response) => {
    show('<', `HTTP/${response.httpVersion} ${response.statusCode} ${response.statusMessage}`, response.headers);
    response.pipe(process.stdout);
    response.once('end', () => secure.destroy());
  });
  show('>', `GET ${request.path} HTTP/1.1`, { Host: host, ...headers });
});
tunnel.end();
