/**
 * Contract: an agent asks the proxy itself for a grant on a secret that it was allowed, and uses it at once; the same label is the same grant.
 * Nobody else can ask, an agent learns nothing of other secrets, and what asks for anything else gets a clear answer.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import test from 'ava';
import { Redis } from 'ioredis';
import type { ChangeEvent } from '../../src/audit/change.ts';
import { reveal } from '../../src/secret/reveal.ts';
import { Secret } from '../../src/secret/secret.ts';
import { ConnectRefused, exchangeRaw, openTls, requestThrough } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { callOwn, type OwnAnswered, type OwnCall } from '../support/own-endpoint.ts';
import { startRedis } from '../support/redis.ts';
import { startScene, type Scene } from '../support/scene.ts';
import { PATIENCE_MS } from '../support/started.ts';
import { withinLife } from '../support/within-life.ts';

let scene: Scene;
/** Keys of the agents of `scene`. */
let bot: string;
let other: string;

test.before(async () => {
  scene = await startScene();
  bot = await newAgent(scene, 'bot');
  other = await newAgent(scene, 'other');
  for (const name of ['stripe', 'github', 'hidden']) await addSecret(scene, name);
  for (const name of ['stripe', 'github']) await scene.proxy.administration.allowAgent('bot', name);
});

test.after.always(() => scene.stop());

async function newAgent({ proxy }: Scene, name: string): Promise<string> {
  await proxy.administration.agents.create({ name });
  return reveal((await proxy.administration.createKey({ name: `key of ${name}`, agent: name })).key);
}

async function addSecret({ proxy, origin }: Scene, name: string): Promise<void> {
  const hosts = [`https://localhost:${String(origin.port)}`];
  await proxy.administration.addSecret({ name, provider: 'custom-bearer', fields: { token: new Secret(`sk-of-${name}`) }, hosts });
}

function ask(call: OwnCall, at = scene): Promise<OwnAnswered> {
  return callOwn(at.proxy, { key: bot, ...call });
}

/** `201`, or status and code of the refusal. */
async function outcome(call: OwnCall, at = scene): Promise<string> {
  const { status, headers } = await ask(call, at);
  const code = headers['x-alter-error'];
  return code === undefined ? String(status) : `${String(status)} ${String(code)}`;
}

/** Status of a proxied request with the grant, or the code of its refusal. */
async function use(grant: string, key: string, at = scene): Promise<string> {
  try {
    const { status, headers } = await requestThrough(at.proxy, { url: `${at.origin.url}/echo`, grant, key });
    return String(headers['x-alter-error'] ?? status);
  } catch (error) {
    if (error instanceof ConnectRefused) return String(error.answer.headers['x-alter-error']);
    throw error;
  }
}

/** The issues of a grant so far. Events keep their order: once the refusal of a later call is there, so is what was recorded before. */
async function issues(id: unknown, at = scene): Promise<readonly ChangeEvent[]> {
  await at.proxy.eventOf(await ask({ key: at.proxy.key }, at));
  const stored = await at.proxy.store.readEvents('default', { limit: 1000 });
  const events = stored.map(({ json }) => JSON.parse(json) as ChangeEvent);
  return events.filter(({ action, target }) => action === 'grant.issue' && target === id);
}

test('a client that leaves within its request is recorded', async (t) => {
  const key = await newAgent(scene, 'leaver');
  const fields = `Host: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nContent-Length: 99`;
  const socket = net.connect(scene.proxy.port, scene.proxy.host);
  socket.write(`POST /v1/grants HTTP/1.1\r\n${fields}\r\n\r\n{`, () => socket.destroy());
  const recorded = async (): Promise<object | undefined> => {
    const stored = await scene.proxy.store.readEvents('default', { limit: 1000 });
    const events = stored.map(({ json }) => JSON.parse(json) as { readonly agent?: string; readonly method?: string });
    return events.find(({ agent, method }) => agent === 'leaver' && method === 'POST');
  };
  t.like(await eventually(recorded, 'the event'), { type: 'request', outcome: 'policy_denied' });
});

