/**
 * Contract: a grant works for its principal and for nobody else, over the real proxy, with real identity providers and real tokens. What an
 * operator does to a key, an agent or an identity provider holds on the next request. Another app's things do not exist.
 */
import { createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import test from 'ava';
import { SignJWT, UnsecuredJWT } from 'jose';
import { prepareOffline } from '../../src/inject/prepare.ts';
import { loadCatalogue } from '../../src/providers/catalogue.ts';
import { reveal } from '../../src/secret/reveal.ts';
import { createAdministration } from '../../src/vault/administration.ts';
import { publicKeysOf } from '../../src/vault/idps.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { ConnectRefused, openConnect, requestThrough } from '../support/client.ts';
import type { ClientAnswer, ClientRequest } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { AUDIENCE, startMockIdp, startRealIdp } from '../support/identity-providers.ts';
import type { MockIdp } from '../support/identity-providers.ts';
import { grantFor } from '../support/principal-grants.ts';
import { startRedis } from '../support/redis.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const authority = makeTestAuthority();
let scene: Scene;
let idp: MockIdp;

test.before(async () => {
  idp = await startMockIdp(authority);
  scene = await startScene({ origin: { authority } });
  await scene.proxy.administration.idps.add({ slug: 'corp', issuer: idp.issuer, audiences: [AUDIENCE], jwks: { kind: 'discovery' } });
});

test.after.always(async () => {
  await scene.stop();
  await idp.stop();
});

interface Sent extends Partial<ClientRequest> {
  readonly token?: string;
  readonly provider?: string;
}

async function send({ token, provider, ...request }: Sent, at = scene): Promise<ClientAnswer> {
  const headers = [
    ...(request.headers ?? []),
    ...(token === undefined ? [] : ['X-Alter-User-Token', token]),
    ...(provider === undefined ? [] : ['X-Alter-Provider', provider]),
  ];
  try {
    return await requestThrough(at.proxy, { url: `${at.origin.url}/echo`, ...request, headers });
  } catch (error) {
    if (error instanceof ConnectRefused) return error.answer;
    throw error;
  }
}

/** `200`, or status, code and rule of the refusal. */
async function outcome(request: Sent, at = scene): Promise<string> {
  return outcomeOf(await send(request, at));
}

function outcomeOf(answer: ClientAnswer): string {
  if (answer.headers['x-alter-error'] === undefined) return String(answer.status);
  const { code, rule } = JSON.parse(answer.body) as { code: string; rule?: string };
  return [answer.status, code, ...(rule === undefined ? [] : [rule])].join(' ');
}

const ALICE = { type: 'user', idp: 'corp', subject: 'alice' } as const;

test("a user's grant works with the user's token, which never reaches the origin, and the event says who it was", async (t) => {
  const grant = await grantFor(scene, ALICE, { value: 'sk-of-alice' });
  const token = await idp.token();
  const answer = await send({ grant, token });
  t.is(answer.status, 200, answer.body);
  const seen = scene.origin.requests.findLast(({ headers }) => headers.authorization === 'Bearer sk-of-alice');
  t.truthy(seen);
  t.false(JSON.stringify(seen).includes(token));
  const event = await scene.proxy.eventOf(answer);
  t.like(event, { principal: 'user', idp: 'corp', user: 'alice', group: null, agent: null, outcome: 'success' });
  t.false(JSON.stringify(event).includes(token.slice(-40)));
  t.false(scene.proxy.logged().includes(token.slice(-40)));
});

test("a user's grant works for nobody else", async (t) => {
  const grant = await grantFor(scene, ALICE);
  t.is(await outcome({ grant }), '401 user_token_required');
  t.is(await outcome({ grant, token: await idp.token({ sub: 'bob' }) }), '403 principal_mismatch');
  t.is(await outcome({ grant, token: await idp.token({ sub: 'Alice' }) }), '403 principal_mismatch');
  const event = await scene.proxy.eventOf(await send({ grant, token: await idp.token({ sub: 'bob' }) }));
  t.like(event, { outcome: 'principal_denied', user: 'bob' });
});

test('a token that is not good in every respect is refused', async (t) => {
  const grant = await grantFor(scene, ALICE);
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: idp.issuer, aud: AUDIENCE, sub: 'alice', exp: now + 300 };
  const code = async (token: string | Promise<string>): Promise<string> => outcome({ grant, token: await token });
  t.is(await code(idp.token()), '200');
  t.is(await code(idp.token({ aud: 'another' })), '401 user_token_invalid token_audience');
  t.is(await code(idp.token({ exp: now - 20 })), '200');
  t.is(await code(idp.token({ exp: now - 31 })), '401 user_token_invalid token_expired');
  t.is(await code(idp.token({ exp: undefined })), '401 user_token_invalid token_without_expiry');
  t.is(await code(idp.token({ iss: 'https://evil.test' })), '401 user_token_invalid token_issuer');
  t.is(await code(new UnsecuredJWT(claims).encode()), '401 user_token_invalid token_algorithm');
  const pem = createPublicKey({ key: { ...idp.publicKeys()[0] }, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const mac = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'first' }).sign(Buffer.from(pem));
  t.is(await code(mac), '401 user_token_invalid token_algorithm');
  t.is(await code('not.a.token'), '401 user_token_invalid token_malformed');
});

