/**
 * Contract: policies on the running proxy. Rules of every place hold from the next request on, also when the cache is hot; a rate is exact over
 * two proxies on one Redis; what cannot be counted or evaluated denies; rules in mode `warn` pass and are recorded; the answers say how much is
 * left, and which rule refused.
 */
import { createHash, randomBytes } from 'node:crypto';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { startProxy } from '../../src/app.ts';
import type { RunningProxy } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';
import type { Rule } from '../../src/policy/rules.ts';
import { reveal } from '../../src/secret/reveal.ts';
import type { RecordRef } from '../../src/store/store.ts';
import { seal } from '../../src/vault/sealing.ts';
import { ConnectRefused, openTls, problemCode, requestThrough } from '../support/client.ts';
import type { ClientAnswer, ClientRequest, ProxyTarget } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startRedis } from '../support/redis.ts';
import type { RedisServer } from '../support/redis.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const GET = { kind: 'methods', allow: ['GET'] };

let redis: RedisServer;
let onRedis: Scene;
let embedded: Scene;
/** A second proxy on the same Redis, with the same keys. */
let second: RunningProxy;

test.before(async () => {
  redis = await startRedis();
  onRedis = await startScene({ config: { store: { kind: 'redis', url: redis.url } } });
  embedded = await startScene({ config: { listen: { port: 0, trusted_proxies: ['127.0.0.1'] } } });
  const { home, key } = onRedis.proxy;
  second = await startProxy(loadConfig({ home, env: { ALTER_KEY: key } }), { log: createLogger('silent') });
});
test.after.always(async () => {
  await second.stop();
  await onRedis.stop();
  await embedded.stop();
  await redis.stop();
});

/** The answer to a request, or to the CONNECT before it. */
async function send(
  scene: Scene,
  grant: string,
  request: Partial<ClientRequest> = {},
  proxy: ProxyTarget = scene.proxy,
): Promise<ClientAnswer> {
  try {
    return await requestThrough(proxy, { url: `${scene.origin.url}/echo`, grant, ...request });
  } catch (error) {
    if (error instanceof ConnectRefused) return error.answer;
    throw error;
  }
}

function problem({ body }: ClientAnswer): { readonly code: string; readonly rule?: string; readonly detail?: string } {
  return JSON.parse(body) as { readonly code: string; readonly rule?: string; readonly detail?: string };
}

/** Sends until the answer has `status`, for at most the second in which a change must hold. */
function untilStatus(
  scene: Scene,
  grant: string,
  status: number,
  request: Partial<ClientRequest> = {},
  withinMs = 1000,
): Promise<ClientAnswer> {
  return eventually(
    async () => {
      const answer = await send(scene, grant, request);
      return answer.status === status ? answer : undefined;
    },
    `status ${String(status)}`,
    withinMs,
  );
}

