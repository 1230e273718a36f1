/**
 * Contract: where a provider takes short-lived tokens, the proxy gets them from a real authorization server with what is stored, shares one
 * among all requests, never loses a refresh token, and injects nothing when there is none. What is stored never shows anywhere.
 */
import { jwtVerify } from 'jose';
import type { ServerResponse } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import type { ChangeEvent } from '../../src/audit/change.ts';
import type { ProviderTemplate } from '../../src/providers/template.ts';
import { SealedRecords } from '../../src/vault/sealed-records.ts';
import { makeTestAuthority } from '../support/certificates.ts';
import { problemCode, requestThrough, type ClientAnswer } from '../support/client.ts';
import { CLIENT_SECRET, clientCredentialsTemplate, derivedTemplate, refreshTokenTemplate, rsaPair, secrets } from '../support/derived.ts';
import { eventually } from '../support/eventually.ts';
import { startFleet } from '../support/fleet.ts';
import { startScene, type Scene } from '../support/scene.ts';
import { startAuthorizationServer, startTokenEndpoint, type AuthorizationServer, type TokenCall } from '../support/token-endpoint.ts';

const LEAK = 'leak-4f1d-of-the-endpoint';
const authority = makeTestAuthority();

/** The token that `/revocable` takes. */
let wanted = '';
let scene: Scene;
let auth: AuthorizationServer;
test.before(async () => {
  auth = await startAuthorizationServer(authority);
  scene = await startScene({
    origin: {
      authority,
      handler: (message, response) => {
        if (message.url === '/revocable') {
          message.resume().once('end', () => response.writeHead(message.headers.authorization === `Bearer ${wanted}` ? 200 : 401).end());
          return true;
        }
        if (message.url !== '/me') return false;
        void auth.accepts(message.headers.authorization).then((good) => response.writeHead(good ? 200 : 401).end());
        return true;
      },
    },
    // The token endpoint is reached by its name; by its address it is inside a private network that nobody has allowed.
    config: { upstream: { allow_private: ['localhost'] } },
  });
});
test.after.always(async () => {
  await scene.stop();
  await auth.stop();
});

let serial = 0;

function grantFor(template: ProviderTemplate, fields: Readonly<Record<string, string>>): Promise<string> {
  serial += 1;
  return scene.grant({ template: { ...template, slug: `derived-${String(serial)}` }, fields });
}

const ask = (grant: string, path = '/me', proxy: Parameters<typeof requestThrough>[0] = scene.proxy): Promise<ClientAnswer> =>
  requestThrough(proxy, { url: `${scene.origin.url}${path}`, grant, key: scene.proxy.key });

/** Fails when one of `texts` stands in the log or in the audit. */
async function assertUnseen(t: ExecutionContext, ...texts: readonly string[]): Promise<void> {
  const stored = await scene.proxy.store.readEvents('default', { limit: 10_000 });
  const seen = scene.proxy.logged() + stored.map(({ json }) => json).join('\n');
  for (const text of texts) t.false(seen.includes(text));
}

test.serial('client credentials: a hundred first requests cost one token, and the audit has the place and no value', async (t) => {
  const before = auth.tokenCalls();
  const grant = await grantFor(clientCredentialsTemplate(`${auth.url}/token`), { client_id: 'robot', client_secret: CLIENT_SECRET });
  const answers = await Promise.all(Array.from({ length: 100 }, () => ask(grant)));
  t.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  t.is(auth.tokenCalls(), before + 1);
  t.is((await ask(grant)).status, 200);
  t.is(auth.tokenCalls(), before + 1);
  const token = String(scene.origin.requests.at(-1)?.headers.authorization).replace('Bearer ', '');
  const event = await scene.proxy.eventOf(answers[0]!);
  t.deepEqual(event.injected, ['header:authorization']);
  await assertUnseen(t, CLIENT_SECRET, token);
});