test('the token may come with CONNECT', async (t) => {
  const grant = await grantFor(scene, ALICE);
  t.is(await outcome({ grant, connectHeaders: ['X-Alter-User-Token', await idp.token()] }), '200');
});

test("a group's grant works for members, until the membership ends", async (t) => {
  const grant = await grantFor(scene, { type: 'group', idp: 'corp', group: 'sales' });
  const answer = await send({ grant, token: await idp.token({ groups: ['emea', 'sales'] }) });
  t.is(answer.status, 200);
  t.like(await scene.proxy.eventOf(answer), { principal: 'group', user: 'alice', group: 'sales' });
  t.is(await outcome({ grant, token: await idp.token({ groups: ['emea'] }) }), '403 principal_mismatch');
  t.is(await outcome({ grant, token: await idp.token() }), '403 principal_mismatch');
  t.is(await outcome({ grant, token: await idp.token({ groups: 'sales' }) }), '200');
  t.is(await outcome({ grant, token: await idp.token({ groups: 'emea sales' }) }), '403 principal_mismatch');
});

test('a grant is found by provider and user: the own one first, then one of a group', async (t) => {
  const template = { ...loadCatalogue([]).get('custom-bearer')!, slug: 'found-by-name', name: 'Found by name' };
  const provider = template.slug;
  const token = (groups: string[], sub = 'carol') => idp.token({ sub, groups });
  const ofGroup = await grantFor(scene, { type: 'group', idp: 'corp', group: 'ops' }, { template, label: 'of ops', value: 'sk-ops' });
  const find = async (groups: string[], sub?: string): Promise<string> => outcome({ provider, token: await token(groups, sub) });
  t.is(await outcome({ provider }), '401 user_token_required');
  t.is(await find([]), '404 grant_not_found no_grant_for_provider');
  const found = await send({ provider, token: await token(['ops']) });
  t.like(await scene.proxy.eventOf(found), { grantId: ofGroup, user: 'carol', group: 'ops', status: 200 });

  const more = { provider, hosts: [`https://${scene.authority}`] };
  const own = await grantFor(scene, { type: 'user', idp: 'corp', subject: 'carol' }, { ...more, label: "carol's" });
  const ownFound = await send({ provider, token: await token(['ops']) });
  t.like(await scene.proxy.eventOf(ownFound), { grantId: own, user: 'carol', group: null, status: 200 });

  await grantFor(scene, { type: 'user', idp: 'corp', subject: 'dave' }, { ...more, label: "dave's" });
  const second = await grantFor(scene, { type: 'user', idp: 'corp', subject: 'carol' }, { ...more, label: "carol's second" });
  const several = await send({ provider, token: await token(['ops']) });
  t.is(outcomeOf(several), '409 ambiguous_grant');
  const { detail } = JSON.parse(several.body) as { detail: string };
  t.true(detail.includes('"carol\'s"') && detail.includes('"carol\'s second"'), detail);
  t.false(detail.includes('dave') || detail.includes('ops'), detail);

  await scene.proxy.administration.revokeGrant(second);
  t.is(await find([]), '200');
  await scene.proxy.administration.revokeGrant(own);
  t.like(await scene.proxy.eventOf(await send({ provider, token: await token(['ops']) })), { grantId: ofGroup });
  t.is(await find([]), '404 grant_not_found no_grant_for_provider');
  t.is(await outcome({ provider: 'openai', token: await token(['ops']) }), '404 grant_not_found no_grant_for_provider');
  t.is(await outcome({ provider, grant: ofGroup, token: await token(['ops']) }), '409 ambiguous_grant');
});