for (const [name, scene] of [
  ['redis', () => onRedis],
  ['embedded', () => embedded],
] as const) {
  test.serial(`${name}: a policy of every place holds while the cache is hot, and its refusal names rule and place`, async (t) => {
    const { proxy } = scene();
    const grant = await scene().grant();
    const { secretId } = await proxy.administration.showGrant(grant);
    const post = { method: 'POST', body: 'x' };
    const places = [
      { at: 'app' },
      { at: 'provider', slug: 'custom-bearer' },
      { at: 'secret', secret: secretId },
      { at: 'grant', grant },
    ] as const;
    for (const place of places) {
      t.is((await send(scene(), grant, post)).status, 200, place.at);
      await proxy.administration.setPolicy(place, [{ ...GET, name: 'read-only' }]);
      const refused = name === 'embedded' ? await send(scene(), grant, post) : await untilStatus(scene(), grant, 403, post);
      t.deepEqual([problem(refused).code, problem(refused).rule], ['policy_violation', 'read-only'], place.at);
      t.is((await proxy.eventOf(refused)).rule, `${place.at}:read-only`);
      t.is((await send(scene(), grant)).status, 200, place.at);
      await proxy.administration.setPolicy(place, []);
      if (name === 'redis') await untilStatus(scene(), grant, 200, post);
    }
  });

  test.serial(`${name}: a rule in mode warn passes and is recorded`, async (t) => {
    const { proxy } = scene();
    const grant = await scene().grant();
    const rules = [
      { ...GET, mode: 'warn' as const },
      { kind: 'rate', limit: 1, window: 'hour', mode: 'warn' as const },
    ];
    await proxy.administration.setPolicy({ at: 'grant', grant }, rules);
    const first = await send(scene(), grant);
    t.is(first.status, 200);
    t.is(first.headers['ratelimit'], undefined);
    t.deepEqual((await proxy.eventOf(first)).warnings, []);
    const next = await send(scene(), grant, { method: 'POST', body: 'x' });
    t.is(next.status, 200);
    const event = await proxy.eventOf(next);
    t.deepEqual([event.outcome, event.rule, event.warnings], ['success', null, ['grant:methods', 'grant:rate']]);
  });

  test.serial(`${name}: a rate answers how much is left, then 429 with Retry-After, and a refused request is not forwarded`, async (t) => {
    const { proxy, origin } = scene();
    const grant = await scene().grant();
    await proxy.administration.setPolicy({ at: 'grant', grant }, [{ kind: 'rate', limit: 2, window: 'hour', name: 'quota' }, GET]);
    t.is((await send(scene(), grant, { method: 'POST', body: 'x' })).status, 403, 'what another rule refuses costs nothing');
    const first = await send(scene(), grant);
    t.is(first.headers['ratelimit-policy'], '"grant:quota";q=2;w=3600');
    t.regex(String(first.headers['ratelimit']), /^"grant:quota";r=1;t=(3600|35\d\d)$/);
    t.regex(String((await send(scene(), grant)).headers['ratelimit']), /r=0;/);
    const forwarded = origin.requests.length;
    const refused = await send(scene(), grant);
    t.is(refused.status, 429);
    t.deepEqual([problem(refused).code, problem(refused).rule], ['rate_limited', 'quota']);
    t.true(Number(refused.headers['retry-after']) > 3000 && Number(refused.headers['retry-after']) <= 3600);
    t.regex(String(refused.headers['ratelimit']), /r=0;t=3/);
    t.is(refused.headers['ratelimit-policy'], '"grant:quota";q=2;w=3600');
    t.is(origin.requests.length, forwarded);
    t.is((await proxy.eventOf(refused)).rule, 'grant:quota');
  });

  test.serial(`${name}: requests under way are bounded, and a place is given back however a request ends`, async (t) => {
    const { proxy, origin } = scene();
    const grant = await scene().grant();
    await proxy.administration.setPolicy({ at: 'grant', grant }, [{ kind: 'concurrency', max: 1 }]);
    t.is((await send(scene(), grant)).status, 200);
    const before = origin.requests.length;
    const slow = send(scene(), grant, { url: `${origin.url}/slow-headers` });
    await origin.until(() => origin.requests.length > before);
    const refused = await send(scene(), grant);
    t.deepEqual([refused.status, problem(refused).code, problem(refused).rule], [429, 'rate_limited', 'concurrency']);
    origin.release();
    t.is((await slow).status, 200);
    t.is((await send(scene(), grant)).status, 200);
    // A client that leaves in the middle gives its place back, too: once it is clear that it has not only ended its request.
    const leaving = await openTls(proxy, scene().authority);
    const asked = origin.requests.length;
    leaving.write(`GET /slow-headers HTTP/1.1\r\nHost: ${scene().authority}\r\nX-Alter-Grant: ${grant}\r\n\r\n`);
    await origin.until(() => origin.requests.length > asked);
    leaving.destroy();
    await untilStatus(scene(), grant, 200, {}, 5000);
    origin.release();
  });

  test.serial(`${name}: what finds no place costs no rate, and what a rate refuses keeps no place`, async (t) => {
    const { proxy, origin } = scene();
    const grant = await scene().grant();
    const rules = [
      { kind: 'rate', limit: 2, window: 'hour' },
      { kind: 'concurrency', max: 1 },
    ];
    await proxy.administration.setPolicy({ at: 'grant', grant }, rules);
    const before = origin.requests.length;
    const slow = send(scene(), grant, { url: `${origin.url}/slow-headers` });
    await origin.until(() => origin.requests.length > before);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const refused = await send(scene(), grant);
      t.deepEqual([refused.status, problem(refused).rule], [429, 'concurrency']);
      t.is(refused.headers['ratelimit'], undefined);
    }
    origin.release();
    t.is((await slow).status, 200);
    t.is((await send(scene(), grant)).status, 200, 'one of two was left');
    for (let attempt = 0; attempt < 3; attempt += 1) t.is(problem(await send(scene(), grant)).rule, 'rate');
  });
}

