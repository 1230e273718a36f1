/**
 * Contract (invariant 10): what ends a grant or a key holds at every proxy on the store within a second of the write, also where it was used a
 * moment ago; and it ends what is under way: event streams, downloads, uploads, tunnels. The audit says `interrupted`, with the code.
 *
 * The proxies share this process with the clients and the measurement, so the harness allows itself a second more.
 */
import { once } from 'node:events';
import http from 'node:http';
import test from 'ava';
import type { AuditEvent } from '../../src/audit/event.ts';
import { reveal } from '../../src/secret/reveal.ts';
import { Secret } from '../../src/secret/secret.ts';
import { ConnectRefused, openConnect, openTls, problemCode, requestThrough, type ProxyTarget } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startFleet, type Fleet } from '../support/fleet.ts';
import { startRedis, type RedisServer } from '../support/redis.ts';
import { startScene, type Scene } from '../support/scene.ts';

const CONTRACT_MS = 1000;
const HARNESS_MS = 1000;
const PROXIES = 5;

let redis: RedisServer;
let scene: Scene;
let fleet: Fleet;
test.before(async () => {
  redis = await startRedis();
  const config = { store: { kind: 'redis', url: redis.url }, intercept: { pass_through: ['127.0.0.1'] } };
  scene = await startScene({ config, ownKey: false });
  fleet = await startFleet(scene.proxy, PROXIES);
});
test.after.always(async () => {
  await fleet.stop();
  await scene.stop();
  await redis.stop();
});

/** What a client uses: a key and a grant of its own. */
interface Access {
  readonly key: string;
  readonly keyName: string;
  readonly grant: string;
}

let made = 0;
async function access(ttl: { readonly key?: number; readonly grant?: number } = {}): Promise<Access> {
  made += 1;
  const keyName = `key ${made}`;
  const { key } = await scene.proxy.administration.createKey({ name: keyName, ...(ttl.key === undefined ? {} : { ttlMs: ttl.key }) });
  return { key: reveal(key), keyName, grant: await scene.grant(ttl.grant === undefined ? {} : { ttlMs: ttl.grant }) };
}

const authorization = (key: string): string[] => ['Proxy-Authorization', `Bearer ${key}`];

/** A request whose answer, or whose body, does not end. Resolves with the instant at which the client saw its end. */
async function open(proxy: ProxyTarget, { key, grant }: Access, path: string, method = 'GET'): Promise<number> {
  const socket = await openTls(proxy, scene.authority, { headers: authorization(key) });
  const headers = ['Host', scene.authority, 'X-Alter-Grant', grant, ...(method === 'GET' ? [] : ['Transfer-Encoding', 'chunked'])];
  const request = http.request({ createConnection: () => socket, path, method, headers: headers as unknown as http.OutgoingHttpHeaders });
  request.on('error', () => undefined);
  const seen = scene.origin.requests.length;
  if (method === 'GET') {
    request.end();
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    answer.on('error', () => undefined).resume();
  } else {
    request.write('the beginning');
    await scene.origin.until(() => scene.origin.requests.length > seen);
  }
  return ended(socket);
}

async function tunnel(proxy: ProxyTarget, { key }: Access): Promise<number> {
  const socket = await openConnect(proxy, `127.0.0.1:${scene.origin.port}`, authorization(key));
  socket.resume();
  return ended(socket);
}

function ended(socket: NodeJS.EventEmitter): Promise<number> {
  socket.on('error', () => undefined);
  return new Promise((resolve) => socket.once('close', () => resolve(performance.now())));
}

/** Code of the proxy's answer to a new request; `ok` when it was let through. */
async function answerOf(proxy: ProxyTarget, { key, grant }: Access): Promise<string> {
  try {
    const answer = await requestThrough(proxy, { url: `${scene.origin.url}/echo`, grant, key });
    return answer.status === 200 ? 'ok' : problemCode(answer);
  } catch (error) {
    if (error instanceof ConnectRefused) return problemCode(error.answer);
    throw error;
  }
}

async function eventsOf(grant: string): Promise<readonly AuditEvent[]> {
  return (await scene.proxy.events(0)).filter(({ grantId, outcome }) => grantId === grant && outcome === 'interrupted');
}

const administration = () => scene.proxy.administration;
const ENDS: readonly (readonly [what: string, code: string, write: (access: Access) => Promise<unknown>])[] = [
  ['the grant is revoked', 'grant_revoked', ({ grant }) => administration().revokeGrant(grant)],
  [
    'its secret is deleted',
    'credential_revoked',
    async ({ grant }) => administration().deleteSecret((await administration().showGrant(grant)).secretId),
  ],
  [
    'a policy forbids it',
    'policy_violation',
    ({ grant }) => administration().setPolicy({ at: 'grant', grant }, [{ kind: 'methods', allow: ['PATCH'] }]),
  ],
  ['the key is revoked', 'key_revoked', ({ keyName }) => administration().revokeKey(keyName)],
];

for (const [what, code, write] of ENDS) {
  test.serial(`${what}: every proxy refuses and ends what is under way within a second`, async (t) => {
    const used = await access();
    const uses: { readonly end: Promise<number> }[] = [];
    for (const proxy of fleet.proxies) {
      t.is(await answerOf(proxy, used), 'ok', 'the caches are warm');
      uses.push({ end: (await begin(() => open(proxy, used, '/sse'))).end });
      uses.push({ end: (await begin(() => open(proxy, used, '/stall-body'))).end });
      uses.push({ end: (await begin(() => open(proxy, used, '/stall-upload', 'POST'))).end });
    }
    await write(used);
    const written = performance.now();
    const ends = uses.map(({ end }) => end);
    const refusals = fleet.proxies.map((proxy) =>
      eventually(
        async () => {
          const answer = await answerOf(proxy, used);
          return answer === 'ok' ? undefined : { answer, at: performance.now() };
        },
        'a refusal',
        CONTRACT_MS + HARNESS_MS,
      ),
    );
    for (const { answer, at } of await Promise.all(refusals)) {
      t.is(answer, code);
      t.true(at - written < CONTRACT_MS + HARNESS_MS);
    }
    for (const at of await Promise.all(ends)) t.true(at - written < CONTRACT_MS + HARNESS_MS, `ended after ${Math.round(at - written)} ms`);
    const events = await eventually(async () => {
      const found = await eventsOf(used.grant);
      return found.length >= 3 * PROXIES ? found : undefined;
    }, 'an event for each');
    t.deepEqual([...new Set(events.map((event) => event.code))], [code]);
    scene.origin.release();
  });
}

