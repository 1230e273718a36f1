/** SigV4a: the key that AWS derives from a secret access key, and signatures that its public half verifies. */
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import test from 'ava';
import { signV4a, v4aKey } from '../../../../src/inject/sigv4/v4a-key.ts';

/** Public facts: credentials of published examples, and the coordinates of their keys in hex. */
const KEYS = [
  {
    id: 'AKISORANDOMAASORANDOM',
    secret: 'q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom',
    x: '15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb',
    y: '0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0',
  },
  {
    id: 'AKIAIOSFODNN7EXAMPLE',
    secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    x: '18b7d04643359f6ec270dcbab8dce6d169d66ddc9778c75cfb08dfdb701637ab',
    y: 'fa36b35e4fe67e3112261d2e17a956ef85b06e44712d2850bcd3c2161e9993f2',
  },
  {
    id: 'AKIDEXAMPLE',
    secret: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    x: 'b6618f6a65740a99e650b33b6b4b5bd0d43b176d721a3edfea7e7d2d56d936b1',
    y: '865ed22a7eadc9c5cb9d2cbaca1b3699139fedc5043dc6661864218330c8e518',
  },
];

for (const { id, secret, x, y } of KEYS) {
  test(`the key of ${id} is the one that AWS derives`, (t) => {
    const jwk = createPublicKey(v4aKey(id, secret)).export({ format: 'jwk' });
    const hex = (text = ''): string => Buffer.from(text, 'base64url').toString('hex');
    t.deepEqual([hex(jwk.x), hex(jwk.y)], [x, y]);
  });
}

test('the key depends on both halves of the credential', (t) => {
  const keys = [v4aKey('AKIDEXAMPLE', 'one'), v4aKey('AKIDEXAMPLE', 'other'), v4aKey('AKIDEXAMPLF', 'one'), v4aKey('AKIDEXAMPLE', 'one')];
  const exported = keys.map((key) => JSON.stringify(key.export({ format: 'jwk' })));
  t.is(new Set(exported).size, 3);
  t.is(exported[0], exported[3]);
});

test('signatures that AWS publishes for get-vanilla of its suite verify with the key', (t) => {
  const hash = 'cf59db423e841c8b7e3444158185aa261b724a5c27cbe762676f3eed19f4dc02';
  const text = `AWS4-ECDSA-P256-SHA256\n20150830T123600Z\n20150830/service/aws4_request\n${hash}`;
  const key = createPublicKey(v4aKey('AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'));
  for (const signature of [
    '3046022100fddaaf816a31e30d04973875b13bc27b98da10907a3a1872fd5819a221334abc022100de2ee81d83b54f31efc82834de07e6cd4d5c6f25bfa08e0f29a15bb0977c343e',
    '3045022018b4e277d0281864beb51d3600e23f88510ea5031d68ddfbb68614b82a5eb7d2022100effb9c5f22ed9ef3ae0ab243d21f06bce82365bbb79529a07b6888c343ae5f8c',
  ]) {
    t.true(verify('sha256', Buffer.from(text), key, Buffer.from(signature, 'hex')));
  }
});

test('a signature is DER in hex, of at most 144 characters, and verifies for this text and key only', (t) => {
  const key = v4aKey('AKIDEXAMPLE', 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY');
  const verified = (signature: string, text: string, by = createPublicKey(key)): boolean =>
    verify('sha256', Buffer.from(text), by, Buffer.from(signature, 'hex'));
  for (let run = 0; run < 50; run += 1) {
    const signature = signV4a(key, 'AWS4-ECDSA-P256-SHA256\n20150830T123600Z');
    t.regex(signature, /^30[0-9a-f]{130,142}$/);
    t.true(verified(signature, 'AWS4-ECDSA-P256-SHA256\n20150830T123600Z'));
    t.false(verified(signature, 'AWS4-ECDSA-P256-SHA256\n20150830T123601Z'));
  }
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey;
  t.false(verified(signV4a(key, 'text'), 'text', other));
});