test.serial('a form that is too long for a rule in mode warn arrives whole', async (t) => {
  const { proxy, origin } = embedded;
  const grant = await embedded.grant();
  const rule = { kind: 'aws', actions: ['sqs:*'] };
  await proxy.administration.setPolicy({ at: 'grant', grant }, [{ ...rule, mode: 'warn' }]);
  const body = randomBytes(3 * 1024 * 1024);
  const type = ['Content-Type', 'application/x-www-form-urlencoded'];
  for (const framing of [
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', String(body.length)],
  ]) {
    const answer = await send(embedded, grant, { method: 'POST', headers: [...type, ...framing], body });
    t.is(answer.status, 200);
    t.is(origin.requests.at(-1)?.bodySha256, createHash('sha256').update(body).digest('hex'), framing[0]);
    t.like(await proxy.eventOf(answer), { outcome: 'success', warnings: ['grant:aws'], bytesIn: body.length });
  }
  await proxy.administration.setPolicy({ at: 'grant', grant }, [rule]);
  const before = origin.requests.length;
  const refused = await send(embedded, grant, { method: 'POST', headers: [...type, 'Transfer-Encoding', 'chunked'], body });
  t.deepEqual([refused.status, origin.requests.length], [403, before]);
});

test.serial('a new label is no fresh count: rate and concurrency hold for all that an agent issued for itself on the secret', async (t) => {
  const { proxy, origin } = embedded;
  const { administration } = proxy;
  await administration.agents.create({ name: 'bot' });
  const key = reveal((await administration.createKey({ name: 'bot', agent: 'bot' })).key);
  const issuing = async (rule: Rule) => {
    const { secretId: secret } = await administration.showGrant(await embedded.grant());
    await administration.allowAgent('bot', secret);
    await administration.setPolicy({ at: 'secret', secret }, [rule]);
    return { secret, issue: async (label: string) => (await administration.issueGrantForAgent('bot', { secret, label })).grant.id };
  };

  const quota = await issuing({ kind: 'rate', limit: 2, window: 'hour' });
  const statuses: number[] = [];
  for (const label of ['a', 'b', 'c', 'd']) statuses.push((await send(embedded, await quota.issue(label), { key })).status);
  t.deepEqual(statuses, [200, 200, 429, 429]);
  const byOperator = { secret: quota.secret, label: 'a', principal: { type: 'agent', agent: 'bot' } } as const;
  const { id } = await administration.issueGrant(byOperator);
  t.is((await send(embedded, id, { key })).status, 200, 'a grant by the operator counts for itself');

  const slots = await issuing({ kind: 'concurrency', max: 1 });
  const [one, two] = [await slots.issue('a'), await slots.issue('b')];
  const before = origin.requests.length;
  const slow = send(embedded, one, { key, url: `${origin.url}/slow-headers` });
  await origin.until(() => origin.requests.length > before);
  t.is((await send(embedded, two, { key })).status, 429);
  origin.release();
  t.is((await slow).status, 200);
  t.is((await send(embedded, two, { key })).status, 200);
});

test.serial('a rate is exact over two proxies on one Redis', async (t) => {
  const grant = await onRedis.grant();
  await onRedis.proxy.administration.setPolicy({ at: 'grant', grant }, [{ kind: 'rate', limit: 30, window: 'hour' }]);
  const other = { host: second.address.host, port: second.address.port, ca: onRedis.proxy.ca };
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, index) => send(onRedis, grant, {}, index % 2 === 0 ? onRedis.proxy : other)),
  );
  const statuses = answers.map(({ status }) => status);
  t.is(statuses.filter((status) => status === 200).length, 30);
  t.is(statuses.filter((status) => status === 429).length, 30);
});

