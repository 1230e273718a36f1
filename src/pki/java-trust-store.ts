import { createHmac, randomBytes, type X509Certificate } from 'node:crypto';
import forge from 'node-forge';
import { bmpString, integer, nothing, octetString, oid, sequence, set, tagged, toDer, type Asn1 } from './asn1.ts';

const PKCS7_DATA = '1.2.840.113549.1.7.1';
const CERT_BAG = '1.2.840.113549.1.12.10.1.3';
const X509_CERTIFICATE = '1.2.840.113549.1.9.22.1';
const FRIENDLY_NAME = '1.2.840.113549.1.9.20';
const SHA256 = '2.16.840.1.101.3.4.2.1';
/** Oracle's attribute by which Java knows a certificate as a trusted one; without it the entry is invisible to Java. */
const ORACLE_TRUSTED_KEY_USAGE = '2.16.840.1.113894.746875.1.1';
const ANY_EXTENDED_KEY_USAGE = '2.5.29.37.0';
const PFX_VERSION = 3;
const MAC_KEY = 3;
const MAC_ITERATIONS = 2048;

/** A certificate under the name that `keytool -list` shows. */
export interface TrustedCertificate {
  readonly alias: string;
  readonly certificate: X509Certificate;
}

/**
 * A PKCS#12 trust store (RFC 7292) as Java reads it: certificates only, no key. The certificates are not encrypted, since
 * they are public; the password only guards against change, with HMAC-SHA256 (Java 8u301, 11.0.12 and later).
 */
export function javaTrustStore(certificates: readonly TrustedCertificate[], password: string): Buffer {
  const content = toDer(sequence(dataOf(toDer(sequence(...certificates.map(certificateBag))))));
  return toDer(sequence(integer(PFX_VERSION), dataOf(content), macData(content, password)));
}

function dataOf(content: Buffer): Asn1 {
  return sequence(oid(PKCS7_DATA), tagged(0, octetString(content)));
}

function certificateBag({ alias, certificate }: TrustedCertificate): Asn1 {
  return sequence(
    oid(CERT_BAG),
    tagged(0, sequence(oid(X509_CERTIFICATE), tagged(0, octetString(certificate.raw)))),
    set(attribute(FRIENDLY_NAME, bmpString(alias)), attribute(ORACLE_TRUSTED_KEY_USAGE, oid(ANY_EXTENDED_KEY_USAGE))),
  );
}

function attribute(type: string, value: Asn1): Asn1 {
  return sequence(oid(type), set(value));
}

function macData(content: Buffer, password: string): Asn1 {
  const salt = randomBytes(20);
  const digest = createHmac('sha256', macKey(password, salt)).update(content).digest();
  const algorithm = sequence(oid(SHA256), nothing());
  return sequence(sequence(algorithm, octetString(digest)), octetString(salt), integer(MAC_ITERATIONS));
}

/** RFC 7292 appendix B.2; `node:crypto` has no such derivation. */
function macKey(password: string, salt: Buffer): Buffer {
  const saltBuffer = forge.util.createBuffer(salt.toString('latin1'));
  const key = forge.pkcs12.generateKey(password, saltBuffer, MAC_KEY, MAC_ITERATIONS, 32, forge.md.sha256.create());
  return Buffer.from(key.getBytes(), 'latin1');
}
