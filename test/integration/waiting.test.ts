/**
 * Contract (invariant 10): a request that waits before it is sent, for a token or for the keys of an identity provider, is held to what key and
 * grant are when it would leave. What ends them ends it, while it waits and right after, and nothing of it reaches the API; a stop says so.
 */
import type { ServerResponse } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import type { AuditEvent } from '../../src/audit/event.ts';
import { reveal } from '../../src/secret/reveal.ts';
import type { GrantPrincipal } from '../../src/vault/records.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { problemCode, requestThrough, type ClientAnswer } from '../support/client.ts';
import { clientCredentialsTemplate, secrets } from '../support/derived.ts';
import { eventually } from '../support/eventually.ts';
import { makeSigningKey, type SigningKey } from '../support/idp-keys.ts';
import { grantFor } from '../support/principal-grants.ts';
import { startScene, type Scene } from '../support/scene.ts';
import { startTokenEndpoint, type TokenCall, type TokenEndpoint } from '../support/token-endpoint.ts';
import { withinLife } from '../support/within-life.ts';

const GRANT_LIFE_MS = 2500;
const AGENT = 'waiting-agent';
const authority = makeTestAuthority();

/** What was asked of the endpoint, and waits for its answer. */
interface Asked {
  readonly call: TokenCall;
  readonly response: ServerResponse;
}

let scene: Scene;
let endpoint: TokenEndpoint;
let asked: Asked[] = [];
let signing: SigningKey;
test.before(async () => {
  endpoint = await startTokenEndpoint(authority, (call, response) => void asked.push({ call, response }));
  signing = await makeSigningKey('waiting');
  scene = await startScene(sceneOptions());
  await administration().agents.create({ name: AGENT });
});
test.beforeEach(() => {
  asked = [];
});
test.after.always(async () => {
  await scene.stop();
  await endpoint.stop();
});

const administration = () => scene.proxy.administration;
const sceneOptions = (config: Readonly<Record<string, unknown>> = {}) => ({
  origin: { authority },
  config: { upstream: { allow_private: ['localhost'] }, ...config },
});

let serial = 0;

/** What a client uses. */
interface Access {
  readonly key: string;
  readonly keyName: string;
  readonly grant: string;
}

/** A grant for a secret whose token the endpoint gives. */
function derivedGrant(at: Scene, principal: GrantPrincipal, ttlMs?: number): Promise<string> {
  serial += 1;
  const template = { ...clientCredentialsTemplate(`${endpoint.url}/token`), slug: `waiting-${String(serial)}` };
  const fields = { client_id: 'robot', client_secret: 'the-first-secret' };
  return grantFor(at, principal, { template, fields, ...(ttlMs === undefined ? {} : { ttlMs }) });
}

async function access(ttlMs?: number): Promise<Access> {
  const grant = await derivedGrant(scene, { type: 'agent', agent: AGENT }, ttlMs);
  const keyName = `waiting ${String(serial)}`;
  const { key } = await administration().createKey({ name: keyName, agent: AGENT });
  return { key: reveal(key), keyName, grant };
}

const post = ({ key, grant }: Access): Promise<ClientAnswer> =>
  requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, method: 'POST', body: 'the body', grant, key });

function answer({ response }: Asked, document: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
}

/** The n-th thing that was asked of the endpoint, as soon as it was. */
const nth = (n: number): Promise<Asked> => eventually(() => asked[n], `${String(n + 1)} questions to the endpoint`);

/** Fails unless a request ended with `code` and the API has seen only the `reached` requests before it, also after what it waited for came. */
async function assertEnded(t: ExecutionContext, ended: ClientAnswer, code: string, reached: number): Promise<void> {
  t.is(problemCode(ended), code);
  t.like(await scene.proxy.eventOf(ended), {
    outcome: 'interrupted',
    code,
    status: ended.status,
    injected: [],
  } satisfies Partial<AuditEvent>);
  for (const one of asked) if (!one.response.writableEnded) answer(one, { access_token: 'too-late', expires_in: 3600 });
  const other = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant: await scene.grant(), key: scene.proxy.key });
  t.is(other.status, 200, 'the proxy goes on');
  t.is(scene.origin.requests.length, reached + 1);
}

const ENDS: readonly (readonly [what: string, code: string, write: (used: Access) => Promise<unknown>, back?: () => Promise<unknown>])[] = [
  ['its grant is revoked', 'grant_revoked', ({ grant }) => administration().revokeGrant(grant)],
  [
    'its secret is revoked',
    'credential_revoked',
    async ({ grant }) => administration().revokeSecret((await administration().showGrant(grant)).secretId),
  ],
  ['its key is revoked', 'key_revoked', ({ keyName }) => administration().revokeKey(keyName)],
  [
    'a policy forbids it',
    'policy_violation',
    ({ grant }) => administration().setPolicy({ at: 'grant', grant }, [{ kind: 'methods', allow: ['PATCH'] }]),
  ],
  ['its agent is paused', 'agent_inactive', () => administration().agents.pause(AGENT), () => administration().agents.resume(AGENT)],
];

