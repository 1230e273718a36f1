/** The check that no private key is committed finds keys in every form in which they get into a tree, and only keys. */
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';

import test from 'ava';

const { privateKeyIn } = (await import(new URL('../../../../scripts/private-keys.mjs', import.meta.url).href)) as {
  privateKeyIn(file: string, text: string): string | undefined;
};

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

test('PEM private keys are found in any file, also inside a string literal', (t) => {
  for (const type of ['pkcs8', 'sec1'] as const) {
    const pem = privateKey.export({ type, format: 'pem' }).toString();
    t.is(privateKeyIn('docs/example.md', pem), 'holds a PEM private key');
    t.is(privateKeyIn('test/key.ts', JSON.stringify(pem)), 'holds a PEM private key');
    t.is(privateKeyIn('windows.txt', pem.replaceAll('\n', '\r\n')), 'holds a PEM private key');
  }
});

test('private and symmetric JWKs are found', (t) => {
  const found = 'holds a private or symmetric JWK';
  t.is(privateKeyIn('keys.json', JSON.stringify(privateKey.export({ format: 'jwk' }))), found);
  t.is(privateKeyIn('keys.json', JSON.stringify(createSecretKey(randomBytes(32)).export({ format: 'jwk' }), null, 2)), found);
});

test('key files are found by their names, whatever they hold', (t) => {
  for (const file of ['certs/ca.key', 'a/b.p12', 'keystore.jks', 'home/keyring.json', '.ssh/id_ed25519']) {
    t.is(privateKeyIn(file, ''), 'is a key file by its name');
  }
});

test('public keys, certificates, headers in prose and code about keys pass', (t) => {
  const header = ['-----BEGIN', 'PRIVATE KEY-----'].join(' ');
  t.is(privateKeyIn('ca.pem', publicKey.export({ type: 'spki', format: 'pem' }).toString()), undefined);
  t.is(privateKeyIn('keys.json', JSON.stringify(publicKey.export({ format: 'jwk' }))), undefined);
  t.is(privateKeyIn('docs/pki.md', `A file that begins with ${header} is a key.\n`), undefined);
  t.is(privateKeyIn('src/pki/key.ts', `if (text.startsWith('${header}')) return readKey(text);\n`), undefined);
  t.is(privateKeyIn('src/keyring.ts', "const key = { kty: 'oct', k: encode(bytes) };"), undefined);
  t.is(privateKeyIn('src/monkey.ts', ''), undefined);
});
