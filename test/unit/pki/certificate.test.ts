import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import test from 'ava';
import { caCommonName, issueCaCertificate } from '../../../src/pki/certificate.ts';
import { openssl, opensslFolder } from '../../support/openssl.ts';

const keys = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

test('dates up to 2049 are UTCTime, later ones GeneralizedTime', (t) => {
  const pem = issueCaCertificate('Long', keys, {
    notBefore: new Date('2049-12-31T23:59:59Z'),
    notAfter: new Date('2050-01-01T00:00:00Z'),
  });
  const file = opensslFolder(t).write('ca.pem', pem);
  const { text } = openssl('asn1parse', '-in', file);
  t.regex(text, /UTCTIME +:491231235959Z\s/);
  t.regex(text, /GENERALIZEDTIME +:20500101000000Z\s/);
});

test('a CA certificate is what RFC 5280 asks of a CA, with path length 0', (t) => {
  const pem = issueCaCertificate('Test CA', keys, { notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 60_000) });
  const file = opensslFolder(t).write('ca.pem', pem);
  const { text } = openssl('x509', '-in', file, '-noout', '-text');
  t.regex(text, /Version: 3 /);
  t.regex(text, /Signature Algorithm: ecdsa-with-SHA256/);
  t.regex(text, /Subject: O = alter-proxy, CN = Test CA\s/);
  t.regex(text, /Basic Constraints: critical\s+CA:TRUE, pathlen:0\s/);
  t.regex(text, /Key Usage: critical\s+Certificate Sign, CRL Sign\s/);
  const keyId = /Subject Key Identifier: \s+([0-9A-F:]{59})\s/.exec(text)?.[1];
  t.is(/Authority Key Identifier: \s+([0-9A-F:]{59})\s/.exec(text)?.[1], keyId);
  t.truthy(keyId);
  t.true(openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', file, file).ok);
});

test('serial numbers are random, positive and 16 octets long', (t) => {
  const validity = { notBefore: new Date(), notAfter: new Date(Date.now() + 60_000) };
  const serials = Array.from({ length: 50 }, () => new X509Certificate(issueCaCertificate('S', keys, validity)).serialNumber);
  t.is(new Set(serials).size, 50);
  for (const serial of serials) t.regex(serial, /^[4-7][0-9A-F]{31}$/);
});

test('a CA is named after its key', (t) => {
  const other = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  t.regex(caCommonName(keys.publicKey), /^alter-proxy CA [0-9a-f]{8}$/);
  t.is(caCommonName(keys.publicKey), caCommonName(keys.publicKey));
  t.not(caCommonName(keys.publicKey), caCommonName(other.publicKey));
});
