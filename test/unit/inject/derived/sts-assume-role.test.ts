/** Contract: a role is assumed with a signed request that STS can verify, and what it gives signs the requests of the client. */
import { createHash, createHmac } from 'node:crypto';
import test from 'ava';
import { HeaderList } from '../../../../src/message/header-list.ts';
import { prepareOffline } from '../../../../src/inject/prepare.ts';
import type { TokenAnswer, TokenRequest } from '../../../../src/inject/derived/token.ts';
import type { AssumeRoleDerivation } from '../../../../src/providers/derivation.ts';
import type { ProviderTemplate } from '../../../../src/providers/template.ts';
import { headers } from '../../../support/headers.ts';
import { draft } from '../../../support/injection.ts';
import { derivedTemplate, FakeEndpoint, secrets, sentBy } from '../../../support/derived.ts';
import { failureOf } from '../../../support/refusal.ts';

const KEY = { id: 'AKIDEXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const ROLE = 'arn:aws:iam::123456789012:role/team/reader';
const NAMES = ['access_key_id_base', 'secret_access_key_base', 'role'];
const VALUES = { access_key_id_base: KEY.id, secret_access_key_base: KEY.secret, role: ROLE };

function template(more: Partial<AssumeRoleDerivation> = {}): ProviderTemplate {
  const base = {
    accessKeyId: '{access_key_id_base}',
    secretAccessKey: '{secret_access_key_base}',
    roleArn: '{role}',
    region: 'eu-central-1',
  };
  return derivedTemplate(
    { kind: 'sts_assume_role', ...base, ...more },
    NAMES,
    { fields: { external: { label: 'E', secret: true, optional: true } } },
    [
      {
        kind: 'sigv4',
        accessKeyId: '{access_key_id}',
        secretAccessKey: '{secret_access_key}',
        sessionToken: '{session_token}',
        region: 'us-east-1',
        service: 'sqs',
      },
    ],
  );
}

function answer(expiration: string, more: { readonly status?: number; readonly body?: string } = {}): TokenAnswer {
  const xml = `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><AssumedRoleUser><Arn>x</Arn></AssumedRoleUser>
    <Credentials><AccessKeyId>ASIADERIVED</AccessKeyId><SecretAccessKey>derived/Secret+key</SecretAccessKey>
    <SessionToken>derivedSessionToken//==</SessionToken><Expiration>${expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`;
  return { status: more.status ?? 200, headers: new HeaderList(['Content-Type', 'text/xml']), body: more.body ?? xml };
}

async function assumed(own: ProviderTemplate, values: Readonly<Record<string, string>> = VALUES, given?: TokenAnswer) {
  const endpoint = new FakeEndpoint();
  endpoint.answer = () => given ?? answer(new Date(endpoint.now + 3_600_000).toISOString());
  const injection = endpoint.prepare()(own, secrets(values), endpoint.owner);
  const sent = await sentBy(injection);
  return { endpoint, injection, sent, request: endpoint.requests[0]! };
}

/** The signature of a request as AWS calculates it ("Create a signed AWS API request"), from what arrived and nothing else. */
function signatureOf({ method, url, headers: flat, body = '' }: TokenRequest): { readonly is: string; readonly should: string } {
  const list = new HeaderList(flat);
  const { host, pathname } = new URL(url);
  const [, scope = '', signed = '', is = ''] =
    /Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)/.exec(list.get('authorization') ?? '') ?? [];
  const sha = (text: string): string => createHash('sha256').update(text).digest('hex');
  const fields = signed.split(';').map((name) => `${name}:${name === 'host' ? host : (list.get(name) ?? '')}\n`);
  const canonical = [method, pathname, '', fields.join(''), signed, sha(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', list.get('x-amz-date'), scope, sha(canonical)].join('\n');
  const key = scope
    .split('/')
    .reduce<string | Buffer>((before, part) => createHmac('sha256', before).update(part).digest(), `AWS4${KEY.secret}`);
  return { is, should: createHmac('sha256', key).update(text).digest('hex') };
}

test('the request is signed with the base key, for the endpoint of the region', async (t) => {
  const { request } = await assumed(template());
  t.is(request.url, 'https://sts.eu-central-1.amazonaws.com/');
  t.regex(new HeaderList(request.headers).get('authorization') ?? '', /Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/sts\/aws4_request/);
  const { is, should } = signatureOf(request);
  t.is(is, should);
  t.deepEqual(Object.fromEntries(new URLSearchParams(request.body)), {
    ...{ Action: 'AssumeRole', Version: '2011-06-15', RoleArn: ROLE, RoleSessionName: 'alter-proxy', DurationSeconds: '3600' },
  });
  for (const [region, host] of [
    ['us-gov-west-1', 'sts.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'sts.cn-north-1.amazonaws.com.cn'],
    ['us-iso-east-1', 'sts.us-iso-east-1.c2s.ic.gov'],
    ['us-isob-east-1', 'sts.us-isob-east-1.sc2s.sgov.gov'],
    ['eu-isoe-west-1', 'sts.eu-isoe-west-1.cloud.adc-e.uk'],
    ['us-isof-south-1', 'sts.us-isof-south-1.csp.hci.ic.gov'],
    ['eusc-de-east-1', 'sts.eusc-de-east-1.amazonaws.eu'],
  ] as const)
    t.is((await assumed(template({ region }))).request.url, `https://${host}/`);
  const own = await assumed(template({ region: 'default', endpoint: 'https://rgw.example.com:8443/sts' }));
  t.is(own.request.url, 'https://rgw.example.com:8443/sts');
});

test('external id, session policy, tags and duration go along', async (t) => {
  const more = {
    sessionName: 'job-1',
    externalId: '{external}',
    policy: '{ "Version": "2012-10-17",\n "Statement": [] }',
    duration: 900,
    tags: { Project: 'p 1', Team: '{external}' },
  };
  const { request } = await assumed(template(more), { ...VALUES, external: 'ext-1' });
  t.like(Object.fromEntries(new URLSearchParams(request.body)), {
    ...{ RoleSessionName: 'job-1', ExternalId: 'ext-1', Policy: '{"Version":"2012-10-17","Statement":[]}', DurationSeconds: '900' },
    ...{ 'Tags.member.1.Key': 'Project', 'Tags.member.1.Value': 'p 1', 'Tags.member.2.Key': 'Team', 'Tags.member.2.Value': 'ext-1' },
  });
  t.is(signatureOf(request).is, signatureOf(request).should);
  const without = new URLSearchParams((await assumed(template(more))).request.body);
  t.false(without.has('ExternalId') || without.has('Tags.member.2.Key'));
});

test('a base credential that is temporary itself brings its session token, signed', async (t) => {
  const { request } = await assumed(template({ sessionToken: 'base-session' }));
  t.is(new HeaderList(request.headers).get('x-amz-security-token'), 'base-session');
  t.regex(new HeaderList(request.headers).get('authorization') ?? '', /x-amz-security-token/);
});

test('what STS gives signs the requests of the client, and is removed from answers like what is stored', async (t) => {
  const { sent, injection } = await assumed(template());
  t.regex(sent, /Authorization: AWS4-HMAC-SHA256 Credential=ASIADERIVED\/\d{8}\/us-east-1\/sqs\/aws4_request/);
  t.regex(sent, /X-Amz-Security-Token: derivedSessionToken\/\/==/);
  t.false(sent.includes(KEY.id));
  t.true(injection.readsBody);
  t.true(injection.refusedUnprocessed);
  for (const value of [KEY.secret, 'derived/Secret+key', 'derivedSessionToken//==']) {
    const list = headers(`x-leak: ${value}`);
    injection.scrub(list);
    t.is(list.size, 0, value);
  }
});

test('the credentials are renewed before they end, and at once when a service says so in its head', async (t) => {
  const { endpoint, injection } = await assumed(template());
  const says = (status: number, type: string) => ({ status, reason: '', headers: headers(`X-Amzn-ErrorType: ${type}`) });
  endpoint.now += 10_000;
  t.false(await injection.refreshAfter!(says(400, 'ThrottlingException'), endpoint.now, draft('/')));
  t.false(await injection.refreshAfter!({ status: 403, reason: '', headers: new HeaderList() }, endpoint.now, draft('/')));
  t.is(endpoint.requests.length, 1);
  t.true(await injection.refreshAfter!(says(400, 'com.amazon.coral.service#ExpiredTokenException'), endpoint.now, draft('/')));
  t.is(endpoint.requests.length, 2);
  endpoint.now += 2_900_000;
  await sentBy(injection);
  t.is(endpoint.requests.length, 3);
});

/** STS by a clock of its own, which takes dates that are a quarter of an hour off. */
function stsAhead(aheadMs: number) {
  const endpoint = new FakeEndpoint();
  const state = { aheadMs };
  endpoint.answer = (count) => {
    const there = endpoint.now + state.aheadMs;
    const skewed = Math.abs(dateOf(new HeaderList(endpoint.requests[count - 1]?.headers).get('x-amz-date')) - there) > 900_000;
    const headers = new HeaderList(['Date', new Date(there).toUTCString()]);
    if (!skewed) return { ...answer(new Date(there + 3_600_000).toISOString()), headers };
    return { status: 403, headers, body: '<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code></Error></ErrorResponse>' };
  };
  const injection = endpoint.prepare()(template(), secrets(VALUES), endpoint.owner);
  return { endpoint, state, injection };
}

const dateOf = (amzDate = ''): number => Date.parse(amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
const sentAt = (sent: string): number => dateOf(/X-Amz-Date: (\w+)/.exec(sent)?.[1]);

test('a clock that is off is learnt from STS at once, and dates what its credentials sign', async (t) => {
  for (const aheadMs of [20 * 60_000, -20 * 60_000]) {
    const { endpoint, injection } = stsAhead(aheadMs);
    t.is(sentAt(await sentBy(injection)), endpoint.now + aheadMs);
    t.deepEqual([endpoint.requests.length, endpoint.failures], [2, []]);
    const { is, should } = signatureOf(endpoint.requests[1]!);
    t.is(is, should);
  }
});

test('a clock that was learnt from the API outlives the credentials, and STS is asked by it', async (t) => {
  const { endpoint, state, injection } = stsAhead(0);
  t.is(sentAt(await sentBy(injection)), endpoint.now);
  state.aheadMs = 20 * 60_000;
  const late = headers(`Date: ${new Date(endpoint.now + state.aheadMs).toUTCString()}`);
  t.true(await injection.refreshAfter!({ status: 403, reason: '', headers: late }, endpoint.now, { ...draft('/'), signedOffsetMs: 0 }));
  endpoint.now += 3_600_000;
  t.is(sentAt(await sentBy(injection)), endpoint.now + state.aheadMs);
  t.is(endpoint.requests.length, 2);
});

test('a refusal of what was asked by the clock that was learnt is final', async (t) => {
  const { endpoint, injection } = stsAhead(0);
  const date = (): string => new Date(endpoint.now + 20 * 60_000).toUTCString();
  endpoint.answer = () => ({ status: 403, headers: headers(`Date: ${date()}`), body: '<Code>AccessDenied</Code>' });
  await sentBy(injection);
  t.is(endpoint.requests.length, 2);
  endpoint.now += 10_000;
  t.is(await sentBy(injection), 'credential_unavailable:AccessDenied');
  t.is(endpoint.requests.length, 3);
});

test('a refusal by a clock that is right is final', async (t) => {
  const { endpoint } = await assumed(template(), VALUES, answer('', { status: 403, body: '<Code>AccessDenied</Code>' }));
  t.is(endpoint.requests.length, 1);
});

test('answers that give no credentials', async (t) => {
  const error = (code: string) =>
    `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>leak-9f2b</Message></Error></ErrorResponse>`;
  for (const [given, rule] of [
    [answer('', { status: 403, body: error('AccessDenied') }), 'AccessDenied'],
    [answer('', { status: 403, body: error('leak-9f2b') }), 'endpoint_failed'],
    [answer('', { status: 500, body: '<html>leak-9f2b' }), 'endpoint_failed'],
    [answer('', { body: '<html>leak-9f2b' }), 'endpoint_answer'],
    [answer('2001-01-01T00:00:00Z'), 'endpoint_answer'],
    [answer('soon'), 'endpoint_answer'],
    [answer('2099-01-01T00:00:00Z', { body: answer('2099-01-01T00:00:00Z').body.replace('ASIADERIVED', 'a b') }), 'endpoint_answer'],
    [
      answer('2099-01-01T00:00:00Z', { body: answer('2099-01-01T00:00:00Z').body.replace(/AssumeRoleResponse/g, 'Other') }),
      'endpoint_answer',
    ],
  ] as const) {
    const { sent, endpoint } = await assumed(template(), VALUES, given);
    t.is(sent, `credential_unavailable:${rule}`);
    t.false(`${endpoint.failures[0]?.detail ?? ''} ${String(endpoint.failures[0]?.cause)}`.includes('leak-9f2b'));
  }
});

test('values with which no role can be assumed are refused when they are stored', (t) => {
  for (const [more, values] of [
    [{}, { role: 'arn:aws:iam::1:role/x' }],
    [{}, { role: 'reader' }],
    [{}, { secret_access_key_base: '' }],
    [{}, { access_key_id_base: 'a/b' }],
    [{ region: 'us-isog-east-1' }, {}],
    [{ region: 'eusd-de-east-1' }, {}],
    [{ region: 'nowhere' }, {}],
    [{ region: 'a.b/c' }, {}],
    [{ policy: 'allow all' }, {}],
    [{ sessionName: 'a b' }, {}],
  ] as const) {
    t.is(
      failureOf(() => prepareOffline(template(more), secrets({ ...VALUES, ...values }))).code,
      'record_invalid',
      JSON.stringify([more, values]),
    );
  }
});