test.serial('a placeholder stands for the derived token, too, and an answer that repeats it is scrubbed', async (t) => {
  const grant = await grantFor(clientCredentialsTemplate(`${auth.url}/token`), { client_id: 'robot', client_secret: CLIENT_SECRET });
  const answer = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/reflect`,
    headers: ['Authorization', `Bearer alter_grant_${grant}`],
  });
  t.is(answer.status, 200);
  const sent = String(scene.origin.requests.at(-1)?.headers.authorization);
  t.regex(sent, /^Bearer [\w-]{20,}$/);
  t.false(JSON.stringify(answer.rawHeaders).includes(sent.replace('Bearer ', '')));
});

test.serial(
  'a rotated secret gets a token of its own on the next request; a wrong one gets none, and a right one works at once',
  async (t) => {
    const grant = await grantFor(clientCredentialsTemplate(`${auth.url}/token`), { client_id: 'robot', client_secret: 'wrong' });
    const refused = await ask(grant);
    t.is(refused.status, 503);
    t.like(JSON.parse(refused.body), { code: 'credential_unavailable', rule: 'invalid_client' });
    t.true(Number(refused.headers['retry-after']) >= 1);
    const before = auth.tokenCalls();
    t.is((await ask(grant)).status, 503);
    t.is(auth.tokenCalls(), before, 'the failure is remembered');
    const { secretId } = await scene.proxy.administration.showGrant(grant);
    await scene.proxy.administration.rotateSecret(secretId, secrets({ client_id: 'robot', client_secret: CLIENT_SECRET }));
    t.is((await ask(grant)).status, 200);
  },
);

test.serial('a refresh token that rotates stands in the record before the access token is used; the version stays', async (t) => {
  const first = await auth.refreshToken();
  const fields = { client_id: 'app', client_secret: CLIENT_SECRET, refresh_token: first };
  const grant = await grantFor(refreshTokenTemplate(`${auth.url}/token`), fields);
  t.is((await ask(grant)).status, 200);
  const { secretId } = await scene.proxy.administration.showGrant(grant);
  const facts = await scene.proxy.administration.showSecret(secretId);
  t.is(facts.version, 1);
  t.true(facts.renewedAt! >= facts.updatedAt);
  t.is(facts.renewal, undefined);
  const changes = (await scene.proxy.store.readEvents('default', { limit: 10_000 })).map(({ json }) => JSON.parse(json) as ChangeEvent);
  const renewals = changes.filter(({ action, target }) => action === 'secret.renew' && target === secretId);
  t.is(renewals.length, 1);
  t.regex(renewals[0]?.by ?? '', /^proxy:/);
  const before = auth.tokenCalls();
  t.is((await ask(grant)).status, 200);
  t.is(auth.tokenCalls(), before, 'storing the new refresh token does not end the access token');
  await assertUnseen(t, first);
});

test.serial('a client secret that is rotated alone leaves the refresh token that the proxy has renewed', async (t) => {
  const fields = { client_id: 'app', client_secret: CLIENT_SECRET, refresh_token: await auth.refreshToken() };
  const grant = await grantFor(refreshTokenTemplate(`${auth.url}/token`), fields);
  t.is((await ask(grant)).status, 200);
  const { administration } = scene.proxy;
  const { secretId } = await administration.showGrant(grant);
  const rotate = (value: string) => administration.rotateSecret(secretId, secrets({ client_secret: value }), { others: 'kept' });
  t.is((await rotate('wrong')).version, 2);
  t.is((await ask(grant)).status, 503);
  t.is((await rotate(CLIENT_SECRET)).version, 3);
  t.is((await ask(grant)).status, 200, 'the line of refresh tokens goes on');
});

test.serial('four proxies share one rotating refresh token for seconds: none sends an old one, which would end the line', async (t) => {
  t.timeout(60_000);
  const shortLived = await startAuthorizationServer(authority, 2);
  t.teardown(() => shortLived.stop());
  const fleet = await startFleet(scene.proxy, 3);
  t.teardown(() => fleet.stop());
  const fields = { client_id: 'app', client_secret: CLIENT_SECRET, refresh_token: await shortLived.refreshToken() };
  const grant = await grantFor(refreshTokenTemplate(`${shortLived.url}/token`), fields);
  const proxies = [scene.proxy, ...fleet.proxies];
  const statuses = new Set<number>();
  const until = performance.now() + 4000;
  const client = async (proxy: (typeof proxies)[number]): Promise<void> => {
    while (performance.now() < until) statuses.add((await ask(grant, '/echo', proxy)).status);
  };
  await Promise.all([...proxies, ...proxies].map(client));
  t.deepEqual([...statuses], [200]);
  t.true(shortLived.tokenCalls() >= 8, String(shortLived.tokenCalls()));
  const sent = String(scene.origin.requests.at(-1)?.headers.authorization);
  t.true(await shortLived.accepts(sent));
});

test.serial('a proxy that stops while it renews stores the new refresh token, also when no request waits for it any more', async (t) => {
  const asked: ServerResponse[] = [];
  const endpoint = await startTokenEndpoint(authority, (_call, response) => void asked.push(response));
  t.teardown(() => endpoint.stop());
  const fields = { client_id: 'app', client_secret: CLIENT_SECRET, refresh_token: 'first' };
  const grant = await grantFor(refreshTokenTemplate(`${endpoint.url}/token`), fields);
  const fleet = await startFleet(scene.proxy, 1, { ALTER_SHUTDOWN_DRAIN_TIMEOUT_MS: '1' });
  const told = ask(grant, '/me', fleet.proxies[0]);
  const response = await eventually(() => asked[0], 'the exchange');
  const stopped = fleet.stop();
  // Much longer than a stop with nothing under way takes.
  setTimeout(() => json(response, 200, { access_token: 'x', refresh_token: 'second' }), 500);
  t.is(problemCode(await told), 'shutting_down');
  await stopped;
  const { secretId } = await scene.proxy.administration.showGrant(grant);
  const standing = await new SealedRecords('default', scene.proxy.store, scene.proxy.keyring).read('secret', secretId);
  t.like(standing?.record, { fields: { refresh_token: 'second' }, renewal: undefined });
});

const HOSTILE: Readonly<Record<string, readonly [rule: string, answer: (response: ServerResponse) => void]>> = {
  html: ['endpoint_answer', (response) => response.setHeader('Content-Type', 'text/html').end(`<h1>${LEAK}</h1>`)],
  redirect: ['endpoint_answer', (response) => response.writeHead(302, { Location: `/elsewhere?${LEAK}` }).end(LEAK)],
  'error with a secret': [
    'invalid_grant',
    (response) =>
      json(response, 400, { error: 'invalid_grant', error_description: `${LEAK} ${CLIENT_SECRET}`, error_uri: `https://${LEAK}` }),
  ],
  'unknown error': ['endpoint_failed', (response) => json(response, 400, { error: LEAK })],
  'server error': ['endpoint_failed', (response) => response.writeHead(500, { 'X-Debug': LEAK }).end(LEAK)],
  'too large': ['endpoint_answer', (response) => json(response, 200, { access_token: 'x', filler: LEAK.repeat(5000) })],
  'another type of token': ['endpoint_answer', (response) => json(response, 200, { access_token: LEAK, token_type: 'mac' })],
  'an expiry that cannot be': ['endpoint_answer', (response) => json(response, 200, { access_token: LEAK, expires_in: -5 })],
  'a token with a line break': ['endpoint_answer', (response) => json(response, 200, { access_token: `x\r\nX-Evil: ${LEAK}` })],
  reset: ['endpoint_unreachable', (response) => response.destroy()],
  'cut off': [
    'endpoint_unreachable',
    (response) => {
      response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': '1000' });
      response.write(`{"access_token":"${LEAK}"`, () => response.destroy());
    },
  ],
  stall: ['endpoint_timeout', () => undefined],
  drip: [
    'endpoint_timeout',
    (response) => response.writeHead(200, { 'Content-Type': 'application/json' }).write(`{"access_token":"${LEAK}`),
  ],
};