test.serial('CEL, url, ip behind a trusted proxy, query, reason and context are judged on the running proxy', async (t) => {
  const grant = await embedded.grant();
  const set = (rule: object) => embedded.proxy.administration.setPolicy({ at: 'grant', grant }, [rule as never]);
  const status = async (request: Partial<ClientRequest> = {}) => (await send(embedded, grant, request)).status;
  await set({ kind: 'cel', expression: 'request.method == "GET" && context.tool == "search"' });
  t.is(await status({ headers: ['X-Alter-Context', 'tool=search'] }), 200);
  t.is(await status({ headers: ['X-Alter-Context', 'tool=delete'] }), 403);
  const failed = await send(embedded, grant);
  t.deepEqual([failed.status, problem(failed).detail], [503, 'the rule failed on this request']);
  await set({ kind: 'url', paths: ['/echo'] });
  t.is(await status(), 200);
  t.is(await status({ url: `${embedded.origin.url}/echo/` }), 403);
  await set({ kind: 'ip', allow: ['198.51.100.0/24'] });
  t.is(await status(), 403);
  const answer = await send(embedded, grant, { connectHeaders: ['X-Forwarded-For', '1.1.1.1, 198.51.100.7'] });
  t.is(answer.status, 200);
  t.is((await embedded.proxy.eventOf(answer)).clientAddress, '198.51.100.7');
  t.is(await status({ headers: ['X-Forwarded-For', '198.51.100.7'] }), 403, 'inside CONNECT the field is the client’s own');
  await set({ kind: 'query', forbid: ['debug'] });
  t.is(await status({ url: `${embedded.origin.url}/echo?a=1` }), 200);
  t.is(await status({ url: `${embedded.origin.url}/echo?%64ebug=1` }), 403);
  await set({ kind: 'require_reason', min_length: 5 });
  t.is(await status({ headers: ['X-Alter-Reason', 'nightly'] }), 200);
  t.is(await status(), 403);
});

test.serial('a rule about paths sees one path, whatever the client writes where the credential goes', async (t) => {
  await embedded.proxy.administration.addProvider({
    ...{ slug: 'in-path', name: 'In the path', category: 'test', hosts: ['localhost'], confidence: 'high' },
    fields: { token: { label: 'Token', secret: true } },
    inject: [{ kind: 'path', format: 'bot{token}' }],
  });
  const grant = await embedded.grant({ provider: 'in-path', fields: { token: '12345:abcdef' } });
  const status = async (path: string) => (await send(embedded, grant, { url: `${embedded.origin.url}${path}` })).status;
  const spellings = ['/wipe', '/botx/wipe', `/botalter_grant_${grant}/wipe`];
  const rules = [
    { kind: 'url', deny_paths: ['/wipe'] },
    { kind: 'cel', expression: 'request.path != "/wipe"' },
    { kind: 'url', paths: ['/echo'] },
  ];
  for (const rule of rules) {
    await embedded.proxy.administration.setPolicy({ at: 'grant', grant }, [rule]);
    for (const path of spellings) t.is(await status(path), 403, path);
    for (const path of spellings) t.not(await status(path.replace('wipe', 'echo')), 403, path);
  }
});

test.serial('a rule about the query sees one query, whatever the client writes where the credential goes', async (t) => {
  await embedded.proxy.administration.addProvider({
    ...{ slug: 'in-query', name: 'In the query', category: 'test', hosts: ['localhost'], confidence: 'high' },
    fields: { key: { label: 'Key', secret: true } },
    inject: [{ kind: 'query', name: 'api_key', format: '{key}' }],
  });
  const grant = await embedded.grant({ provider: 'in-query', fields: { key: 'sk-in-the-query' } });
  const answerTo = (query: string) => send(embedded, grant, { url: `${embedded.origin.url}/echo?${query}` });
  for (const rule of [
    { kind: 'query', allow: ['limit'] },
    { kind: 'cel', expression: 'request.query.all(name, name in ["limit"])' },
  ]) {
    await embedded.proxy.administration.setPolicy({ at: 'grant', grant }, [rule]);
    for (const own of ['', '&api_key=mine', `&api_key=alter_grant_${grant}`, '&api%5Fkey=mine', ';api_key=mine']) {
      t.is((await answerTo(`limit=1${own}`)).status, 200, own);
      t.is(embedded.origin.requests.at(-1)?.url, '/echo?limit=1&api_key=sk-in-the-query');
      t.is((await answerTo(`limit=1&debug=1${own}`)).status, 403, own);
    }
  }
});