test('an app key is for system grants, an agent key for grants of that agent only', async (t) => {
  const { administration, key: appKey } = scene.proxy;
  await administration.agents.create({ name: 'reporter' });
  await administration.agents.create({ name: 'reporter2' });
  const keyOf = async (agent: string): Promise<string> => reveal((await administration.createKey({ name: agent, agent })).key);
  const [key, other] = [await keyOf('reporter'), await keyOf('reporter2')];
  const system = await scene.grant();
  const grant = await grantFor(scene, { type: 'agent', agent: 'reporter' });
  t.is(await outcome({ grant: system, key: appKey }), '200');
  t.is(await outcome({ grant: system, key }), '403 principal_mismatch');
  t.is(await outcome({ grant, key: other }), '403 principal_mismatch');
  t.is(await outcome({ grant, key: appKey }), '403 principal_mismatch');
  t.is(await outcome({ grant }), '403 principal_mismatch');
  const answer = await send({ grant, key });
  t.like(await scene.proxy.eventOf(answer), { status: 200, agent: 'reporter', principal: 'agent' });

  await administration.agents.pause('reporter');
  t.is(await outcome({ grant, key }), '403 agent_inactive');
  await administration.agents.resume('reporter');
  t.is(await outcome({ grant, key }), '200');
  await administration.agents.delete('reporter');
  t.is(await outcome({ grant, key }), '407 key_revoked');
  t.is(await outcome({ grant, key: other }), '403 principal_mismatch');
});

test('a pause holds for the next request inside a tunnel that is open', async (t) => {
  const { administration } = scene.proxy;
  await administration.agents.create({ name: 'tunneller' });
  const key = reveal((await administration.createKey({ name: 'tunneller', agent: 'tunneller' })).key);
  const grant = await grantFor(scene, { type: 'agent', agent: 'tunneller' });
  const socket = await openConnect(scene.proxy, `localhost:${String(scene.origin.port)}`, ['Proxy-Authorization', `Bearer ${key}`]);
  await administration.agents.pause('tunneller');
  const answered = new Promise<string>((resolve) => {
    socket.once('data', (chunk) => {
      resolve(String(chunk));
    });
  });
  socket.write(`GET /echo HTTP/1.1\r\nHost: ${scene.authority}\r\nX-Alter-Grant: ${grant}\r\n\r\n`);
  t.regex(await answered, /^HTTP\/1\.1 403 [^]*X-Alter-Error: agent_inactive/);
  socket.destroy();
});

test('keys end, are bound to networks, and say when they are deprecated', async (t) => {
  const { administration } = scene.proxy;
  const grant = await scene.grant();
  const create = async (more: object): Promise<string> => reveal((await administration.createKey({ name: 'k', ...more })).key);
  t.is(await outcome({ grant, key: await create({ cidrs: ['127.0.0.0/8'] }) }), '200');
  const elsewhere = await outcome({ grant, key: await create({ cidrs: ['10.0.0.0/8'] }) });
  t.is(elsewhere, '407 invalid_key');
  t.is(await outcome({ grant, key: `alter_key_app_${'A'.repeat(43)}` }), elsewhere);
  const short = await create({ ttlMs: 1 });
  t.is(
    await eventually(async () => ((await outcome({ grant, key: short })) === '407 key_expired' ? 'ended' : undefined), 'the key to end'),
    'ended',
  );

  const { key: rotating } = await administration.createKey({ name: 'rotating' });
  t.is((await send({ grant, key: reveal(rotating) })).headers['x-alter-key-deprecated'], undefined);
  const { key: next } = await administration.rotateKey('rotating', 60_000);
  const old = await send({ grant, key: reveal(rotating) });
  t.is(old.status, 200);
  t.is(old.headers['x-alter-key-deprecated'], 'true');
  const refused = await send({ grant: '11111111-1111-4111-8111-111111111111', key: reveal(rotating) });
  t.is(outcomeOf(refused), '404 grant_not_found');
  t.is(refused.headers['x-alter-key-deprecated'], 'true');
  t.is((await send({ grant, key: reveal(next) })).headers['x-alter-key-deprecated'], undefined);
  await administration.revokeKey(
    (await administration.listKeys()).find(({ name, status }) => name === 'rotating' && status === 'deprecated')?.prefix ?? '',
  );
  t.is(await outcome({ grant, key: reveal(rotating) }), '407 key_revoked');
});