function json(response: ServerResponse, status: number, document: unknown): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(document));
}

test.serial('an endpoint that fails, stalls or lies: a clear code, nothing injected, nothing leaked', async (t) => {
  t.timeout(60_000);
  const endpoint = await startTokenEndpoint(authority, ({ url }, response) => HOSTILE[decodeURIComponent(url.slice(1))]?.[1](response));
  t.teardown(() => endpoint.stop());
  const reached = scene.origin.requests.length;
  const values = { client_id: 'robot', client_secret: CLIENT_SECRET };
  await Promise.all(
    Object.entries(HOSTILE).map(async ([name, [rule]]) => {
      const grant = await grantFor(clientCredentialsTemplate(`${endpoint.url}/${name.replaceAll(' ', '%20')}`), values);
      const answer = await ask(grant);
      t.is(answer.status, 503, name);
      t.like(JSON.parse(answer.body), { code: 'credential_unavailable', rule }, name);
      t.false(JSON.stringify([answer.body, answer.rawHeaders]).includes('leak-4f1d') || answer.body.includes(CLIENT_SECRET), name);
      t.like(await scene.proxy.eventOf(answer), { code: 'credential_unavailable', injected: [] }, name);
    }),
  );
  t.is(scene.origin.requests.length, reached);
  t.is(endpoint.calls.length, Object.keys(HOSTILE).length, 'each was asked once');
  await assertUnseen(t, LEAK, CLIENT_SECRET);
});

