/**
 * What it costs to say who is calling, and whose a grant is: `npm run build && node bench/principals.mjs`. CPU time of this process (user and
 * system) for one request with warm caches, the median of some rounds; the first rounds are for the compiler. Keys are looked up in a map, as
 * the cache of records does.
 */
import { generateKeyPairSync } from 'node:crypto';

import { SignJWT } from 'jose';

import { createKeyAuthenticator } from '../dist/src/principals/api-keys.js';
import { authorizePrincipal } from '../dist/src/principals/authorize.js';
import { IdpKeys } from '../dist/src/principals/idp-keys.js';
import { UserTokens } from '../dist/src/principals/user-tokens.js';
import { fingerprint, mintKey } from '../dist/src/vault/fingerprint.js';

const ROUNDS = 15;
const WARM_UP = 5;
const CALLS = 100_000;
const APP = 'default';
const LOOPBACK = { address: '127.0.0.1', loopback: true };

const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const idp = {
  id: 'corp',
  app: APP,
  issuer: 'https://id.example.com',
  audiences: ['alter'],
  algorithms: ['ES256'],
  jwks: { kind: 'inline', keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'k1' }] },
  subjectClaim: 'sub',
  groupsClaim: 'groups',
};
const token = await new SignJWT({ groups: ['engineering'] })
  .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
  .setIssuer(idp.issuer)
  .setAudience('alter')
  .setSubject('alice')
  .setIssuedAt()
  .setExpirationTime('1h')
  .sign(privateKey);
const users = new UserTokens({
  idps: { findIdp: () => idp, idpsOfIssuer: () => [idp] },
  keys: new IdpKeys({ fetch: () => Promise.reject(new Error('nothing is fetched')) }),
  maxTokens: 100,
});
await users.userOf(APP, token);

const records = new Map();
const agent = { id: 'reporter', app: APP, status: 'active', policy: [], mayIssue: [] };
const ownKey = keyOf('app');
const appKey = keyOf('app', { cidrs: ['10.0.0.0/8', '127.0.0.0/8'] });
const agentKey = keyOf('agent', { agent: agent.id });
const keys = createKeyAuthenticator({
  findKey: (id) => records.get(id),
  findAgent: () => agent,
  fingerprint,
  app: APP,
  ownKey,
  requireKey: false,
});

function keyOf(type, more = {}) {
  const { key, shown } = mintKey(type);
  const id = fingerprint(key);
  records.set(id, { id, app: APP, type, name: 'bench', prefix: shown, cidrs: [], status: 'active', ...more });
  return key;
}

const grant = (principal) => ({ app: APP, principal });
const SYSTEM = grant({ type: 'system' });
const AGENT = grant({ type: 'agent', agent: agent.id });
const USER = grant({ type: 'user', idp: idp.id, subject: 'alice' });
const GROUP = grant({ type: 'group', idp: idp.id, group: 'engineering' });

const REQUESTS = {
  "the proxy's own key, system grant": () => authorizePrincipal(SYSTEM, keys.authenticate(undefined, LOOPBACK)),
  'key with networks, system grant': () => authorizePrincipal(SYSTEM, keys.authenticate(appKey, LOOPBACK)),
  "agent's key, agent's grant": () => authorizePrincipal(AGENT, keys.authenticate(agentKey, LOOPBACK)),
  "own key and token, user's grant": () => authorizePrincipal(USER, keys.authenticate(undefined, LOOPBACK), users.userOf(APP, token)),
  "own key and token, group's grant": () => authorizePrincipal(GROUP, keys.authenticate(undefined, LOOPBACK), users.userOf(APP, token)),
};

function microsecondsEach(request) {
  const rounds = [];
  for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
    const from = process.cpuUsage();
    for (let i = 0; i < CALLS; i += 1) request();
    const { user, system } = process.cpuUsage(from);
    if (round >= WARM_UP) rounds.push((user + system) / CALLS);
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1];
}

console.log(`Node ${process.version}, microseconds of CPU for one request`);
for (const [name, request] of Object.entries(REQUESTS)) console.log(`${name.padEnd(36)} ${microsecondsEach(request).toFixed(2)}`);