test('the answer to CONNECT says that the key is deprecated', async (t) => {
  const { administration } = scene.proxy;
  const { key } = await administration.createKey({ name: 'connecting' });
  await administration.deprecateKey('connecting');
  const lines = (target: string): string =>
    `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: Bearer ${reveal(key)}\r\n\r\n`;
  const answerTo = async (target: string): Promise<string> => {
    const socket = net.connect(scene.proxy.port, scene.proxy.host);
    t.teardown(() => socket.destroy());
    socket.write(lines(target));
    const [chunk] = (await once(socket, 'data')) as [Buffer];
    return chunk.toString();
  };
  t.regex(await answerTo(scene.authority), /^HTTP\/1\.1 200 [^]*\r\nX-Alter-Key-Deprecated: true\r\n/);
});

test('false keys are answered more and more slowly, a valid one from the same address at once, and who leaves is forgotten', async (t) => {
  const grant = await scene.grant();
  const falseKey = `alter_key_app_${'C'.repeat(43)}`;
  const before = performance.now();
  for (let i = 0; i < 7; i++) t.is(await outcome({ grant, key: falseKey }), '407 invalid_key');
  t.true(performance.now() - before > 140);
  const waiting = [1, 2, 3].map(async () => outcome({ grant, key: falseKey }));
  t.is(await outcome({ grant, key: scene.proxy.key }), '200');
  const leaving = net.connect(scene.proxy.port, scene.proxy.host);
  leaving.write(`CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nProxy-Authorization: Bearer ${falseKey}\r\n\r\n`, () =>
    leaving.destroy(),
  );
  for (const code of await Promise.all(waiting)) t.is(code, '407 invalid_key');
  t.is(await outcome({ grant, key: scene.proxy.key }), '200');
});

test("another app's grants, keys, agents and identity providers answer like unknown ones", async (t) => {
  const { store, keyring } = scene.proxy;
  keyring.add('other');
  const other = createAdministration({ store, keyring, catalogue: loadCatalogue([]), app: 'other', prepare: prepareOffline });
  const theirIdp = await startMockIdp(authority);
  t.teardown(() => theirIdp.stop());
  await other.idps.add({ slug: 'theirs', issuer: theirIdp.issuer, audiences: [AUDIENCE], jwks: { kind: 'discovery' } });
  await other.agents.create({ name: 'their-agent' });
  const appKey = reveal((await other.createKey({ name: 'app' })).key);
  const agentKey = reveal((await other.createKey({ name: 'agent', agent: 'their-agent' })).key);
  const grant = await scene.grant();
  for (const key of [appKey, agentKey, `alter_key_app_${'B'.repeat(43)}`]) t.is(await outcome({ grant, key }), '407 invalid_key');

  const ours = await grantFor(scene, { type: 'user', idp: 'theirs', subject: 'alice' });
  t.is(await outcome({ grant: ours, token: await theirIdp.token() }), '401 user_token_invalid token_issuer');
  t.is(await outcome({ grant: ours, token: await idp.token({ iss: 'https://nobody.test' }) }), '401 user_token_invalid token_issuer');
  const { administration } = scene.proxy;
  for (const missing of [
    administration.agents.show('their-agent'),
    administration.idps.show('theirs'),
    administration.agents.show('no-agent'),
  ]) {
    t.is((await t.throwsAsync<Error & { code?: string }>(missing)).code, 'not_found');
  }
});

test('a new key of the identity provider is found soon, and one that it never had is not', async (t) => {
  const grant = await grantFor(scene, ALICE);
  t.is(await outcome({ grant, token: await idp.token() }), '200');
  await idp.addKey('second');
  const token = await idp.token({}, 'second');
  const found = async () => ((await outcome({ grant, token })) === '200' ? true : undefined);
  t.true(await eventually(found, 'the new key', 15_000));
});