test.serial('rules judge the headers that leave: not what Connection names', async (t) => {
  await embedded.proxy.administration.addProvider({
    ...{ slug: 'like-aws', name: 'Like AWS', category: 'test', hosts: ['localhost'], confidence: 'high' },
    fields: { id: { label: 'Key id', secret: false }, key: { label: 'Key', secret: true } },
    inject: [{ kind: 'sigv4', accessKeyId: '{id}', secretAccessKey: '{key}' }],
  });
  const grant = await embedded.grant({ provider: 'like-aws', fields: { id: 'AKIDEXAMPLE', key: 'wJalrXUtnFEMI' } });
  await embedded.proxy.administration.setPolicy({ at: 'grant', grant }, [{ kind: 'aws', actions: ['sqs:GetQueueUrl'] }]);
  const signature = 'Credential=alter/20200101/eu-central-1/sqs/aws4_request, SignedHeaders=host;x-amz-date, Signature=00';
  const signed = ['X-Amz-Date', '20200101T000000Z', 'Authorization', `AWS4-HMAC-SHA256 ${signature}`];
  const status = async (fields: readonly string[], body: string) =>
    (await send(embedded, grant, { url: `${embedded.origin.url}/`, method: 'POST', headers: [...signed, ...fields], body })).status;
  const form = ['Content-Type', 'application/x-www-form-urlencoded'];
  const target = ['X-Amz-Target', 'AmazonSQS.GetQueueUrl', 'Content-Type', 'application/x-amz-json-1.0'];
  t.is(await status(target, '{}'), 200);
  t.is(await status(form, 'Action=GetQueueUrl'), 200);
  t.is(await status([...target, 'Connection', 'keep-alive'], '{}'), 200);
  t.is(await status([...target, 'Connection', 'x-amz-target, content-type'], 'Action=DeleteQueue'), 403);
  t.is(await status([...form, 'Connection', 'Content-Type'], 'Action=GetQueueUrl'), 403, 'the type of what leaves is not known');
  t.is(await status(['X-Amz-Target', 'AmazonSQS.DeleteQueue', ...form, 'Connection', 'X-Amz-Target'], 'Action=GetQueueUrl'), 200);
  t.false(embedded.origin.requests.at(-1)?.rawHeaders.includes('X-Amz-Target'));
});

test.serial('a name that objects of JavaScript have is judged like any other', async (t) => {
  const grant = await embedded.grant();
  const expression = 'request.query.all(name, name in ["limit"]) && !("debug" in context)';
  await embedded.proxy.administration.setPolicy({ at: 'grant', grant }, [{ kind: 'cel', expression }]);
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    t.is((await send(embedded, grant, { url: `${embedded.origin.url}/echo?${name}=1` })).status, 403, name);
    t.is((await send(embedded, grant, { headers: ['X-Alter-Context', `${name}=1`] })).status, 200, name);
  }
});

test.serial('a name with underscores for X-Alter-Grant is refused, and nothing leaves without its credential', async (t) => {
  const grant = await embedded.grant();
  const before = embedded.origin.requests.length;
  const answer = await requestThrough(embedded.proxy, { url: `${embedded.origin.url}/echo`, headers: ['X_Alter_Grant', grant] });
  t.deepEqual([answer.status, problem(answer).code, embedded.origin.requests.length], [400, 'malformed_request', before]);
  t.regex(problem(answer).detail ?? '', /X-Alter-Grant/);
});

test.serial('a rule of a later version, and a policy record that does not open, deny with 503', async (t: ExecutionContext) => {
  const { store, keyring } = embedded.proxy;
  const grant = await embedded.grant();
  t.is((await send(embedded, grant)).status, 200);
  const ref: RecordRef = { kind: 'policy', app: 'default', id: 'provider.custom-bearer' };
  const standing = await store.get(ref);
  const record = { v: 1, id: ref.id, app: 'default', policy: [{ kind: 'quota', mode: 'warn' }], createdAt: 1, updatedAt: 1 };
  const newer = await seal(keyring, ref, record);
  t.true(await store.put(ref, standing, newer));
  const refused = await send(embedded, grant);
  t.deepEqual([refused.status, problem(refused).code, problem(refused).rule], [503, 'policy_unavailable', 'quota']);
  t.is(problem(refused).detail, 'the rule is malformed, or of a kind that this proxy does not know');
  t.true(await store.put(ref, newer, 'broken'));
  const broken = await send(embedded, grant);
  t.deepEqual([broken.status, problemCode(broken)], [503, 'policy_unavailable']);
  t.true(await store.put(ref, 'broken', undefined));
  t.is((await send(embedded, grant)).status, 200);
});

test.serial('a store that is gone counts nothing, and denies with 503', async (t) => {
  const grant = await onRedis.grant();
  await onRedis.proxy.administration.setPolicy({ at: 'grant', grant }, [{ kind: 'rate', limit: 1000, window: 'hour' }]);
  t.is((await send(onRedis, grant)).status, 200);
  await redis.kill();
  // For a moment the cache may still be served; the count may not.
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const answer = await send(onRedis, grant);
    t.deepEqual([answer.status, problemCode(answer)], [503, 'store_unavailable']);
  }
  await redis.restart();
});
