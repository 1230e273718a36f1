/** What APIs that sign with HMAC document, recomputed here from what leaves. */
import { createHash, createHmac } from 'node:crypto';
import test from 'ava';
import { CommandError } from '../../../src/errors.ts';
import type { Draft } from '../../../src/inject/injector.ts';
import type { HmacRule } from '../../../src/providers/hmac-rule.ts';
import type { InjectionRule } from '../../../src/providers/template.ts';
import { draftWithBody } from '../../support/draft-body.ts';
import { draft, injection } from '../../support/injection.ts';

const RULE: HmacRule = {
  kind: 'hmac',
  algorithm: 'sha256',
  key: '{secret}',
  keyEncoding: 'raw',
  message: '{timestamp}\n{method}\n{path_and_query}\n{body_sha256}',
  encoding: 'hex',
  headers: { 'X-Signature': 'HMAC {key_id}:{signature}', 'X-Timestamp': '{timestamp}' },
  query: {},
};
const VALUES = { secret: 'top-secret', key_id: 'id-1' };

const mac = (algorithm: string, key: string | Buffer, text: string | Buffer): Buffer => createHmac(algorithm, key).update(text).digest();
const header = (request: Draft, name: string): string => request.headers.getAll(name).join('|');

async function signed(rule: Partial<HmacRule>, request: Draft, values: Readonly<Record<string, string>> = VALUES): Promise<Draft> {
  await injection([{ ...RULE, ...rule }], values, ['key_id']).apply(request);
  return request;
}

test("the template is filled in, and the caller's own fields go, in every spelling", async (t) => {
  const request = draft('/v1/x?a=%20', 'x-signature: mine', 'X_Signature: mine', 'X-Timestamp: 1', 'X-Other: 2');
  await signed({}, request);
  const timestamp = header(request, 'X-Timestamp');
  t.regex(timestamp, /^\d{10}$/);
  const empty = createHash('sha256').digest('hex');
  const expected = mac('sha256', 'top-secret', `${timestamp}\nGET\n/v1/x?a=%20\n${empty}`).toString('hex');
  t.is(header(request, 'X-Signature'), `HMAC id-1:${expected}`);
  t.deepEqual(
    request.headers.names.map(({ lower }) => lower),
    ['x-other', 'x-signature', 'x-timestamp'],
  );
});

test('the body is read only when the message has it', async (t) => {
  const { draft: request, caps } = draftWithBody('/', 'é=1');
  await signed({ message: '{method}{body}', maxBytes: 7 }, request);
  t.deepEqual(caps, [7]);
  t.true(header(request, 'X-Signature').endsWith(mac('sha256', 'top-secret', 'POSTé=1').toString('hex')));
  const unread = draftWithBody('/', 'x');
  await signed({ message: '{method}{host}' }, unread.draft);
  t.deepEqual(unread.caps, []);
  t.false(injection([{ ...RULE, message: '{path}' }], VALUES).readsBody);
  const binary = draftWithBody('/', Buffer.from([0xff, 0]));
  await signed({ message: '{body}' }, binary.draft);
  t.true(header(binary.draft, 'X-Signature').endsWith(mac('sha256', 'top-secret', Buffer.from([0xff, 0])).toString('hex')));
});

test('fields of the credential are signed in UTF-8, what is of the request octet by octet', async (t) => {
  const request = draft('/', 'Content-Type: text/pl\xe9in');
  await signed({ message: '{key_id}{content_type}', headers: { 'X-Signature': '{signature}' } }, request, { ...VALUES, key_id: 'é' });
  const message = Buffer.concat([Buffer.from('é', 'utf8'), Buffer.from('text/pl\xe9in', 'latin1')]);
  t.is(header(request, 'X-Signature'), mac('sha256', 'top-secret', message).toString('hex'));
});

test('keys and signatures in every encoding', async (t) => {
  const message = 'constant {method}';
  const key = Buffer.from([0xfb, 0xff, 1, 2, 3]);
  for (const [keyEncoding, text] of [
    ['base64', key.toString('base64')],
    ['base64', key.toString('base64url')],
    ['hex', key.toString('hex')],
  ] as const) {
    const request = await signed({ message, keyEncoding, encoding: 'base64' }, draft('/'), { ...VALUES, secret: text });
    t.true(header(request, 'X-Signature').endsWith(`:${mac('sha256', key, 'constant GET').toString('base64')}`));
  }
  for (const algorithm of ['sha1', 'sha384', 'sha512'] as const) {
    const digest = mac(algorithm, 'top-secret', 'constant GET');
    for (const [encoding, expected] of [
      ['hex', digest.toString('hex')],
      ['hex_upper', digest.toString('hex').toUpperCase()],
      ['base64url', digest.toString('base64url')],
    ] as const) {
      t.true(header(await signed({ message, algorithm, encoding }, draft('/')), 'X-Signature').endsWith(`:${expected}`));
    }
  }
});