test('a grant is issued, works at once for its agent, and for nobody else; the audit says who issued it', async (t) => {
  await addSecret(scene, 'sole');
  await scene.proxy.administration.allowAgent('bot', 'sole');
  const answer = await ask({ body: { secret: 'sole', label: 'first', ttl: '1h' } });
  t.is(answer.status, 201, answer.body);
  const { id, expires_at: until, ...rest } = answer.document;
  const hosts = [`https://localhost:${String(scene.origin.port)}`];
  t.deepEqual(rest, { label: 'first', secret: 'sole', provider: 'custom-bearer', hosts, status: 'active' });
  t.true(Math.abs(Date.parse(String(until)) - Date.now() - 3_600_000) < 60_000);
  t.is(answer.headers['cache-control'], 'no-store');
  t.is(answer.headers['access-control-allow-origin'], undefined);
  t.is(await use(String(id), bot), '200');
  t.is(scene.origin.requests.filter(({ headers }) => headers.authorization === 'Bearer sk-of-sole').length, 1);
  t.is(await use(String(id), other), 'principal_mismatch');
  t.is(await use(String(id), scene.proxy.key), 'principal_mismatch');
  t.like(await issues(id), [{ by: 'agent:bot', label: 'first' }]);
  t.is((await issues(id)).length, 1);
});

test('the key may stand in Proxy-Authorization, or as Basic, and in both only the same one', async (t) => {
  const body = { secret: 'stripe', label: 'spelling' };
  const basic = `Basic ${Buffer.from(`x:${bot}`).toString('base64')}`;
  t.is(await outcome({ body, headers: { authorization: '', 'proxy-authorization': `Bearer ${bot}` } }), '201');
  t.is(await outcome({ body, headers: { authorization: basic } }), '200');
  t.is(await outcome({ body, headers: { 'proxy-authorization': basic } }), '200');
  t.is(await outcome({ body, headers: { 'proxy-authorization': `Bearer ${other}` } }), '401 invalid_key');
});

test('twenty calls at the same time are one grant, issued once', async (t) => {
  const body = { secret: 'github', label: 'parallel' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ body })));
  t.is(new Set(answers.map(({ document }) => document['id'])).size, 1);
  t.deepEqual(answers.map(({ status }) => status).sort(), [...Array.from({ length: 19 }, () => 200), 201]);
  t.is((await issues(answers[0]?.document['id'])).length, 1);
});

test('the list has the active grants of the agent that asks, and no others', async (t) => {
  const mine = await ask({ body: { secret: 'github', label: 'listed' } });
  const ended = await ask({ body: { secret: 'github', label: 'ended' } });
  await scene.proxy.administration.revokeGrant(String(ended.document['id']));
  const { status, document } = await ask({ method: 'GET' });
  t.is(status, 200);
  const grants = document['grants'] as readonly { readonly id: string }[];
  t.deepEqual(
    grants.find(({ id }) => id === mine.document['id']),
    mine.document as never,
  );
  t.false(grants.some(({ id }) => id === ended.document['id']));
  t.deepEqual((await ask({ key: other, method: 'GET' })).document, { grants: [] });
});

test('what has expired lives anew under its id; what the operator revoked or deleted stays so', async (t) => {
  const { body, id, answer } = await withinLife(3000, async (lifeMs) => {
    const ttl = `${String(lifeMs / 1000)}s`;
    const body = { secret: 'stripe', label: `for ${ttl}`, ttl };
    const id = String((await ask({ body })).document['id']);
    return { body, id, answer: await use(id, bot) };
  });
  t.is(answer, '200');
  await eventually(async () => ((await use(id, bot)) === 'grant_expired' ? true : undefined), 'the end of the grant', PATIENCE_MS);
  const renewed = await ask({ body: { ...body, ttl: '1h' } });
  t.is(renewed.status, 201);
  t.is(renewed.document['id'], id);
  await eventually(async () => ((await use(id, bot)) === '200' ? true : undefined), 'the renewal', 1000);
  t.is((await issues(id)).length, 2);
  await scene.proxy.administration.revokeGrant(id);
  t.is(await outcome({ body }), '403 grant_not_allowed');
  await scene.proxy.administration.deleteGrant(id);
  t.is(await outcome({ body }), '403 grant_not_allowed');
});

test('a secret that the agent was not allowed is answered byte for byte like one that does not exist', async (t) => {
  const bytes = async (secret: string): Promise<string> => {
    const { status, headers, body } = await ask({ body: { secret, label: 'x' } });
    const id = String(headers['x-alter-request-id']);
    return JSON.stringify({ status, headers, body }).replaceAll(id, '<id>');
  };
  const { id } = await scene.proxy.administration.showSecret('hidden');
  const unknown = await bytes('nothing');
  t.regex(unknown, /grant_not_allowed/);
  t.is(await bytes('hidden'), unknown);
  t.is(await bytes(id), unknown);
  t.is(await bytes(id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))), unknown);
});

