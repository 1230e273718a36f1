/**
 * Contract: a client that signs for AWS with a key that stands for a grant reaches its API with the signature of the real key, in the header
 * and in a presigned URL, whatever its body; nothing of its own signature arrives, and the real key is told to nobody.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import test, { type ExecutionContext } from 'ava';
import aws4 from 'aws4';
import type { ProviderTemplate } from '../../src/providers/template.ts';
import { clientBody } from '../support/aws-chunks.ts';
import { problemCode, requestThrough } from '../support/client.ts';
import type { RecordedRequest } from '../support/origin.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const KEY = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  sessionToken: 'FwoGZXIv+token/1=',
};
const HOUR_MS = 3_600_000;

const template: ProviderTemplate = {
  slug: 'signed',
  name: 'Signed',
  category: 'test',
  hosts: ['localhost'],
  fields: {
    id: { label: 'id', secret: false },
    key: { label: 'key', secret: true },
    token: { label: 'token', secret: true, optional: true },
    region: { label: 'region', secret: false, optional: true },
  },
  inject: [
    { kind: 'sigv4', accessKeyId: '{id}', secretAccessKey: '{key}', sessionToken: '{token}', region: '{region}', maxBytes: 100_000 },
  ],
  confidence: 'high',
};

/** An API whose clock is an hour ahead, and that echoes everything it was sent into the head of its answer. */
function handler(message: IncomingMessage, response: ServerResponse): boolean {
  if (message.url?.startsWith('/leak') === true) {
    response.writeHead(403, { 'X-Key': KEY.secretAccessKey, 'X-Token': KEY.sessionToken }).end();
    return true;
  }
  if (message.url?.startsWith('/back') === true) {
    const { authorization = '' } = message.headers;
    response.writeHead(307, {
      Location: `https://elsewhere.example${message.url}`,
      'X-Next': encodeURIComponent(message.url),
      'X-Authorization': authorization,
    });
    response.end();
    return true;
  }
  if (message.url?.startsWith('/skewed') !== true) return false;
  const there = new Date(Date.now() + HOUR_MS);
  const late = dateOf(String(message.headers['x-amz-date'])) < there.getTime() - HOUR_MS / 4;
  message.resume();
  message.once('end', () => {
    const status = late ? 403 : message.url?.endsWith('/refused') === true ? 400 : 200;
    response.writeHead(status, { Date: there.toUTCString() }).end(late ? '<Code>RequestTimeTooSkewed</Code>' : 'done');
  });
  return true;
}

let scene: Scene;
test.before(async () => {
  scene = await startScene({ origin: { handler } });
  await scene.proxy.administration.addProvider(template);
});
test.after.always(async () => {
  await scene.stop();
});

const grantFor = (more: Readonly<Record<string, string>> = {}): Promise<string> =>
  scene.grant({ provider: template.slug, fields: { id: KEY.accessKeyId, key: KEY.secretAccessKey, ...more } });

const dummy = (grant: string, service: string): readonly string[] => [
  ...['X-Amz-Date', '20200101T000000Z', 'Authorization'],
  `AWS4-HMAC-SHA256 Credential=alter_grant_${grant}/20200101/eu-central-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=00`,
];

