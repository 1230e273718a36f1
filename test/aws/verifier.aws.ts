/** The verifier takes what is signed right, and nothing that is wrong in one place: a proof by a verifier that agrees to everything is none. */
import test from 'ava';
import { startDirect, type DirectScene } from './support/direct.ts';
import { sendSigned, type Sending } from './support/signing-client.ts';

let scene: DirectScene;

test.before(async () => {
  scene = await startDirect();
});

test.after.always(() => scene.stop());

const put = { method: 'PUT', body: 'content of the object' } as const;
const chunks = { ...put, repeat: 5000, payload: 'chunks' } as const;

const GOOD: Readonly<Record<string, Sending>> = {
  'a hashed body': put,
  'an unsigned body': { ...put, payload: 'unsigned' },
  'signed chunks': chunks,
  'signed chunks of 10,000 bytes': { ...chunks, chunk_bytes: 10_000 },
  'signed chunks with a trailer': { ...chunks, payload: 'chunks-trailer' },
  'unsigned chunks with a trailer': { ...chunks, payload: 'unsigned-trailer' },
  'a query': { method: 'GET', target: '/?list-type=2&prefix=a%20b', payload: 'query' },
  'an empty value and repeated parameters': { target: '/?tagging=&b=2&a=2&a=1&list-type=2' },
  'another service': { host: 'sqs.us-east-1.amazonaws.com', service: 'sqs', target: '/a%20b/', method: 'POST', body: 'Action=ListQueues' },
  'a clock that is 14 minutes off': { ...put, skew_s: -840 },
};

for (const [what, sending] of Object.entries(GOOD)) {
  test.serial(`taken: ${what}`, async (t) => {
    const { status, body } = await sendSigned(t, scene.route, sending);
    t.is(status, 200, body);
    t.is(scene.origin.seen.at(-1)?.verdict, 'ok');
  });
}

const BAD: Readonly<Record<string, readonly [Sending, string]>> = {
  'a secret key with another last character': [{ ...put, spoil: 'key' }, 'SignatureDoesNotMatch'],
  'another path': [{ ...put, spoil: 'target' }, 'SignatureDoesNotMatch'],
  'another query': [{ target: '/?list-type=2&prefix=a', spoil: 'target' }, 'SignatureDoesNotMatch'],
  'another path of a presigned URL': [{ payload: 'query', spoil: 'target' }, 'SignatureDoesNotMatch'],
  'a changed header': [{ ...put, headers: { 'X-Amz-Meta-Note': 'one' }, spoil: 'header' }, 'SignatureDoesNotMatch'],
  'an x-amz header that is not signed': [{ ...put, spoil: 'header' }, 'AccessDenied'],
  'another body': [{ ...put, spoil: 'body' }, 'XAmzContentSHA256Mismatch'],
  'another body elsewhere': [
    { host: 'sqs.us-east-1.amazonaws.com', service: 'sqs', target: '/', ...put, spoil: 'body' },
    'SignatureDoesNotMatch',
  ],
  'another byte in the second chunk': [{ ...chunks, spoil: 'chunk' }, 'SignatureDoesNotMatch'],
  'another signature of the second chunk': [{ ...chunks, spoil: 'chunk-signature' }, 'SignatureDoesNotMatch'],
  'another trailer': [{ ...chunks, payload: 'chunks-trailer', spoil: 'trailer' }, 'SignatureDoesNotMatch'],
  'another signature of the trailer': [{ ...chunks, payload: 'chunks-trailer', spoil: 'trailer-signature' }, 'SignatureDoesNotMatch'],
  'a checksum that is wrong': [{ ...chunks, payload: 'unsigned-trailer', spoil: 'trailer' }, 'BadDigest'],
  'another region': [{ ...put, region: 'eu-west-1' }, 'SignatureDoesNotMatch'],
  'another service': [{ ...put, service: 'sqs' }, 'SignatureDoesNotMatch'],
  'a token that nobody gave': [{ ...put, token: 'token' }, 'InvalidToken'],
  'a clock that is 16 minutes off': [{ ...put, skew_s: 960 }, 'RequestTimeTooSkewed'],
  'a presigned URL whose time is over': [{ payload: 'query', skew_s: -7200 }, 'AccessDenied'],
  'no signature': [{ ...put, payload: 'none' }, 'MissingAuthenticationToken'],
};

for (const [what, [sending, code]] of Object.entries(BAD)) {
  test.serial(`refused: ${what}`, async (t) => {
    const { status } = await sendSigned(t, scene.route, sending);
    t.true(status === 403 || status === 400);
    t.is(scene.origin.seen.at(-1)?.verdict, code, scene.origin.seen.at(-1)?.detail);
  });
}

test.serial('the clock and the token of the verifier can be set', async (t) => {
  await scene.origin.set({ clock_offset_s: 3600, session_token: 'token/of+session=' });
  t.is((await sendSigned(t, scene.route, { ...put, token: 'token/of+session=' })).status, 403);
  t.is(scene.origin.seen.at(-1)?.verdict, 'RequestTimeTooSkewed');
  t.is((await sendSigned(t, scene.route, { ...put, token: 'token/of+session=', skew_s: 3600 })).status, 200);
  t.is((await sendSigned(t, scene.route, { ...put, skew_s: 3600 })).status, 403);
  t.is((await sendSigned(t, scene.route, { payload: 'query', token: 'token/of+session=', skew_s: 3600 })).status, 200);
  await scene.origin.set({ clock_offset_s: 0, session_token: null });
  t.is((await sendSigned(t, scene.route, put)).status, 200);
});
