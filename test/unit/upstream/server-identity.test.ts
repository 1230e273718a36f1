import { X509Certificate } from 'node:crypto';
import type { PeerCertificate } from 'node:tls';
import test from 'ava';
import { checkServerIdentity } from '../../../src/upstream/server-identity.ts';
import { makeTestAuthority } from '../../support/certificates.ts';

function certificateFor(...hosts: string[]): PeerCertificate {
  return new X509Certificate(makeTestAuthority().issue(hosts).cert).toLegacyObject();
}

test('an IPv6 literal must be in the certificate, in any spelling', (t) => {
  t.is(checkServerIdentity('::1', certificateFor('::1')), undefined);
  t.is(checkServerIdentity('2001:db8::7', certificateFor('::1', '2001:db8:0:0::7')), undefined);
  t.like(checkServerIdentity('::2', certificateFor('::1')), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  t.like(checkServerIdentity('::1', certificateFor('localhost', '127.0.0.1')), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});

test('names and IPv4 addresses are compared as Node does', (t) => {
  t.is(checkServerIdentity('api.example.com', certificateFor('api.example.com')), undefined);
  t.is(checkServerIdentity('127.0.0.1', certificateFor('127.0.0.1')), undefined);
  t.like(checkServerIdentity('evil-api.example.com', certificateFor('api.example.com')), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
  t.like(checkServerIdentity('127.0.0.2', certificateFor('127.0.0.1')), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
});
