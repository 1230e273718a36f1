import test from 'ava';
import { Credential } from '../../../../src/inject/credential.ts';
import type { Draft, DraftBody } from '../../../../src/inject/injector.ts';
import { prepareInjection } from '../../../../src/inject/registry.ts';
import { ProviderClock } from '../../../../src/inject/sigv4/clock.ts';
import { EMPTY_HASH, contentHash } from '../../../../src/inject/sigv4/signature.ts';
import { prepareSigV4 } from '../../../../src/inject/sigv4/sigv4.ts';
import { AlterError } from '../../../../src/errors.ts';
import type { BodyLength, BodyTransform } from '../../../../src/message/body.ts';
import { HeaderList } from '../../../../src/message/header-list.ts';
import { findPlaceholders } from '../../../../src/message/placeholder.ts';
import { canonicalUrl, formatTarget } from '../../../../src/message/url.ts';
import type { InjectionRule, ProviderTemplate } from '../../../../src/providers/template.ts';
import { Secret } from '../../../../src/secret/secret.ts';
import { failureOf, refusalOf } from '../../../support/refusal.ts';

/** The key, the date and the bucket of the examples in the reference of Amazon S3. */
const VALUES = { access_key_id: 'AKIAIOSFODNN7EXAMPLE', secret_access_key: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' };
const THEN = Date.UTC(2013, 4, 24);
const S3 = 'examplebucket.s3.amazonaws.com';

type SigV4Rule = Extract<InjectionRule, { readonly kind: 'sigv4' }>;

const RULE: SigV4Rule = {
  kind: 'sigv4',
  accessKeyId: '{access_key_id}',
  secretAccessKey: '{secret_access_key}',
  sessionToken: '{session_token}',
  region: '{region}',
  service: '{service}',
};
const OPTIONAL = { label: 'x', secret: true, optional: true } as const;
const TEMPLATE: ProviderTemplate = {
  slug: 'aws',
  name: 'AWS',
  category: 'cloud',
  hosts: ['*.amazonaws.com'],
  fields: {
    access_key_id: { label: 'id', secret: false },
    secret_access_key: { label: 'key', secret: true },
    ...{ session_token: OPTIONAL, region: OPTIONAL, service: OPTIONAL },
  },
  inject: [RULE],
  confidence: 'high',
};

function prepared(values: Readonly<Record<string, string>> = {}, now = () => THEN, rule: SigV4Rule = RULE) {
  const all = { ...VALUES, ...values };
  const secrets = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, new Secret(value)]));
  return prepareSigV4(rule, new Credential(TEMPLATE, secrets), new ProviderClock(now));
}

interface Request {
  readonly method?: string;
  readonly host?: string;
  readonly scheme?: 'http' | 'https';
  readonly target?: string;
  readonly headers?: readonly string[];
  readonly content?: Buffer;
  readonly length?: BodyLength;
}

/** A draft, and the transform that its body was given. */
function draft({ method = 'GET', host = S3, scheme = 'https', target = '/', headers = [], content, length }: Request) {
  let transform: BodyTransform | undefined;
  let reads = 0;
  const body: DraftBody = {
    read: (maxBytes) => {
      reads += 1;
      const own = content ?? Buffer.alloc(0);
      return own.length > maxBytes ? Promise.reject(new AlterError('body_too_large_to_sign')) : Promise.resolve(own);
    },
    digest: async (_, maxBytes) => contentHash(await body.read(maxBytes)),
    replace: () => undefined,
    transform: (given) => {
      transform = given;
    },
  };
  const bodyLength: BodyLength = length ?? (content === undefined ? { kind: 'none' } : { kind: 'length', bytes: content.length });
  const made: Draft = {
    method,
    origin: { scheme, host, port: scheme === 'https' ? 443 : 80 },
    url: canonicalUrl(target),
    headers: new HeaderList([...headers]),
    bodyLength,
    ...(content === undefined ? {} : { body }),
  };
  return { draft: made, transform: () => transform, reads: () => reads };
}

