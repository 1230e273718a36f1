/**
 * How fast a change holds at many proxies on one Redis: node bench/freshness.mjs [--proxies 50] [--rounds 3]
 *
 * Each proxy has a hot cache and one open event stream. After a write, every proxy is asked again and again until it refuses, and every stream
 * is watched until it closes. The proxies, the clients and the clock share one process, so what is printed is an upper bound.
 */
import { once } from 'node:events';
import http from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openTls, requestThrough } from '../dist/test/support/client.js';
import { startFleet } from '../dist/test/support/fleet.js';
import { startRedis } from '../dist/test/support/redis.js';
import { startScene } from '../dist/test/support/scene.js';
import { reveal } from '../dist/src/secret/reveal.js';
import { Secret } from '../dist/src/secret/secret.js';

const { values } = parseArgs({ options: { proxies: { type: 'string', default: '50' }, rounds: { type: 'string', default: '3' } } });
const PATIENCE_MS = 10_000;
/** Without a pause the clients would take the processor that the proxies need. */
const ASK_MS = 50;

const redis = await startRedis();
const scene = await startScene({ config: { store: { kind: 'redis', url: redis.url } }, ownKey: false });
const fleet = await startFleet(scene.proxy, Number(values.proxies));
const { administration } = scene.proxy;

const WRITES = {
  'grant revoked': ({ grant }) => administration.revokeGrant(grant),
  'secret deleted': ({ secretId }) => administration.deleteSecret(secretId),
  'key revoked': ({ keyName }) => administration.revokeKey(keyName),
  'secret rotated': ({ secretId }) => administration.rotateSecret(secretId, { token: new Secret('sk-rotated-0001') }),
};

let made = 0;
for (const [what, write] of Object.entries(WRITES)) {
  const held = [];
  const closed = [];
  const writes = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const access = await newAccess();
    const streams = [];
    for (const proxy of fleet.proxies) {
      await connectAndAsk(proxy, access);
      streams.push(await openStream(proxy, access));
    }
    const sockets = await Promise.all(fleet.proxies.map((proxy) => connect(proxy, access)));
    const begun = performance.now();
    await write(access);
    const written = performance.now();
    writes.push(written - begun);
    const rotated = what === 'secret rotated';
    held.push(...(await Promise.all(sockets.map((socket) => untilChanged(socket, access, rotated, written)))));
    if (!rotated) closed.push(...(await Promise.all(streams.map(({ end }) => end))).map((at) => at - written));
    else scene.origin.endEvents();
  }
  console.log(
    `${what.padEnd(16)} (the write took ${Math.round(Math.max(...writes))} ms) holds ${line(held)}${closed.length === 0 ? '; streams go on' : `; streams closed ${line(closed)}`}`,
  );
}
await fleet.stop();
await scene.stop();
await redis.stop();

/** @param {number[]} times */
function line(times) {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (/** @type {number} */ share) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return `after ${at(0.5)} ms (median), ${at(0.99)} ms (p99), ${at(1)} ms (last of ${sorted.length})`;
}

async function newAccess() {
  made += 1;
  const keyName = `bench ${made}`;
  const { key } = await administration.createKey({ name: keyName });
  const grant = await scene.grant();
  return { keyName, key: reveal(key), grant, secretId: (await administration.showGrant(grant)).secretId };
}

async function connectAndAsk(proxy, { key, grant }) {
  const answer = await requestThrough(proxy, { url: `${scene.origin.url}/echo`, grant, key });
  if (answer.status !== 200) throw new Error(`not warm: ${answer.body}`);
}

function connect(proxy, { key }) {
  return openTls(proxy, scene.authority, { headers: ['Proxy-Authorization', `Bearer ${key}`] });
}

/** Resolves once the stream is open, with a promise of the instant of its end. */
async function openStream(proxy, access) {
  const socket = await connect(proxy, access);
  const headers = ['Host', scene.authority, 'X-Alter-Grant', access.grant];
  const request = http.request({ createConnection: () => socket, path: '/sse', headers });
  request.on('error', () => undefined).end();
  const [answer] = await once(request, 'response');
  answer.on('error', () => undefined).resume();
  const end = new Promise((resolve) => socket.once('close', () => resolve(performance.now())));
  return { end };
}

/** Asks on a connection that is open already, until the change shows. */
async function untilChanged(socket, { grant }, rotated, written) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  agent.createConnection = () => socket;
  while (performance.now() - written < PATIENCE_MS) {
    const headers = { Host: scene.authority, 'X-Alter-Grant': grant };
    const request = http.request({ agent, path: '/echo', headers, host: 'localhost' }).end();
    const [answer] = await once(request, 'response');
    const chunks = [];
    for await (const chunk of answer) chunks.push(chunk);
    const changed = rotated ? Buffer.concat(chunks).includes('sk-rotated-0001') : answer.statusCode !== 200;
    if (changed) {
      const at = performance.now() - written;
      socket.destroy();
      return at;
    }
    await delay(ASK_MS);
  }
  throw new Error('the change does not hold');
}