function dateOf(amzDate: string): number {
  return Date.parse(amzDate.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
}

/** Compares the signature that arrived with that of aws4 over what arrived. */
function verify(t: ExecutionContext, { method, url, rawHeaders, headers, body }: RecordedRequest, service: string): void {
  const signed = /SignedHeaders=([^,]+),/.exec(headers.authorization ?? '')?.[1]?.split(';') ?? [];
  const fields = Object.fromEntries(
    rawHeaders.flatMap((name, i) => (i % 2 === 0 && signed.includes(name.toLowerCase()) ? [[name, rawHeaders[i + 1] ?? '']] : [])),
  );
  const extraHeadersToIgnore = { 'content-length': true, 'content-type': !signed.includes('content-type') };
  const request = {
    host: scene.authority,
    method,
    path: url,
    service,
    region: 'eu-central-1',
    headers: fields,
    body,
    extraHeadersToIgnore,
  };
  t.is(
    headers.authorization,
    aws4.sign(request, { accessKeyId: KEY.accessKeyId, secretAccessKey: KEY.secretAccessKey }).headers['Authorization'],
  );
}

test.serial('a signed POST arrives with the signature of the real key', async (t) => {
  const grant = await grantFor();
  const headers = [...dummy(grant, 'dynamodb'), 'Content-Type', 'application/x-amz-json-1.0', 'X-Amz-Target', 'DynamoDB_20120810.GetItem'];
  headers.push('TE', 'trailers', 'Connection', 'TE');
  const url = `${scene.origin.url}/?b=2&a=1&a=%20x`;
  const answer = await requestThrough(scene.proxy, { url, method: 'POST', headers, body: '{"TableName":"ü"}' });
  t.is(answer.status, 200);
  const arrived = scene.origin.requests.at(-1);
  t.truthy(arrived);
  if (arrived !== undefined) verify(t, arrived, 'dynamodb');
  // For the next hop only: whoever stands there may drop it.
  t.is(arrived?.headers['te'], 'trailers');
  t.notRegex(arrived?.headers.authorization ?? '', /SignedHeaders=[^,]*\b(?:te|connection)\b/);
  t.false(JSON.stringify(arrived?.rawHeaders).includes('20200101'));
  const event = await scene.proxy.eventOf(answer);
  t.like(event, { grantId: grant, outcome: 'success' });
  t.false(JSON.stringify(event).includes(KEY.secretAccessKey));
});

/** The query of a URL that a client has presigned for `grant`. */
function presigned(grant: string): string {
  const now = new Date().toISOString().slice(0, 19).replace(/[:-]/g, '');
  const credential = encodeURIComponent(`alter_grant_${grant}/${now.slice(0, 8)}/eu-central-1/s3/aws4_request`);
  return `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${credential}&X-Amz-Date=${now}Z&X-Amz-Expires=900&X-Amz-SignedHeaders=host&X-Amz-Signature=00`;
}

test.serial('a presigned URL arrives presigned anew', async (t) => {
  const grant = await grantFor({ token: KEY.sessionToken });
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/b/k%20k?${presigned(grant)}` });
  t.is(answer.status, 200);
  const arrived = new URL(scene.origin.requests.at(-1)?.url ?? '', 'https://x');
  t.is(arrived.searchParams.get('X-Amz-Credential')?.split('/')[0], KEY.accessKeyId);
  t.is(arrived.searchParams.get('X-Amz-Security-Token'), KEY.sessionToken);
  t.regex(arrived.searchParams.get('X-Amz-Signature') ?? '', /^[0-9a-f]{64}$/);
  t.is(scene.origin.requests.at(-1)?.headers.authorization, undefined);
});

test.serial('a body that is signed chunk by chunk arrives whole, and signed anew', async (t) => {
  const grant = await grantFor();
  const chunks = [Buffer.alloc(65_536, 'a'), Buffer.alloc(65_536, 'b'), Buffer.from('end')];
  const body = clientBody(chunks);
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const headers = [
    ...dummy(grant, 's3'),
    ...[
      'X-Amz-Content-Sha256',
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
      'X-Amz-Decoded-Content-Length',
      String(length),
      'Content-Encoding',
      'aws-chunked',
    ],
  ];
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/b/k`, method: 'PUT', headers, body });
  t.is(answer.status, 200);
  const arrived = scene.origin.requests.at(-1);
  t.is(arrived?.bodyBytes, body.length);
  t.not(arrived?.bodySha256, createHash('sha256').update(body).digest('hex'));
  t.notRegex(arrived?.body ?? '', /signature=d{64}/);
});

test.serial('a body above the cap is not forwarded', async (t) => {
  const grant = await grantFor();
  const before = scene.origin.requests.length;
  const request = { url: `${scene.origin.url}/`, method: 'POST', headers: [...dummy(grant, 'sqs')], body: 'x'.repeat(100_001) };
  const answer = await requestThrough(scene.proxy, request);
  t.is(answer.status, 413);
  t.is(problemCode(answer), 'body_too_large_to_sign');
  t.is(scene.origin.requests.length, before);
});