async function signed(request: Request, rule = prepared()): Promise<Draft> {
  const made = draft(request).draft;
  await rule.apply(made);
  return made;
}

const authorization = ({ headers }: Draft): string => headers.get('authorization') ?? '';
const signatureOf = (made: Draft): string => /Signature=(\w+)/.exec(authorization(made))?.[1] ?? '';
const dummy = (region = 'us-east-1', service = 's3', headers = 'host;x-amz-date'): string =>
  `AWS4-HMAC-SHA256 Credential=alter_grant_0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11/20130523/${region}/${service}/aws4_request, SignedHeaders=${headers}, Signature=00`;
const presignedBy = (date: string, expires: string, headers = 'host', host = 'us-east-1/s3'): string =>
  [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${encodeURIComponent(`alter_grant_0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11/${date.slice(0, 8)}/${host}/aws4_request`)}`,
    `X-Amz-Date=${date}&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=${encodeURIComponent(headers)}&X-Amz-Signature=00`,
  ].join('&');

test('the examples of the reference come out with their signatures', async (t) => {
  t.is(signatureOf(await signed({ target: '/?lifecycle' })), 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543');
  const list = await signed({ target: '/?max-keys=2&prefix=J' });
  t.is(signatureOf(list), '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7');
  t.is(
    authorization(list),
    [
      'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request',
      'SignedHeaders=host;x-amz-content-sha256;x-amz-date',
      'Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ].join(', '),
  );
});

test('everything of the client’s own signature goes, in every spelling, and nothing else', async (t) => {
  const own = [
    ...['Authorization', dummy(), 'x_amz_date', 'x', 'X-Amz-Date', '20130523T000000Z', 'X-Amz-Security-Token', 'theirs', 'Accept', '*/*'],
    ...['X-AMZ-CONTENT-SHA256', EMPTY_HASH, 'x_amz_content_sha256', 'y', 'X_Amz_Security_Token', 'z', 'X-Amz-S3session-Token', 's'],
  ];
  const made = await signed({ target: '/?lifecycle', headers: own });
  t.deepEqual(
    [...made.headers].map(([name]) => name),
    ['Accept', 'X-Amz-Date', 'X-Amz-Content-Sha256', 'Authorization'],
  );
  t.is(signatureOf(made), 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543');
});

test('fields that are changed on the way are not signed; those of AWS are', async (t) => {
  const volatile = [
    'User-Agent',
    'a',
    'Accept-Encoding',
    'b',
    'X-Amzn-Trace-Id',
    'c',
    'Via',
    'd',
    'Range',
    'bytes=0-1',
    'Amz-Sdk-Request',
    'e',
  ];
  const made = await signed({ headers: [...volatile, 'Content-Type', 'text/plain', 'X-Amz-Acl', 'private', 'Content-MD5', 'f'] });
  t.regex(authorization(made), /SignedHeaders=content-md5;content-type;host;x-amz-acl;x-amz-content-sha256;x-amz-date,/);
});

test('a session token is sent and signed', async (t) => {
  const made = await signed({}, prepared({ session_token: 'FwoG/x+=' }));
  t.is(made.headers.get('x-amz-security-token'), 'FwoG/x+=');
  t.regex(authorization(made), /;x-amz-security-token,/);
});

test('the body of a request is hashed; only S3 and its like are told the hash', async (t) => {
  const content = Buffer.from('{"TableName":"t"}');
  const made = draft({ method: 'POST', host: 'dynamodb.eu-central-1.amazonaws.com', content });
  await prepared().apply(made.draft);
  t.is(made.reads(), 1);
  t.false(made.draft.headers.has('x-amz-content-sha256'));
  t.regex(authorization(made.draft), /\/20130524\/eu-central-1\/dynamodb\/aws4_request, SignedHeaders=host;x-amz-date, /);
  const s3 = await signed({ method: 'PUT', target: '/k', content });
  t.is(s3.headers.get('x-amz-content-sha256'), contentHash(content));
});

test('a request without a body is signed at once', (t) => {
  t.is(prepared().apply(draft({}).draft), undefined);
});

test('a hash that the client gives is trusted by S3 alone', async (t) => {
  const content = Buffer.from('abc');
  const wrong = 'A'.repeat(64).toLowerCase();
  const s3 = draft({ method: 'PUT', target: '/k', content, headers: ['X-Amz-Content-Sha256', wrong] });
  await prepared().apply(s3.draft);
  t.is(s3.draft.headers.get('x-amz-content-sha256'), wrong);
  t.is(s3.reads(), 0);
  const glacier = draft({ method: 'POST', host: 'glacier.us-east-1.amazonaws.com', content, headers: ['X-Amz-Content-Sha256', wrong] });
  await prepared().apply(glacier.draft);
  t.is(glacier.draft.headers.get('x-amz-content-sha256'), contentHash(content));
});

for (const word of ['UNSIGNED-PAYLOAD', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER']) {
  test(`${word} is kept over TLS, and the body flows`, async (t) => {
    const made = draft({ method: 'PUT', target: '/k', content: Buffer.from('abc'), headers: ['X-Amz-Content-Sha256', word] });
    await prepared().apply(made.draft);
    t.is(made.draft.headers.get('x-amz-content-sha256'), word);
    t.is(made.reads(), 0);
  });
}

test('without TLS, and for other services, no body is left unsigned', async (t) => {
  const content = Buffer.from('abc');
  const headers = ['X-Amz-Content-Sha256', 'UNSIGNED-PAYLOAD'];
  t.is((await signed({ method: 'PUT', scheme: 'http', content, headers })).headers.get('x-amz-content-sha256'), contentHash(content));
  const sqs = await signed({ method: 'POST', host: 'sqs.us-east-1.amazonaws.com', content, headers });
  t.is(sqs.headers.get('x-amz-content-sha256'), contentHash(content));
  const trailer = ['X-Amz-Content-Sha256', 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'];
  await t.throwsAsync(signed({ method: 'PUT', scheme: 'http', content, headers: trailer }), { instanceOf: AlterError });
});

test('a body above the cap is refused, and left unsigned where S3 takes it over TLS', async (t) => {
  const rule = prepared({}, undefined, { ...RULE, maxBytes: 10 });
  const content = Buffer.alloc(11);
  const refused = await t.throwsAsync(signed({ method: 'POST', host: 'sqs.us-east-1.amazonaws.com', content }, rule), {
    instanceOf: AlterError,
  });
  t.is(refused.code, 'body_too_large_to_sign');
  t.is((await signed({ method: 'PUT', target: '/k', content }, rule)).headers.get('x-amz-content-sha256'), 'UNSIGNED-PAYLOAD');
  await t.throwsAsync(signed({ method: 'PUT', target: '/k', content, scheme: 'http' }, rule), { instanceOf: AlterError });
  // Of unknown length: S3 would not take it as it is.
  await t.throwsAsync(signed({ method: 'PUT', target: '/k', content, length: { kind: 'chunked' } }, rule), { instanceOf: AlterError });
});

test('a body that is signed chunk by chunk flows through a transform that signs with the new head', async (t) => {
  const body = Buffer.from(`3;chunk-signature=${'0'.repeat(64)}\r\nabc\r\n0;chunk-signature=${'0'.repeat(64)}\r\n\r\n`);
  const headers = [
    'X-Amz-Content-Sha256',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'X-Amz-Decoded-Content-Length',
    '3',
    'Authorization',
    dummy(),
  ];
  const made = draft({ method: 'PUT', target: '/k', content: body, headers });
  await prepared().apply(made.draft);
  t.is(made.draft.headers.get('x-amz-content-sha256'), 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD');
  const leaving = Buffer.concat([...(made.transform()?.write(body) ?? [])]);
  t.is(leaving.length, body.length);
  t.notRegex(leaving.toString(), /signature=0{64}/);
});

test('chunks are signed anew only where they belong', async (t) => {
  const content = Buffer.from('0');
  const hmac = ['X-Amz-Content-Sha256', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'];
  await t.throwsAsync(async () => signed({ method: 'POST', host: 'sqs.us-east-1.amazonaws.com', content, headers: hmac }));
  await t.throwsAsync(async () => signed({ method: 'PUT', target: '/k', headers: hmac }));
  const ecdsa = ['X-Amz-Content-Sha256', 'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD'];
  await t.throwsAsync(async () => signed({ method: 'PUT', target: '/k', content, headers: ecdsa }));
  const presigned = `/k?${presignedBy('20130524T000000Z', '60')}`;
  await t.throwsAsync(async () => signed({ method: 'PUT', target: presigned, content, headers: hmac }));
});

test('a value of X-Amz-Content-Sha256 that is none is refused', async (t) => {
  for (const word of ['', 'abc', 'UNSIGNED', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-X']) {
    const refused = await t.throwsAsync(async () => signed({ headers: ['X-Amz-Content-Sha256', word] }), { instanceOf: AlterError }, word);
    t.is(refused.code, 'malformed_request');
  }
});

test('a presigned URL is presigned anew', async (t) => {
  const made = await signed({ target: `/test.txt?${presignedBy('20130524T000000Z', '86400')}` });
  t.false(made.headers.has('authorization'));
  t.is(
    formatTarget(made.url),
    [
      '/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request',
      'X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host',
      'X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
    ].join('&'),
  );
});

test('it lives as long as the client has said, by the client’s date, and keeps its other parameters', async (t) => {
  const query = `response-content-type=text%2fplain&${presignedBy('20130523T235900Z', '120')}&versionId=`;
  const made = await signed({ target: `/k?${query}` });
  t.regex(formatTarget(made.url), /^\/k\?response-content-type=text%2fplain&versionId=&X-Amz-Algorithm=/);
  t.regex(formatTarget(made.url), /&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&/);
});

for (const [name, query] of [
  ['has expired', presignedBy('20130523T235700Z', '120')],
  ['is from the future', presignedBy('20130524T001600Z', '120')],
  ['names a field that is not there', presignedBy('20130524T000000Z', '120', 'host;x-amz-acl')],
] as const) {
  test(`a presigned URL that ${name} is refused`, (t) => {
    t.is(refusalOf(() => prepared().apply(draft({ target: `/k?${query}` }).draft)).code, 'malformed_request');
  });
}

test('fields that a presigned URL names are signed', async (t) => {
  const target = `/k?${presignedBy('20130524T000000Z', '120', 'content-length;host')}`;
  const made = await signed({ method: 'PUT', target, headers: ['Content-Length', '3', 'User-Agent', 'x'], content: Buffer.from('abc') });
  t.regex(formatTarget(made.url), /X-Amz-SignedHeaders=content-length%3Bhost&/);
});

test('a session token goes into a presigned URL', async (t) => {
  const made = await signed(
    { target: `/k?${presignedBy('20130524T000000Z', '120')}&X-Amz-Security-Token=theirs` },
    prepared({ session_token: 'a/b+' }),
  );
  t.regex(formatTarget(made.url), /&X-Amz-Security-Token=a%2Fb%2B&/);
  t.notRegex(formatTarget(made.url), /theirs/);
});

test('a presigned request to another service than S3 signs its body', async (t) => {
  const target = `/?Action=GetCallerIdentity&${presignedBy('20130524T000000Z', '60', 'host', 'us-east-1/sts')}`;
  const made = await signed({ host: 'sts.amazonaws.com', target });
  t.regex(formatTarget(made.url), /X-Amz-Signature=[0-9a-f]{64}$/);
  t.false(made.headers.has('x-amz-content-sha256'));
});

test('a placeholder is found in both forms, where the rule writes, and is gone afterwards', async (t) => {
  const rule = prepared();
  const written = [rule.place].flat();
  for (const request of [{ headers: ['Authorization', dummy()] }, { target: `/k?${presignedBy('20130524T000000Z', '60')}` }]) {
    const { draft: made } = draft(request);
    const [found] = findPlaceholders(made.headers, made.url);
    t.is(found?.grantId, '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11');
    t.true(written.includes(found?.place));
    await rule.apply(made);
    t.deepEqual(findPlaceholders(made.headers, made.url), []);
  }
});

test('the client’s own scope counts, and must not contradict the host', async (t) => {
  const made = await signed({ headers: ['Authorization', dummy('eu-west-1')] });
  t.regex(authorization(made), /\/20130524\/eu-west-1\/s3\//);
  const contradiction = draft({ host: 'b.s3.eu-central-1.amazonaws.com', headers: ['Authorization', dummy('eu-west-1')] }).draft;
  t.is(refusalOf(() => prepared().apply(contradiction)).code, 'signing_scope_mismatch');
  t.is(refusalOf(() => prepared().apply(draft({ host: 's3.example.com' }).draft)).code, 'signing_scope_unknown');
  const settings = await signed({ host: 's3.example.com' }, prepared({ region: 'auto', service: 's3' }));
  t.regex(authorization(settings), /\/20130524\/auto\/s3\//);
});

test('a multi-region access point is signed with SigV4a', async (t) => {
  const made = await signed({ host: 'm1.mrap.accesspoint.s3-global.amazonaws.com' });
  t.regex(authorization(made), /^AWS4-ECDSA-P256-SHA256 Credential=AKIAIOSFODNN7EXAMPLE\/20130524\/s3\/aws4_request, /);
  t.is(made.headers.get('x-amz-region-set'), '*');
});

test('a clock that is off is corrected by the date of a refusal, once for each request that was signed by it', async (t) => {
  const rule = prepared();
  const refused = { status: 403, reason: '', headers: new HeaderList(['Date', 'Fri, 24 May 2013 01:00:00 GMT']) };
  const requests = [{}, { method: 'POST', content: Buffer.from('x') }, { target: `/k?${presignedBy('20130524T000000Z', '3600')}` }];
  const early = await Promise.all(requests.map((request) => signed(request, rule)));
  for (const request of early) t.true(await rule.refreshAfter?.(refused, THEN, request));
  t.is((await signed({}, rule)).headers.get('x-amz-date'), '20130524T010000Z');
  const late = await Promise.all(requests.map((request) => signed(request, rule)));
  for (const request of late) t.false(await rule.refreshAfter?.(refused, THEN, request));
});

test('the key of one day is not that of the next', async (t) => {
  let now = THEN;
  const rule = prepared({}, () => now);
  const first = signatureOf(await signed({}, rule));
  now += 86_400_000;
  t.not(signatureOf(await signed({}, rule)), first);
  now -= 86_400_000;
  t.is(signatureOf(await signed({}, rule)), first);
});

for (const [name, values] of [
  ['an access key id with a slash', { access_key_id: 'qz/x' }],
  ['an empty secret', { secret_access_key: '' }],
  ['a session token with a space', { session_token: 'qz x' }],
  ['a region of two words', { region: 'qz x' }],
  ['a region with a slash', { region: 'qz/x' }],
] as const) {
  test(`${name} is refused when prepared, and not quoted`, (t) => {
    const failure = failureOf(() => prepared(values));
    t.is(failure.code, 'record_invalid');
    t.false(failure.message.includes('qz'));
  });
}

test('the registry knows the rule, takes its optional fields or not, and hides the key in answers', (t) => {
  const secrets = Object.fromEntries(Object.entries(VALUES).map(([name, value]) => [name, new Secret(value)]));
  const injection = prepareInjection(TEMPLATE, secrets);
  t.deepEqual(injection.writes, ['header:authorization', 'query:X-Amz-Credential']);
  t.true(injection.readsBody);
  const headers = new HeaderList(['X-Echo', VALUES.secret_access_key, 'X-Id', VALUES.access_key_id]);
  injection.scrub(headers);
  t.deepEqual([...headers], [['X-Id', VALUES.access_key_id]]);
});