/** Resolves when the request has reached the origin; the promise of the end is wrapped, so that it is not waited for. */
async function begin(start: () => Promise<number>): Promise<{ readonly end: Promise<number> }> {
  const before = scene.origin.requests.length;
  const end = start();
  await scene.origin.until(() => scene.origin.requests.length > before);
  return { end };
}

test.serial('a tunnel ends with the key that opened it, and its event says so', async (t) => {
  const [used, other] = [await access(), await access()];
  const proxy = fleet.proxies[0]!;
  const before = scene.origin.connections;
  const end = tunnel(proxy, used);
  let othersEnd: number | undefined;
  void tunnel(proxy, other).then((at) => (othersEnd = at));
  await scene.origin.until(() => scene.origin.connections >= before + 2);
  await administration().revokeKey(used.keyName);
  const written = performance.now();
  t.true((await end) - written < CONTRACT_MS + HARNESS_MS);
  const event = await eventually(
    async () => (await scene.proxy.events(0)).find(({ type, code }) => type === 'tunnel' && code === 'key_revoked'),
    'the event of the tunnel',
  );
  t.deepEqual([event.outcome, event.status], ['interrupted', 200]);
  t.is(othersEnd, undefined, 'the tunnel of another key goes on');
  await administration().revokeKey(other.keyName);
  await eventually(() => othersEnd, 'the end of the other one');
});

const AGENT_ENDS: readonly (readonly [
  what: string,
  code: string,
  write: (agent: string) => Promise<unknown>,
  back: (agent: string) => Promise<unknown>,
])[] = [
  ['the agent is paused', 'agent_inactive', (name) => administration().agents.pause(name), (name) => administration().agents.resume(name)],
  [
    'a policy at the agent forbids it',
    'policy_violation',
    (agent) => administration().setPolicy({ at: 'agent', agent }, [{ kind: 'methods', allow: ['PATCH'] }]),
    (agent) => administration().setPolicy({ at: 'agent', agent }, []),
  ],
];

for (const [what, code, write, back] of AGENT_ENDS) {
  test.serial(`what an agent has under way ends when ${what}, and new requests pass when that is over`, async (t) => {
    const agent = `agent-${code.replaceAll('_', '-')}`;
    await administration().agents.create({ name: agent });
    const { key } = await administration().createKey({ name: agent, agent });
    const { secretId } = await administration().showGrant(await scene.grant());
    const grant = await administration().issueGrant({ secret: secretId, label: agent, principal: { type: 'agent', agent } });
    const used = { key: reveal(key), keyName: agent, grant: grant.id };
    const proxy = fleet.proxies[0]!;
    t.is(await answerOf(proxy, used), 'ok');
    const { end } = await begin(() => open(proxy, used, '/sse'));
    await write(agent);
    const written = performance.now();
    t.true((await end) - written < CONTRACT_MS + HARNESS_MS);
    t.is(await answerOf(proxy, used), code);
    const [event] = await eventually(async () => {
      const found = await eventsOf(used.grant);
      return found.length > 0 ? found : undefined;
    }, 'the event');
    t.is(event?.code, code);
    await back(agent);
    await eventually(async () => ((await answerOf(proxy, used)) === 'ok' ? true : undefined), 'it to pass again');
  });
}

for (const [what, code, ttl] of [
  ['the grant', 'grant_expired', { grant: 2500 }],
  ['the key', 'key_expired', { key: 2500 }],
] as const) {
  test.serial(`an event stream ends when ${what} expires, and not before`, async (t) => {
    const begun = performance.now();
    const used = await access(ttl);
    const { end } = await begin(() => open(fleet.proxies[0]!, used, '/sse'));
    const lived = (await end) - begun;
    t.true(lived >= 2500 && lived < 2500 + CONTRACT_MS + 2 * HARNESS_MS, `it lived ${Math.round(lived)} ms`);
    const [event] = await eventually(async () => {
      const found = await eventsOf(used.grant);
      return found.length > 0 ? found : undefined;
    }, 'the event');
    t.is(event?.code, code);
  });
}

test.serial('a rotation lets what is under way end, and new requests take the new value', async (t) => {
  const used = await access();
  const proxy = fleet.proxies[0]!;
  let over = false;
  const { end } = await begin(() => open(proxy, used, '/sse'));
  void end.then(() => (over = true));
  const { secretId } = await administration().showGrant(used.grant);
  await administration().rotateSecret(secretId, { token: new Secret('sk-after-rotation') });
  const written = performance.now();
  await eventually(
    async () => {
      await answerOf(proxy, used);
      return scene.origin.requests.at(-1)?.rawHeaders.includes('Bearer sk-after-rotation') === true ? true : undefined;
    },
    'the new value',
    CONTRACT_MS + HARNESS_MS,
  );
  // Two looks at what is under way have passed.
  await eventually(() => (performance.now() - written > CONTRACT_MS ? true : undefined), 'a second');
  t.false(over);
  scene.origin.endEvents();
  await end;
});
