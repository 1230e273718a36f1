/**
 * Contract: a credential that belongs into the body, or signs the request, arrives at a real HTTPS API as that API wants it; the audit event
 * names the places; and a body that cannot take it leaves in no part.
 */
import { execFile } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { loadCatalogue } from '../../src/providers/catalogue.ts';
import type { InjectionRule } from '../../src/providers/template.ts';
import { openTls, problemCode, requestThrough } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { isAnswer } from '../support/h1-messages.ts';
import type { RecordedRequest } from '../support/origin.ts';
import { RawClient } from '../support/raw-client.ts';
import { template } from '../support/injection.ts';
import { startScene, type Scene } from '../support/scene.ts';

const SECRET = 'Ym9keS1raW5kcy1zZWNyZXQ=';
const FORM = 'application/x-www-form-urlencoded';

let scene: Scene;
test.before(async () => {
  scene = await startScene();
});
test.after.always(async () => {
  await scene.stop();
});

let serial = 0;

function grantFor(inject: readonly InjectionRule[]): Promise<string> {
  serial += 1;
  const values = { token: SECRET };
  const made = { ...template(inject, values), slug: `body-kind-${String(serial)}`, hosts: ['localhost'] };
  return scene.grant({ template: made, fields: values });
}

test.serial('form field: the secret of an OAuth client is written over a placeholder', async (t) => {
  const grant = await grantFor([{ kind: 'form_field', name: 'client_secret', format: '{token}' }]);
  const answer = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo`,
    method: 'POST',
    headers: ['Content-Type', FORM],
    body: `grant_type=client_credentials&client_secret=alter_grant_${grant}&scope=a+b`,
    grant,
  });
  t.is(answer.status, 200);
  const seen = scene.origin.requests.at(-1);
  t.is(seen?.body, `grant_type=client_credentials&client_secret=${encodeURIComponent(SECRET)}&scope=a+b`);
  t.is(seen?.headers['content-length'], String(seen?.body.length));
  const event = await scene.proxy.eventOf(answer);
  t.like(event, { injected: ['body:client_secret'], outcome: 'success' });
  t.false(JSON.stringify(event).includes(SECRET));
});

test.serial('JSON field: chunked, with numbers that no program could hold', async (t) => {
  const grant = await grantFor([{ kind: 'json_field', path: 'auth.key', format: '{token}' }]);
  const answer = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo`,
    method: 'PUT',
    headers: ['Content-Type', 'application/json', 'Transfer-Encoding', 'chunked'],
    body: '{"id":123456789012345678901234567890, "auth":{"key":null}}',
    grant,
  });
  t.is(answer.status, 200);
  t.is(scene.origin.requests.at(-1)?.body, `{"id":123456789012345678901234567890, "auth":{"key":"${SECRET}"}}`);
  t.deepEqual((await scene.proxy.eventOf(answer)).injected, ['body:auth.key']);
});

test.serial('a body that cannot take the credential is refused, and nothing of it leaves', async (t) => {
  const grant = await grantFor([{ kind: 'json_field', path: 'key', format: '{token}', maxBytes: 1000 }]);
  const before = scene.origin.requests.length;
  for (const [request, code] of [
    [{ method: 'GET' }, 'unsuitable_body'],
    [{ method: 'POST', body: '{}', headers: ['Content-Type', FORM] }, 'unsuitable_body'],
    [{ method: 'POST', body: '{"key":1,"key":2}', headers: ['Content-Type', 'application/json'] }, 'unsuitable_body'],
    [{ method: 'POST', body: '{}', headers: ['Content-Type', 'application/json', 'Content-Encoding', 'gzip'] }, 'unsuitable_body'],
    [{ method: 'POST', body: `{"x":"${'x'.repeat(1000)}"}`, headers: ['Content-Type', 'application/json'] }, 'body_too_large_to_sign'],
  ] as const) {
    const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant, ...request });
    t.is(problemCode(answer), code);
    const event = await scene.proxy.eventOf(answer);
    t.like(event, { code, injected: [], outcome: 'policy_denied' });
  }
  t.is(scene.origin.requests.length, before);
});

test.serial('a grant that is revoked while its body arrives slowly ends the request, and nothing leaves', async (t) => {
  const grant = await grantFor([{ kind: 'json_field', path: 'key', format: '{token}' }]);
  const before = scene.origin.requests.length;
  const client = new RawClient(await openTls(scene.proxy, scene.authority));
  client.methods.push('POST');
  const fields = [
    `Host: ${scene.authority}`,
    `X-Alter-Grant: ${grant}`,
    'Content-Type: application/json',
    'Content-Length: 1000',
    'Expect: 100-continue',
  ];
  client.send(['POST /echo HTTP/1.1', ...fields, '', ''].join('\r\n'));
  // The proxy asks for the body once everything else about the request was found right.
  await client.answered(1);
  client.send('{"half":');
  await scene.proxy.administration.revokeGrant(grant);
  const answer = (await client.answered(2)).at(-1);
  t.true(isAnswer(answer, 410));
  const event = await eventually(async () => (await scene.proxy.events(0)).find((one) => one.grantId === grant), 'the event');
  t.like(event, { code: 'grant_revoked', injected: [], bytesOut: 0 });
  t.is(scene.origin.requests.length, before);
  client.destroy();
});