test.serial('an endpoint that nobody trusts, or that stands where the proxy may not connect to, is not asked', async (t) => {
  const strangers = makeTestAuthority();
  const endpoint = await startTokenEndpoint(strangers, (_call, response) => json(response, 200, { access_token: 'x' }));
  t.teardown(() => endpoint.stop());
  const values = { client_id: 'robot', client_secret: CLIENT_SECRET };
  for (const [url, rule] of [
    [endpoint.url, 'endpoint_tls'],
    [endpoint.url.replace('localhost', '127.0.0.1'), 'endpoint_blocked'],
    ['https://169.254.169.254', 'endpoint_blocked'],
  ] as const) {
    const answer = await ask(await grantFor(clientCredentialsTemplate(`${url}/token`), values));
    t.is(problemCode(answer), 'credential_unavailable', url);
    t.is((JSON.parse(answer.body) as { readonly rule: string }).rule, rule, url);
  }
  t.is(endpoint.calls.length, 0);
});

test.serial('a GitHub App and a Google service account prove themselves to whoever has their public key', async (t) => {
  const { pkcs1, pkcs8, publicKey } = rsaPair();
  const verified = async (jwt: string | undefined, audience?: string): Promise<boolean> => {
    await jwtVerify(jwt ?? '', publicKey, { algorithms: ['RS256'], ...(audience === undefined ? {} : { audience }) });
    return true;
  };
  const endpoint = await startTokenEndpoint(authority, async ({ url, headers, body }: TokenCall, response) => {
    if (url === '/api/v3/app/installations/77/access_tokens' && (await verified(headers.authorization?.replace('Bearer ', '')))) {
      json(response, 201, { token: 'ghs_derived-1', expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    } else if (url === '/token' && (await verified(new URLSearchParams(body).get('assertion') ?? '', `${endpoint.url}/token`))) {
      json(response, 200, { access_token: 'ya29.derived-2', token_type: 'Bearer', expires_in: 3599 });
    } else json(response, 404, {});
  });
  t.teardown(() => endpoint.stop());
  const file = { multiline: true as const, label: 'Key', secret: true };
  const github = derivedTemplate(
    { kind: 'github_app', appId: '1', privateKey: '{key}', installationId: '77', apiUrl: `${endpoint.url}/api/v3` },
    [],
    { fields: { key: file } },
  );
  const google = derivedTemplate(
    { kind: 'google_service_account', serviceAccount: '{key}', scope: 's', tokenUrl: `${endpoint.url}/token` },
    [],
    { fields: { key: file } },
  );
  const keyFile = JSON.stringify(
    { type: 'service_account', client_email: 'bot@x.iam.gserviceaccount.com', private_key: pkcs8 },
    undefined,
    2,
  );
  for (const [template, key, token] of [
    [github, pkcs1, 'ghs_derived-1'],
    [google, keyFile, 'ya29.derived-2'],
  ] as const) {
    t.is((await ask(await grantFor(template, { key }), '/echo')).status, 200);
    t.is(scene.origin.requests.at(-1)?.headers.authorization, `Bearer ${token}`);
  }
  await assertUnseen(t, 'ghs_derived-1', 'ya29.derived-2', pkcs1.slice(40, 90), pkcs8.slice(40, 90));
});

test.serial(
  'a token that the provider takes no more is replaced after a 401, and a GET is sent again once; a POST gets its 401',
  async (t) => {
    const endpoint = await startTokenEndpoint(authority, (_call, response) => {
      json(response, 200, { access_token: `revocable-${String(endpoint.calls.length)}`, expires_in: 3600 });
    });
    t.teardown(() => endpoint.stop());
    const grant = await grantFor(clientCredentialsTemplate(`${endpoint.url}/token`), { client_id: 'robot', client_secret: CLIENT_SECRET });
    wanted = 'revocable-1';
    t.is((await ask(grant, '/revocable')).status, 200);
    wanted = 'revocable-2';
    const post = await requestThrough(scene.proxy, { url: `${scene.origin.url}/revocable`, method: 'POST', body: 'x', grant });
    t.is(post.status, 401);
    t.is((await scene.proxy.eventOf(post)).retries, 0);
    // A token that is brand-new is not replaced: a provider that answers 401 to a good one would make the proxy ask without end.
    const answer = await eventually(async () => {
      const got = await ask(grant, '/revocable');
      return got.status === 200 ? got : undefined;
    }, 'a new token');
    t.is((await scene.proxy.eventOf(answer)).retries, 1);
    t.is(endpoint.calls.length, 2);
    wanted = 'none at all';
    const reached = scene.origin.requests.length;
    t.is((await ask(grant, '/revocable')).status, 401);
    t.true(scene.origin.requests.length - reached <= 2, 'no third try');
  },
);
