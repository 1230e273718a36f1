/** Contract: one token serves all requests, is renewed by the traffic before its end, and a failing endpoint is neither hammered nor trusted. */
import { inspect } from 'node:util';
import test from 'ava';
import { AlterError } from '../../../../src/errors.ts';
import { HeaderList } from '../../../../src/message/header-list.ts';
import { headers, lines } from '../../../support/headers.ts';
import { draft } from '../../../support/injection.ts';
import { CLIENT_SECRET, clientCredentialsTemplate, FakeEndpoint, jsonAnswer, secrets, sentBy } from '../../../support/derived.ts';

const answered = (status: number) => ({ status, reason: '', headers: new HeaderList() });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('a hundred first requests wait for one token; later ones take it without a promise', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  t.deepEqual(injection.writes, ['header:authorization']);
  t.is(endpoint.requests.length, 0);
  const sent = await Promise.all(Array.from({ length: 100 }, () => sentBy(injection)));
  t.deepEqual([...new Set(sent)], ['Authorization: Bearer token-1']);
  t.is(endpoint.requests.length, 1);
  t.is(injection.apply(draft('/')), undefined);
});

test('from 80 % of its life on a token is renewed in the background, once, and serves until the new one is there', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  endpoint.now += 2_879_000;
  t.is(await sentBy(injection), 'Authorization: Bearer token-1');
  t.is(endpoint.requests.length, 1);
  endpoint.now += 1000;
  t.is(injection.apply(draft('/')), undefined);
  t.is(injection.apply(draft('/')), undefined);
  await settled();
  t.is(endpoint.requests.length, 2);
  t.is(await sentBy(injection), 'Authorization: Bearer token-2');
});

test('jitter lets proxies ask a little earlier, never later', async (t) => {
  const endpoint = new FakeEndpoint();
  endpoint.random = 1;
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  endpoint.now += 2_520_000;
  await sentBy(injection);
  await settled();
  t.is(endpoint.requests.length, 2);
});

test('a minute before its end a token is used no more, and nothing is injected while there is no other', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  endpoint.answer = () => jsonAnswer({ error: 'invalid_client' }, 401);
  endpoint.now += 3_539_999;
  t.is(await sentBy(injection), 'Authorization: Bearer token-1');
  await settled();
  endpoint.now += 1;
  const request = draft('/', 'authorization: mine');
  await t.throwsAsync(async () => injection.apply(request), { instanceOf: AlterError });
  t.deepEqual(lines(request.headers), ['authorization: mine']);
});

test('a short life keeps a quarter of it as margin; a long one ends after a day; one that is not told after ten minutes', async (t) => {
  for (const [expiresIn, good, over] of [
    [8, 5999, 6000],
    [315_360_000, 86_399_999 - 60_000, 86_400_000 - 60_000],
    [undefined, 539_999, 540_000],
    ['3600', 3_539_999, 3_540_000],
  ] as const) {
    const endpoint = new FakeEndpoint();
    endpoint.expiresIn = expiresIn;
    const injection = endpoint.clientCredentials();
    await sentBy(injection);
    endpoint.answer = () => Promise.reject(new AlterError('upstream_unreachable'));
    endpoint.now += good;
    t.is(await sentBy(injection), 'Authorization: Bearer token-1', String(expiresIn));
    await settled();
    endpoint.now += over - good;
    t.is(await sentBy(injection), 'credential_unavailable:endpoint_unreachable', String(expiresIn));
  }
});

test('a clock that was put back makes a token no younger', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  endpoint.now -= 1;
  t.is(await sentBy(injection), 'Authorization: Bearer token-2');
});