test('only agents may ask, with a key that is good, of an agent that is at work', async (t) => {
  const body = { secret: 'stripe', label: 'who' };
  t.is(await outcome({ key: scene.proxy.key, body }), '403 agent_key_required');
  t.is(await outcome({ key: scene.proxy.key, method: 'GET' }), '403 agent_key_required');
  t.is(await outcome({ key: `alter_key_agent_${'A'.repeat(43)}`, body }), '401 invalid_key');
  t.is(await outcome({ key: 'sk-live-of-somebody', body }), '401 invalid_key');
  t.is(await outcome({ key: other, body }), '403 grant_not_allowed');
  const refused = await ask({ body, headers: { authorization: '' } });
  // The proxy's own key lets keyless clients on loopback make requests, but not this one: a web page could send it.
  t.is(refused.status, 401);
  t.like(refused.document, { code: 'invalid_key' });
  t.is(refused.headers['www-authenticate'], 'Bearer realm="alter-proxy"');
  t.is(refused.headers['proxy-authenticate'], undefined);
  const idle = await newAgent(scene, 'idle');
  await scene.proxy.administration.allowAgent('idle', 'stripe');
  t.is(await outcome({ key: idle, body }), '201');
  await scene.proxy.administration.agents.pause('idle');
  await eventually(async () => ((await outcome({ key: idle, body })) === '403 agent_inactive' ? true : undefined), 'the pause', 1000);
});

test('the key of an agent counts with its networks and its end, and a deprecated one says so', async (t) => {
  const { administration } = scene.proxy;
  const body = { secret: 'stripe', label: 'keys' };
  const outside = await administration.createKey({ name: 'outside', agent: 'bot', cidrs: ['10.1.0.0/16'] });
  t.is(await outcome({ key: reveal(outside.key), body }), '401 invalid_key');
  const old = await administration.createKey({ name: 'old', agent: 'bot' });
  await administration.deprecateKey('old');
  const key = reveal(old.key);
  t.is((await ask({ key, body })).headers['x-alter-key-deprecated'], 'true');
  t.is((await ask({ key, body: {} })).headers['x-alter-key-deprecated'], 'true');
  await administration.revokeKey('old');
  await eventually(async () => ((await outcome({ key, body })) === '401 key_revoked' ? true : undefined), 'the revocation', 1000);
});