for (const [what, code, write, back] of ENDS) {
  test.serial(`a request that waits for a token ends when ${what}, and the token comes too late`, async (t) => {
    const reached = scene.origin.requests.length;
    const used = await access();
    const waiting = post(used);
    await nth(0);
    if (back !== undefined) t.teardown(back);
    await write(used);
    await assertEnded(t, await waiting, code, reached);
  });

  test.serial(`a request whose token comes right after ${what} is not sent`, async (t) => {
    const reached = scene.origin.requests.length;
    const used = await access();
    const waiting = post(used);
    const question = await nth(0);
    if (back !== undefined) t.teardown(back);
    await write(used);
    answer(question, { access_token: 'in-time', expires_in: 3600 });
    await assertEnded(t, await waiting, code, reached);
  });
}

test.serial('a request that waits for a token ends when its grant expires', async (t) => {
  const reached = scene.origin.requests.length;
  const waiting = await withinLife(GRANT_LIFE_MS, async (lifeMs) => {
    asked = [];
    const sent = post(await access(lifeMs));
    await nth(0);
    return { sent };
  });
  await assertEnded(t, await waiting.sent, 'grant_expired', reached);
});

test.serial('a request that waits for the token of a secret that is rotated leaves with a token of the new one', async (t) => {
  const reached = scene.origin.requests.length;
  const used = await access();
  const waiting = post(used);
  const first = await nth(0);
  const { secretId } = await administration().showGrant(used.grant);
  await administration().rotateSecret(secretId, secrets({ client_id: 'robot', client_secret: 'the-second-secret' }));
  answer(first, { access_token: 'of-the-first', expires_in: 3600 });
  const second = await nth(1);
  t.not(second.call.headers.authorization, first.call.headers.authorization);
  answer(second, { access_token: 'of-the-second', expires_in: 3600 });
  const answered = await waiting;
  t.is(answered.status, 200);
  const [sent, ...more] = scene.origin.requests.slice(reached);
  t.deepEqual([sent?.headers.authorization, sent?.body.toString(), more], ['Bearer of-the-second', 'the body', []]);
  t.like(await scene.proxy.eventOf(answered), { outcome: 'success', secretVersion: 2, injected: ['header:authorization'] });
});

/** A request for a grant of alice, at an identity provider whose keys nobody has read; and what it waits for. */
async function waitForKeys(): Promise<{ readonly grant: string; readonly sent: Promise<ClientAnswer>; readonly question: Asked }> {
  serial += 1;
  const slug = `corp-${String(serial)}`;
  const issuer = `https://${slug}.test`;
  await administration().idps.add({ slug, issuer, audiences: ['api'], jwks: { kind: 'url', url: `${endpoint.url}/jwks` } });
  const grant = await grantFor(scene, { type: 'user', idp: slug, subject: 'alice' });
  const token = await signing.sign({ iss: issuer, aud: 'api', sub: 'alice', exp: Math.floor(Date.now() / 1000) + 300 });
  const headers = ['X-Alter-User-Token', token];
  const sent = requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant, key: scene.proxy.key, headers });
  return { grant, sent, question: await nth(0) };
}

test.serial('a request that waits for the keys of an identity provider outlasts looks at it, and is sent', async (t) => {
  const { sent, question } = await waitForKeys();
  const since = performance.now();
  // Two looks at what is under way have passed.
  await eventually(() => (performance.now() - since > 600 ? true : undefined), 'two looks');
  answer(question, { keys: [signing.publicJwk] });
  t.is((await sent).status, 200);
});

test.serial('a request that waits for the keys of an identity provider ends when its grant is revoked', async (t) => {
  const reached = scene.origin.requests.length;
  const { grant, sent } = await waitForKeys();
  await administration().revokeGrant(grant);
  await assertEnded(t, await sent, 'grant_revoked', reached);
});

test.serial('a request for which the keys of an identity provider come right after its grant was revoked is not sent', async (t) => {
  const reached = scene.origin.requests.length;
  const { grant, sent, question } = await waitForKeys();
  await administration().revokeGrant(grant);
  answer(question, { keys: [signing.publicJwk] });
  await assertEnded(t, await sent, 'grant_revoked', reached);
});

test.serial(
  'a request that waits for the keys of an identity provider leaves with the value to which its secret was rotated',
  async (t) => {
    const { grant, sent, question } = await waitForKeys();
    const { secretId } = await administration().showGrant(grant);
    await administration().rotateSecret(secretId, secrets({ token: 'sk-after-rotation' }));
    answer(question, { keys: [signing.publicJwk] });
    const answered = await sent;
    t.is(answered.status, 200);
    t.is(scene.origin.requests.at(-1)?.headers.authorization, 'Bearer sk-after-rotation');
    t.like(await scene.proxy.eventOf(answered), { outcome: 'success', secretVersion: 2 });
  },
);

test.serial('a request that waits for a token when the time of a stop is over is told so', async (t) => {
  const stopping = await startScene(sceneOptions({ shutdown: { drain_timeout_ms: 100 } }));
  t.teardown(() => stopping.stop());
  const grant = await derivedGrant(stopping, { type: 'system' });
  const sent = requestThrough(stopping.proxy, { url: `${stopping.origin.url}/echo`, method: 'POST', body: 'the body', grant });
  await nth(0);
  await Promise.all([stopping.proxy.running.stop(), sent]);
  const answered = await sent;
  t.deepEqual([answered.status, problemCode(answered)], [503, 'shutting_down']);
  t.like(await stopping.proxy.eventOf(answered), { outcome: 'interrupted', code: 'shutting_down', status: 503 });
  t.deepEqual(stopping.origin.requests, []);
});