test('query parameters: what is signed comes first, the signature last, and the own ones go', async (t) => {
  const rule = { message: '{query}{body}', headers: {}, query: { timestamp: '{timestamp_ms}', signature: '{signature}' } };
  for (const [target, start] of [
    ['/api?symbol=A&signature=mine&%74imestamp=1&side=B', 'symbol=A&side=B&'],
    ['/api?symbol=A;signature=mine&side=B', 'symbol=A&side=B&'],
    ['/api', ''],
    ['/api?', ''],
    ['/api?signature=x', ''],
  ] as const) {
    const { draft: request } = draftWithBody(target, 'q=1');
    await signed(rule, request);
    const [, signedPart = '', signature = ''] = /^(.*)&signature=([0-9a-f]{64})$/.exec(request.url.query ?? '') ?? [];
    t.regex(signedPart, new RegExp(`^${start}timestamp=\\d{13}$`));
    t.is(signature, mac('sha256', 'top-secret', `${signedPart}q=1`).toString('hex'));
  }
  t.deepEqual(injection([{ ...RULE, ...rule }], VALUES).writes, ['query:timestamp', 'query:signature']);
});

test('each variable is one value in one request; nonces rise, moments come in three forms', async (t) => {
  const headers = {
    'X-All': '{nonce} {uuid} {timestamp} {timestamp_ms} {timestamp_iso} {host} {content_type} {path} {query}',
    'X-Again': '{nonce} {uuid}',
    'X-S': '{signature}',
  };
  const nonces: number[] = [];
  for (let i = 0; i < 100; i += 1) {
    const request = await signed({ headers, message: '{nonce}{uuid}' }, draft('/p?q=1', 'Host: api.example.com', 'Content-Type: text/x'));
    const [nonce = '', uuid = '', seconds, ms, iso, ...rest] = header(request, 'X-All').split(' ');
    t.is(header(request, 'X-Again'), `${nonce} ${uuid}`);
    t.is(header(request, 'X-S'), mac('sha256', 'top-secret', nonce + uuid).toString('hex'));
    t.is(iso, new Date(Number(ms)).toISOString());
    t.is(seconds, String(Math.floor(Number(ms) / 1000)));
    t.deepEqual(rest, ['api.example.com', 'text/x', '/p', 'q=1']);
    nonces.push(Number(nonce));
  }
  t.true(nonces.every((nonce, index) => index === 0 || nonce > (nonces[index - 1] ?? 0)));
});

test('what a field holds is never read as a variable', async (t) => {
  const request = await signed({ message: '{key_id}{method}' }, draft('/'), { ...VALUES, key_id: '{method}{signature}' });
  t.is(header(request, 'X-Signature'), `HMAC {method}{signature}:${mac('sha256', 'top-secret', '{method}{signature}GET').toString('hex')}`);
});

test('rules that cannot work are refused when the secret is stored', (t) => {
  for (const [change, values] of [
    [{ keyEncoding: 'hex' }, { secret: 'xyz' }],
    [{ keyEncoding: 'base64' }, { secret: 'a b' }],
    [{}, { secret: '' }],
    [{ key: '{secret}{timestamp}' }, {}],
    [{ message: '{signature}' }, {}],
    [{ headers: { 'X-A': '{timestamp}' } }, {}],
    [{ headers: { 'X-A': '{signature}{body}' } }, {}],
    [{ headers: { Host: '{signature}' } }, {}],
    [{ headers: { 'X-A': '{key_id}{signature}' } }, { key_id: '\u20ac' }],
    [{ message: '{missing}' }, {}],
  ] as const) {
    t.throws(() => injection([{ ...RULE, ...change }], { ...VALUES, ...values }), { instanceOf: CommandError }, JSON.stringify(change));
  }
});

test('a signature that never changes counts as a credential: it does not come back', async (t) => {
  const rules: InjectionRule[] = [{ ...RULE, message: '{key_id}', headers: { 'X-S': '{signature}' } }];
  const prepared = injection(rules, VALUES, ['key_id']);
  const request = draft('/');
  await prepared.apply(request);
  const answer = draft('/', `X-Echo: ${header(request, 'X-S')}`, 'X-Kept: 1').headers;
  prepared.scrub(answer);
  t.deepEqual(answer.flat(), ['X-Kept', '1']);
});