test('an identity provider that is down denies until it is back', async (t) => {
  const down = await startMockIdp(authority);
  t.teardown(() => down.stop());
  await scene.proxy.administration.idps.add({ slug: 'down', issuer: down.issuer, audiences: [AUDIENCE], jwks: { kind: 'discovery' } });
  const grant = await grantFor(scene, { type: 'user', idp: 'down', subject: 'alice' });
  const token = await down.token();
  await down.stop();
  t.is(await outcome({ grant, token }), '503 idp_unavailable');
  t.is(await outcome({ grant, token }), '503 idp_unavailable');
  await down.restart();
  t.true(await eventually(async () => ((await outcome({ grant, token })) === '200' ? true : undefined), 'the keys', 15_000));
});

test('keys from a file need no network, and an identity provider that is deleted speaks no more', async (t) => {
  const local = await startMockIdp(authority);
  const token = await local.token();
  await local.stop();
  const { idps } = scene.proxy.administration;
  await idps.add({ slug: 'local', issuer: local.issuer, audiences: [AUDIENCE], jwks: publicKeysOf({ keys: local.publicKeys() }) });
  const grant = await grantFor(scene, { type: 'user', idp: 'local', subject: 'alice' });
  t.is(await outcome({ grant, token }), '200');
  t.is((await t.throwsAsync<Error & { code?: string }>(idps.delete('local'))).code, 'not_allowed');
  await idps.delete('local', { force: true });
  t.is(await outcome({ grant, token }), '401 user_token_invalid token_issuer');
});

test('oidc-provider: a real access token, found by discovery, with the groups of its client', async (t) => {
  const real = await startRealIdp(authority);
  t.teardown(() => real.stop());
  await scene.proxy.administration.idps.add({ slug: 'oidc', issuer: real.issuer, audiences: [AUDIENCE], jwks: { kind: 'discovery' } });
  const robot = await grantFor(scene, { type: 'user', idp: 'oidc', subject: 'robot' });
  const group = await grantFor(scene, { type: 'group', idp: 'oidc', group: 'machines' });
  const member = await real.token(['machines']);
  t.is(await outcome({ grant: robot, token: member }), '200');
  t.is(await outcome({ grant: group, token: member }), '200');
  const former = await real.token([]);
  t.is(await outcome({ grant: robot, token: former }), '200');
  t.is(await outcome({ grant: group, token: former }), '403 principal_mismatch');
  t.is(
    await outcome({ grant: await grantFor(scene, { type: 'user', idp: 'corp', subject: 'robot' }), token: member }),
    '403 principal_mismatch',
  );
});

test('on Redis the same holds, within a second of each change', async (t) => {
  const redis = await startRedis();
  t.teardown(() => redis.stop());
  const there = await startScene({ origin: { authority }, config: { store: { kind: 'redis', url: redis.url } } });
  t.teardown(() => there.stop());
  const { administration } = there.proxy;
  const becomes = async (request: Sent, wanted: string): Promise<void> => {
    const last = async (): Promise<true | undefined> => ((await outcome(request, there)) === wanted ? true : undefined);
    await eventually(last, `${JSON.stringify(wanted)} on Redis`, 1000);
  };
  const grant = await grantFor(there, ALICE);
  const token = await idp.token();
  t.is(await outcome({ grant, token }, there), '401 user_token_invalid token_issuer');
  await administration.idps.add({ slug: 'corp', issuer: idp.issuer, audiences: [AUDIENCE], jwks: { kind: 'discovery' } });
  await becomes({ grant, token }, '200');
  await becomes({ provider: 'custom-bearer', token }, '200');
  await becomes({ provider: 'custom-bearer', token: await idp.token({ sub: 'eve' }) }, '404 grant_not_found no_grant_for_provider');
  await grantFor(there, { ...ALICE, subject: 'eve' });
  await becomes({ provider: 'custom-bearer', token: await idp.token({ sub: 'eve' }) }, '200');

  await administration.agents.create({ name: 'reporter' });
  const key = reveal((await administration.createKey({ name: 'k', agent: 'reporter' })).key);
  const ofAgent = await grantFor(there, { type: 'agent', agent: 'reporter' });
  await becomes({ grant: ofAgent, key }, '200');
  await administration.agents.pause('reporter');
  await becomes({ grant: ofAgent, key }, '403 agent_inactive');
  await administration.idps.delete('corp', { force: true });
  await becomes({ grant, token }, '401 user_token_invalid token_issuer');
  await redis.stop();
  await becomes({ grant, token }, '503 store_unavailable');
});