test('a failure is remembered: for a second, then for longer, up to a minute; Retry-After says so, and success forgets it', async (t) => {
  const endpoint = new FakeEndpoint();
  const { answer } = endpoint;
  endpoint.answer = () => Promise.reject(new AlterError('upstream_timeout', { detail: 'auth.example.com did not answer' }));
  const injection = endpoint.clientCredentials();
  for (const [pause, asked] of [
    [1000, 1],
    [2000, 2],
    [4000, 3],
    [8000, 4],
    [16_000, 5],
    [32_000, 6],
    [60_000, 7],
    [60_000, 8],
  ] as const) {
    t.is(await sentBy(injection), 'credential_unavailable:endpoint_timeout');
    endpoint.now += pause - 1;
    const refusal = await t.throwsAsync<AlterError>(async () => injection.apply(draft('/')), { instanceOf: AlterError });
    t.is(refusal.retryAfterS, 1);
    t.is(endpoint.requests.length, asked);
    endpoint.now += 1;
  }
  endpoint.answer = answer;
  t.is(await sentBy(injection), 'Authorization: Bearer token-9');
  t.is(endpoint.failures.length, 8);
});

test('an endpoint that asks for time gets it, up to five minutes', async (t) => {
  const endpoint = new FakeEndpoint();
  endpoint.answer = () => jsonAnswer({}, 429, ['Retry-After', '999999']);
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  endpoint.now += 299_999;
  await sentBy(injection);
  t.is(endpoint.requests.length, 1);
  endpoint.now += 1;
  await sentBy(injection);
  t.is(endpoint.requests.length, 2);
});

test('Retry-After may be a date, by the clock of the endpoint', async (t) => {
  const date = 'Fri, 06 Nov 2015 08:49:37 GMT';
  for (const [until, from, seconds] of [
    ['Fri, 06 Nov 2015 08:50:37 GMT', date, 60],
    ['Friday, 06-Nov-15 08:50:37 GMT', date, 60],
    ['Fri, 06 Nov 2015 09:49:37 GMT', date, 300],
    ['Fri, 06 Nov 2015 08:48:37 GMT', date, 1],
    ['Fri, 06 Nov 2015 08:50:37 GMT', 'now', 1],
    ['soon', date, 1],
    ['2015-11-06T08:50:37Z', date, 1],
  ] as const) {
    const endpoint = new FakeEndpoint();
    endpoint.answer = () => jsonAnswer({}, 503, ['Date', from, 'Retry-After', until]);
    const injection = endpoint.clientCredentials();
    await sentBy(injection);
    endpoint.now += seconds * 1000 - 1;
    await sentBy(injection);
    t.is(endpoint.requests.length, 1, until);
    endpoint.now += 1;
    await sentBy(injection);
    t.is(endpoint.requests.length, 2, until);
  }
});

test('no more than a thousand requests wait; the others are told to come again', async (t) => {
  const endpoint = new FakeEndpoint();
  let release: () => void = () => undefined;
  const { answer } = endpoint;
  endpoint.answer = async (count) => {
    await new Promise<void>((resolve) => (release = resolve));
    return answer(count);
  };
  const injection = endpoint.clientCredentials();
  const waiting = Array.from({ length: 1001 }, () => sentBy(injection));
  await settled();
  t.is(await waiting[1000], 'credential_unavailable:too_many_waiting');
  release();
  t.is(await waiting[999], 'Authorization: Bearer token-1');
});

test('after a 401 a token that was used for a while is replaced, once for all who saw it', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  t.false(await injection.refreshAfter!(answered(403), endpoint.now, draft('/')));
  t.false(await injection.refreshAfter!(answered(401), endpoint.now, draft('/')), 'it is brand-new');
  endpoint.now += 10_000;
  const all = await Promise.all(Array.from({ length: 20 }, async () => injection.refreshAfter!(answered(401), endpoint.now, draft('/'))));
  t.true(all.every(Boolean));
  t.is(endpoint.requests.length, 2);
  t.is(await sentBy(injection), 'Authorization: Bearer token-2');
  t.true(await injection.refreshAfter!(answered(401), endpoint.now + 100, draft('/')), 'it left with the token before');
  t.is(endpoint.requests.length, 2);
});