test.serial('curl with Expect: 100-continue is told to go on, and its body is signed', async (t) => {
  const grant = await grantFor([
    {
      kind: 'hmac',
      algorithm: 'sha256',
      key: '{token}',
      keyEncoding: 'raw',
      message: '{method} {path_and_query} {body_sha256}',
      encoding: 'hex',
      headers: { 'X-Signature': '{signature}' },
      query: {},
    },
  ]);
  const [body, ca] = [path.join(scene.proxy.home, 'body'), path.join(scene.proxy.home, 'proxy-ca.pem')];
  await Promise.all([writeFile(body, 'x'.repeat(60_000)), writeFile(ca, scene.proxy.ca)]);
  const { stderr } = await promisify(execFile)('curl', [
    ...['-v', '-sS', '--proxy', `http://127.0.0.1:${String(scene.proxy.port)}`, '--cacert', ca, '--expect100-timeout', '20'],
    ...['-H', 'Expect: 100-continue', '-H', `X-Alter-Grant: ${grant}`, '--data-binary', `@${body}`, `${scene.origin.url}/echo?q=1`],
  ]);
  t.regex(stderr, /< HTTP\/1\.1 100 Continue/);
  t.regex(stderr, /< HTTP\/1\.1 200/);
  const seen = scene.origin.requests.at(-1);
  const digest = createHash('sha256').update('x'.repeat(60_000)).digest('hex');
  t.is(seen?.headers['x-signature'], createHmac('sha256', SECRET).update(`POST /echo?q=1 ${digest}`).digest('hex'));
});

// --- providers of the catalogue, against an API that checks as their documentation says -----------------------------------------------

const text = (request: RecordedRequest, name: string): string => String(request.headers[name]);
const mac = (algorithm: string, key: string | Buffer, message: string): Buffer => createHmac(algorithm, key).update(message).digest();

/** The signature that a provider expects of a request, and the one it came with. */
const CHECKS: Readonly<Record<string, (request: RecordedRequest) => readonly [expected: string, given: string]>> = {
  'coinbase-exchange': (r) => [
    mac('sha256', Buffer.from(SECRET, 'base64'), `${text(r, 'cb-access-timestamp')}${r.method}${r.url}${r.body}`).toString('base64'),
    text(r, 'cb-access-sign'),
  ],
  binance: (r) => {
    const [query = '', signature = ''] = (r.url.split('?')[1] ?? '').split('&signature=');
    return [mac('sha256', SECRET, query + r.body).toString('hex'), signature];
  },
  bybit: (r) => [
    mac(
      'sha256',
      SECRET,
      `${text(r, 'x-bapi-timestamp')}key-1${text(r, 'x-bapi-recv-window')}${r.url.split('?')[1] ?? ''}${r.body}`,
    ).toString('hex'),
    text(r, 'x-bapi-sign'),
  ],
  okx: (r) => [
    mac('sha256', SECRET, `${text(r, 'ok-access-timestamp')}${r.method}${r.url}${r.body}`).toString('base64'),
    text(r, 'ok-access-sign'),
  ],
  kucoin: (r) => [
    `${mac('sha256', SECRET, `${text(r, 'kc-api-timestamp')}${r.method}${r.url}${r.body}`).toString('base64')} ${mac('sha256', SECRET, 'phrase-1').toString('base64')} 2`,
    `${text(r, 'kc-api-sign')} ${text(r, 'kc-api-passphrase')} ${text(r, 'kc-api-key-version')}`,
  ],
  'gate-io': (r) => {
    const [path = '', query = ''] = r.url.split('?');
    const hash = createHash('sha512').update(r.body).digest('hex');
    return [mac('sha512', SECRET, [r.method, path, query, hash, text(r, 'timestamp')].join('\n')).toString('hex'), text(r, 'sign')];
  },
};

for (const [slug, check] of Object.entries(CHECKS)) {
  test.serial(`${slug}: what its documentation says is what arrives`, async (t) => {
    const shipped = loadCatalogue([]).get(slug);
    if (shipped === undefined) throw new Error(`${slug} is not in the catalogue`);
    const { test: _, ...rest } = shipped;
    const values: Readonly<Record<string, string>> = { secret: SECRET, api_key: 'key-1', passphrase: 'phrase-1' };
    const fields = Object.fromEntries(Object.keys(rest.fields).map((name) => [name, values[name] ?? '']));
    const grant = await scene.grant({ template: { ...rest, slug: `own-${slug}`, hosts: ['localhost'] }, fields });
    for (const request of [
      { url: `${scene.origin.url}/echo?symbol=A%20B&limit=1` },
      { url: `${scene.origin.url}/echo`, method: 'POST', body: '{"side":"buy"}', headers: ['Content-Type', 'application/json'] },
      { url: `${scene.origin.url}/echo`, method: 'DELETE' },
    ]) {
      const answer = await requestThrough(scene.proxy, { ...request, grant });
      t.is(answer.status, 200);
      const seen = scene.origin.requests.at(-1);
      if (seen === undefined) throw new Error('nothing arrived');
      const [expected, given] = check(seen);
      t.is(given, expected);
      t.regex(Object.values(seen.headers).join(' '), /key-1/);
      const event = await scene.proxy.eventOf(answer);
      t.false(JSON.stringify(event).includes(given));
    }
  });
}