test.serial('the clock of the provider is learnt from its first refusal, also by a POST', async (t) => {
  const grant = await grantFor();
  const request = { url: `${scene.origin.url}/skewed`, method: 'POST', headers: [...dummy(grant, 'sqs')], body: 'Action=x' };
  const before = scene.origin.requests.length;
  const answer = await requestThrough(scene.proxy, request);
  t.is(`${String(answer.status)} ${answer.body}`, '200 done');
  t.is(scene.origin.requests.length, before + 2);
  t.like(await scene.proxy.eventOf(answer), { retries: 1 });
  t.is((await requestThrough(scene.proxy, request)).status, 200);
  t.is(scene.origin.requests.length, before + 3);
});

test.serial('a POST that is refused by the clock that was learnt is sent once', async (t) => {
  const grant = await grantFor();
  const request = { url: `${scene.origin.url}/skewed/refused`, method: 'POST', headers: [...dummy(grant, 'sqs')], body: 'Action=x' };
  for (const sent of [2, 1, 1]) {
    const before = scene.origin.requests.length;
    const answer = await requestThrough(scene.proxy, request);
    t.is(answer.status, 400);
    t.is(scene.origin.requests.length, before + sent);
  }
});

test.serial('without any hint of region and service nothing is signed', async (t) => {
  const grant = await grantFor();
  const before = scene.origin.requests.length;
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/`, grant });
  t.is(answer.status, 400);
  t.is(problemCode(answer), 'signing_scope_unknown');
  t.is(scene.origin.requests.length, before);
});

test.serial('the API cannot hand the key back in a header', async (t) => {
  const grant = await grantFor({ token: KEY.sessionToken });
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/leak`, headers: [...dummy(grant, 's3')] });
  t.is(answer.status, 403);
  t.false(JSON.stringify(answer.rawHeaders).includes(KEY.secretAccessKey));
  t.false(JSON.stringify(answer.rawHeaders).includes(KEY.sessionToken));
});

test.serial('the API cannot hand back a signature that was made for it, in header or query', async (t) => {
  const grant = await grantFor();
  const back = `${scene.origin.url}/back`;
  for (const request of [{ url: back, headers: [...dummy(grant, 's3')] }, { url: `${back}?${presigned(grant)}` }]) {
    const answer = await requestThrough(scene.proxy, request);
    t.is(answer.status, 307);
    const arrived = scene.origin.requests.at(-1)!;
    const [signature = ''] = /(?<=Signature=)[0-9a-f]{64}/.exec(`${arrived.url} ${arrived.headers.authorization ?? ''}`) ?? [];
    t.is(signature.length, 64);
    t.false(answer.rawHeaders.join('\n').includes(signature));
  }
});

test.serial('a redirect that repeats no signature is passed on', async (t) => {
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/back`, headers: [...dummy(await grantFor(), 's3')] });
  t.is(answer.headers.location, 'https://elsewhere.example/back');
});

test.serial('a rule of actions reads the form that names one', async (t) => {
  const grant = await grantFor();
  await scene.proxy.administration.setPolicy({ at: 'grant', grant }, [{ kind: 'aws', actions: ['sts:Get*'] }]);
  const ask = (body: string, type = 'application/x-www-form-urlencoded') =>
    requestThrough(scene.proxy, {
      url: `${scene.origin.url}/`,
      method: 'POST',
      headers: [...dummy(grant, 'sts'), 'Content-Type', type],
      body,
    });
  t.is((await ask('Action=GetCallerIdentity&Version=2011-06-15')).status, 200);
  t.is(scene.origin.requests.at(-1)?.body, 'Action=GetCallerIdentity&Version=2011-06-15');
  for (const refused of [await ask('Action=AssumeRole'), await ask('Action=GetCallerIdentity', 'text/plain')]) {
    t.is(refused.status, 403);
    t.is(problemCode(refused), 'policy_violation');
  }
});