test('after a slow exchange, too, a 401 to a request that left with the token before is no reason to ask, and its request is sent again', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  const { answer } = endpoint;
  endpoint.answer = (count) => {
    endpoint.now += 2500;
    return answer(count);
  };
  endpoint.now += 10_000;
  t.true(await injection.refreshAfter!(answered(401), endpoint.now, draft('/')));
  endpoint.now += 1999;
  t.true(await injection.refreshAfter!(answered(401), endpoint.now, draft('/')));
  endpoint.now += 1;
  t.false(await injection.refreshAfter!(answered(401), endpoint.now, draft('/')), 'it left with the new token');
  t.is(endpoint.requests.length, 2);
});

test('a provider that refuses good tokens, too, makes the proxy ask more and more rarely', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  for (let second = 0; second < 600; second += 1) {
    endpoint.now += 1000;
    await injection.refreshAfter!(answered(401), endpoint.now, draft('/'));
  }
  t.true(endpoint.requests.length <= 9, String(endpoint.requests.length));
  await injection.refreshAfter!(answered(200), endpoint.now, draft('/'));
  endpoint.now += 6000;
  const before = endpoint.requests.length;
  t.true(await injection.refreshAfter!(answered(401), endpoint.now, draft('/')));
  t.is(endpoint.requests.length, before + 1);
});

test('a refresh after a 401 that fails is no second try, and the token that is there serves on', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  await sentBy(injection);
  endpoint.now += 10_000;
  endpoint.answer = () => jsonAnswer({ error: 'temporarily_unavailable' }, 503);
  t.false(await injection.refreshAfter!(answered(401), endpoint.now, draft('/')));
  t.is(await sentBy(injection), 'Authorization: Bearer token-1');
});

test('the tokens belong to one state of a secret: what an operator changes ends them, a renewed refresh token does not', async (t) => {
  const endpoint = new FakeEndpoint();
  const prepare = endpoint.prepare();
  const values = secrets({ client_id: 'me', client_secret: CLIENT_SECRET });
  const template = clientCredentialsTemplate('https://auth.example.com/token');
  const sent = (lineage: string, own = template) => sentBy(prepare(own, values, { ...endpoint.owner, lineage }));
  t.is(await sent('1.1'), 'Authorization: Bearer token-1');
  t.is(await sent('1.1', structuredClone(template)), 'Authorization: Bearer token-1');
  t.is(await sent('2.2'), 'Authorization: Bearer token-2');
  t.is(await sent('2.2', clientCredentialsTemplate('https://auth.example.com/other')), 'Authorization: Bearer token-3');
  t.is(await sentBy(prepare(template, values, { ...endpoint.owner, app: 'other', lineage: '2.2' })), 'Authorization: Bearer token-4');
});

test('stored values and every token that still counts are removed from answers; ended ones are not looked for', async (t) => {
  const endpoint = new FakeEndpoint();
  const injection = endpoint.clientCredentials();
  const scrubbed = (value: string): boolean => {
    const list = headers(`x-leak: ${value}`);
    injection.scrub(list);
    return lines(list).length === 0;
  };
  t.true(scrubbed(`a ${CLIENT_SECRET} b`));
  await sentBy(injection);
  endpoint.now += 3_000_000;
  await sentBy(injection);
  await settled();
  t.is(await sentBy(injection), 'Authorization: Bearer token-2');
  t.true(scrubbed('token-1'));
  t.true(scrubbed(Buffer.from('x token-2 y').toString('base64')));
  t.false(scrubbed('token-3'));
  endpoint.now += 600_000;
  t.false(scrubbed('token-1'));
});

test('no secret is reachable from what was prepared', async (t) => {
  const injection = new FakeEndpoint().clientCredentials();
  await sentBy(injection);
  const seen = inspect(injection, { depth: 20, showHidden: true }) + JSON.stringify(injection);
  t.false(seen.includes(CLIENT_SECRET) || seen.includes('token-1'));
});
