import { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import tls from 'node:tls';

/**
 * Whether `certificate` is for `host` (RFC 9110 §4.3.4): undefined when it is. Node's own check never accepts an IPv6 literal in
 * Node 22.23, so those are compared by OpenSSL.
 */
export function checkServerIdentity(host: string, certificate: tls.PeerCertificate): Error | undefined {
  if (!isIPv6(host)) return tls.checkServerIdentity(host, certificate);
  if (new X509Certificate(certificate.raw).checkIP(host) !== undefined) return undefined;
  return Object.assign(new Error(`the certificate is not for ${host}`), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
}