const WRONG: Readonly<Record<string, readonly [OwnCall, string]>> = {
  'no JSON': [{ body: '{"secret"' }, '400 grant_request_invalid'],
  'no object': [{ body: '[]' }, '400 grant_request_invalid'],
  'no body': [{ headers: { 'content-type': 'application/json' } }, '400 grant_request_invalid'],
  'no label': [{ body: { secret: 'stripe' } }, '400 grant_request_invalid'],
  'an unknown member': [{ body: { secret: 'stripe', label: 'x', principal: 'other' } }, '400 grant_request_invalid'],
  'a label that is no text': [{ body: { secret: 'stripe', label: 7 } }, '400 grant_request_invalid'],
  'an empty label': [{ body: { secret: 'stripe', label: '' } }, '400 grant_request_invalid'],
  'a life without a unit': [{ body: { secret: 'stripe', label: 'x', ttl: '60' } }, '400 grant_request_invalid'],
  'an end in the past': [{ body: { secret: 'stripe', label: 'x', expires_at: '2020-01-01' } }, '400 grant_request_invalid'],
  'two ends': [{ body: { secret: 'stripe', label: 'x', ttl: '1h', expires_at: '2099-01-01' } }, '400 grant_request_invalid'],
  'another type': [{ body: '{}', headers: { 'content-type': 'text/plain' } }, '415 content_type_not_supported'],
  'a form': [{ body: '{}', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, '415 content_type_not_supported'],
  'a longer type': [{ body: '{}', headers: { 'content-type': 'application/json-patch+json' } }, '415 content_type_not_supported'],
  'no type': [{ body: '{}', headers: { 'content-type': '' } }, '415 content_type_not_supported'],
  'a long body': [{ body: JSON.stringify({ secret: 'stripe', label: 'x'.repeat(5000) }) }, '413 grant_request_too_large'],
  'a long chunked body': [{ body: 'x'.repeat(5000), headers: { 'transfer-encoding': 'chunked' } }, '413 grant_request_too_large'],
  'another path': [{ path: '/v1/grants/', body: {} }, '404 endpoint_not_found'],
  'a path below': [{ path: '/v1/grants/1', method: 'GET' }, '404 endpoint_not_found'],
  'a query': [{ path: '/v1/grants?app=other', method: 'GET' }, '404 endpoint_not_found'],
  "a provider's path": [{ path: '/v1/chat/completions', body: {} }, '404 endpoint_not_found'],
  'a path that climbs': [{ path: '/v1/../v1/grants', body: {} }, '404 endpoint_not_found'],
  'another method': [{ method: 'PUT', body: {} }, '405 endpoint_method_not_allowed'],
  'a preflight': [{ method: 'OPTIONS' }, '405 endpoint_method_not_allowed'],
  'a HEAD': [{ method: 'HEAD' }, '405 endpoint_method_not_allowed'],
};

for (const [what, [call, wanted]] of Object.entries(WRONG)) {
  test(`${what} is refused`, async (t) => {
    t.is(await outcome(call), wanted);
  });
}

test('a method that is not taken names those that are', async (t) => {
  t.is((await ask({ method: 'DELETE' })).headers.allow, 'GET, POST');
});

test('a preflight without a key, as a browser sends it, gets nothing that lets a page go on', async (t) => {
  const headers = { authorization: '', origin: 'https://evil.test', 'access-control-request-method': 'POST' };
  const answer = await ask({ method: 'OPTIONS', headers });
  t.is(answer.status, 401);
  t.deepEqual(
    Object.keys(answer.headers).filter((name) => name.startsWith('access-control')),
    [],
  );
});

test('refusals are recorded with who asked', async (t) => {
  const answer = await ask({ key: other, body: { secret: 'hidden', label: 'x' } });
  t.like(await scene.proxy.eventOf(answer), { code: 'grant_not_allowed', agent: 'other', status: 403, method: 'POST', host: '' });
});

test('the longest life of the secret binds', async (t) => {
  await addSecret(scene, 'brief');
  await scene.proxy.administration.editSecret('brief', { maxTtlS: 60 });
  await scene.proxy.administration.allowAgent('bot', 'brief');
  t.is(await outcome({ body: { secret: 'brief', label: 'x', ttl: '2m' } }), '403 grant_not_allowed');
  const { document } = await ask({ body: { secret: 'brief', label: 'x' } });
  t.true(Date.parse(String(document['expires_at'])) <= Date.now() + 60_000);
  await scene.proxy.administration.revokeSecret('brief');
  t.is(await outcome({ body: { secret: 'brief', label: 'y' } }), '403 grant_not_allowed');
});

/** What raw bytes on the proxy's port are answered; `KEY` stands for the key of the agent. */
function raw(bytes: string): Promise<string> {
  return exchangeRaw(net.connect(scene.proxy.port, scene.proxy.host), bytes.replaceAll('KEY', bot));
}

const BODY = '{"secret":"stripe","label":"raw"}';
const POST = `POST /v1/grants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\nContent-Length: ${String(BODY.length)}\r\n`;

test('pipelined requests are answered in order on one connection, and a refusal between them does not end it', async (t) => {
  const wrong = 'POST /v1/grants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Length: 2\r\n\r\n{}';
  const elsewhere = 'GET /v1/nothing HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\n\r\n';
  const body = BODY.replace('raw', 'row');
  const answer = await raw(`${POST}\r\n${body}${wrong}${elsewhere}${POST}Connection: close\r\n\r\n${body}`);
  t.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 201', 'HTTP/1.1 415', 'HTTP/1.1 404', 'HTTP/1.1 200']);
});

test('HTTP/1.0 is answered, and the connection closed', async (t) => {
  const answer = await raw(`${POST.replace('HTTP/1.1', 'HTTP/1.0').replace('Host: x\r\n', '')}\r\n${BODY}`);
  t.regex(answer, /^HTTP\/1\.1 20[01] [^]*Connection: close\r\n/i);
  t.regex(answer, /"label":"raw"/);
});

test('a client that waits for 100 gets it when its body is wanted, and a refusal when not', async (t) => {
  const expecting = `${POST}Expect: 100-continue\r\nConnection: close\r\n\r\n`;
  const socket = net.connect(scene.proxy.port, scene.proxy.host);
  const done = exchangeRaw(socket, expecting.replaceAll('KEY', bot));
  socket.once('data', () => socket.write(BODY));
  t.regex(await done, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 20[01] /);
  t.regex(await raw(expecting.replace('application/json', 'text/plain')), /^HTTP\/1\.1 415 /);
});

test('a body that is announced too long is not waited for', async (t) => {
  const answer = await raw(POST.replace(/Content-Length: \d+/, 'Content-Length: 1000000000') + '\r\n');
  t.regex(answer, /^HTTP\/1\.1 413 [^]*Connection: close\r\n/i);
});

test('in absolute form and inside CONNECT the path is one of somebody else', async (t) => {
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/v1/grants`, key: bot });
  t.is(answer.headers['x-alter-error'], undefined);
  t.true(scene.origin.requests.some(({ url }) => url === '/v1/grants'));
  const inside = await openTls(scene.proxy, scene.authority);
  t.notRegex(await exchangeRaw(inside, `GET /v1/grants HTTP/1.1\r\nHost: ${scene.authority}\r\nConnection: close\r\n\r\n`), /"grants":/);
  const absolute = await raw(
    `${POST.replace('/v1/grants', 'http://localhost:1/v1/grants').replace('Host: x', 'Host: localhost:1').replace('Authorization', 'Proxy-Authorization')}Connection: close\r\n\r\n${BODY}`,
  );
  t.regex(absolute, /^HTTP\/1\.1 502 /);
});

test('what is not under /v1/ gets the word on how to use a proxy, as before', async (t) => {
  t.regex(
    await raw('GET /v2/grants HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nConnection: close\r\n\r\n'),
    /^HTTP\/1\.1 400 [^]*HTTPS_PROXY/,
  );
});

test('an agent that calls without end is slowed', async (t) => {
  const key = await newAgent(scene, 'busy');
  const calls = [];
  for (let i = 0; i < 13; i++) calls.push(await ask({ key, method: 'GET' }));
  t.deepEqual(new Set(calls.slice(0, 12).map(({ status }) => status)), new Set([200]));
  t.is(calls[12]?.headers['x-alter-error'], 'rate_limited');
  t.true(Number(calls[12]?.headers['retry-after']) > 0);
});

test('an issue whose event the store does not take at first is recorded once it does, and once only', async (t) => {
  const redis = await startRedis({ users: ['root on >root ~* &* +@all'] });
  t.teardown(() => redis.stop());
  const root = new Redis(redis.url.replace('redis://', 'redis://root:root@'));
  t.teardown(() => {
    root.disconnect();
  });
  const there = await startScene({ config: { store: { kind: 'redis', url: redis.url } } });
  t.teardown(() => there.stop());
  const key = await newAgent(there, 'bot');
  await addSecret(there, 'stripe');
  await there.proxy.administration.allowAgent('bot', 'stripe');
  await root.call('ACL', 'SETUSER', 'default', '-xadd');
  const call: OwnCall = { key, body: { secret: 'stripe', label: 'x' } };
  const { status, document } = await ask(call, there);
  t.is(status, 201);
  t.is(await outcome(call, there), '200');
  await root.call('ACL', 'SETUSER', 'default', '+xadd');
  t.like(await issues(document['id'], there), { length: 1, 0: { by: 'agent:bot', label: 'x' } });
});

test('agents.self_issue: false ends it, at a reload', async (t) => {
  const there = await startScene();
  t.teardown(() => there.stop());
  const key = await newAgent(there, 'bot');
  await addSecret(there, 'stripe');
  await there.proxy.administration.allowAgent('bot', 'stripe');
  const body = { secret: 'stripe', label: 'x' };
  t.is(await outcome({ key, body }, there), '201');
  await there.reset({ agents: { self_issue: false } });
  t.is(await outcome({ key, body }, there), '403 grant_not_allowed');
  t.is(await outcome({ key, method: 'GET' }, there), '403 grant_not_allowed');
});

test('a proxy whose keyring can only open says so, and issues nothing', async (t) => {
  const there = await startScene();
  t.teardown(() => there.stop());
  const key = await newAgent(there, 'bot');
  await addSecret(there, 'stripe');
  await there.proxy.administration.allowAgent('bot', 'stripe');
  const { file } = there.proxy.keyring;
  writeFileSync(file, readFileSync(file, 'utf8').replace(/"alter_active":\s*true/, '"alter_active": false'));
  t.is(await outcome({ key, body: { secret: 'stripe', label: 'x' } }, there), '503 grant_issue_unavailable');
  t.deepEqual((await ask({ key, method: 'GET' }, there)).document, { grants: [] });
});

test('on Redis: the same grant from twenty calls, which works; a store that is down issues nothing', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const there = await startScene({ config: { store: { kind: 'redis', url: redis.url } } });
  t.teardown(() => there.stop());
  const key = await newAgent(there, 'bot');
  await addSecret(there, 'stripe');
  await there.proxy.administration.allowAgent('bot', 'stripe');
  const body = { secret: 'stripe', label: 'there', ttl: '1h' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ key, body }, there)));
  t.is(answers.filter(({ status }) => status === 201).length, 1);
  t.is(answers.filter(({ status }) => status === 200).length, 19);
  const id = String(answers[0]?.document['id']);
  t.is((await issues(id, there)).length, 1);
  t.is(await use(id, key, there), '200');
  await redis.kill();
  t.is(await outcome({ key, body }, there), '503 store_unavailable');
});
