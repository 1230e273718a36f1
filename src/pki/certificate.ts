import { randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';
import {
  bigInteger,
  bitString,
  childrenOf,
  fromDer,
  integer,
  oid,
  sequence,
  set,
  tagged,
  time,
  toDer,
  utf8String,
  type Asn1,
} from './asn1.ts';
import { caExtensions, findSubjectKeyId, keyIdentifier, leafExtensions } from './extensions.ts';

const COMMON_NAME = '2.5.4.3';
const ORGANIZATION = '2.5.4.10';
const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2';
/** ub-common-name (RFC 5280 appendix A.1). */
const MAX_COMMON_NAME = 64;

/** When a certificate is valid; both ends included, to the second. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** An EC P-256 key pair. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** What of a public key goes into a certificate. */
export interface SubjectKey {
  /** SubjectPublicKeyInfo. */
  readonly info: Asn1;
  readonly keyId: Buffer;
}

/** What of a CA goes into the certificates that it issues. */
export interface Issuer {
  /** The CA's subject, octet for octet: names are compared in their encoding. */
  readonly name: Asn1;
  /** The CA's subject key identifier. */
  readonly keyId: Buffer;
}

/** Encodes a public key, once for all certificates about it. */
export function subjectKey(publicKey: KeyObject): SubjectKey {
  return { info: fromDer(publicKey.export({ type: 'spki', format: 'der' })), keyId: keyIdentifier(publicKey) };
}

/** Signs `tbs` with ECDSA and SHA-256, as DER. */
export type Signer = (tbs: Buffer) => Buffer;

/** A signer with an EC private key. */
export function ecdsaSigner(privateKey: KeyObject): Signer {
  return (tbs) => sign('sha256', tbs, privateKey);
}

/**
 * Name of a CA by its key: `alter-proxy CA <first 8 hex digits of its key identifier>`, so that two CAs in one trust
 * store never share a name (a verifier that picks the issuer by name would try the wrong key).
 */
export function caCommonName(publicKey: KeyObject): string {
  return `alter-proxy CA ${keyIdentifier(publicKey).toString('hex').slice(0, 8)}`;
}

/** A self-signed CA certificate with path length 0, as PEM. */
export function issueCaCertificate(commonName: string, keys: KeyPair, validity: Validity): string {
  const name = distinguishedName([ORGANIZATION, 'alter-proxy'], [COMMON_NAME, commonName]);
  const key = subjectKey(keys.publicKey);
  return signCertificate(name, name, key, validity, caExtensions(key.keyId), ecdsaSigner(keys.privateKey));
}

/** The issuer that `certificate` is; throws when it has no subject key identifier. */
export function issuerOf(certificate: X509Certificate): Issuer {
  const fields = childrenOf(childrenOf(fromDer(certificate.raw))[0]);
  // version [0], serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo, extensions [3]
  const name = fields[5];
  const keyId = findSubjectKeyId(childrenOf(childrenOf(fields.at(-1))[0]));
  if (name === undefined || keyId === undefined) throw new Error('the certificate has no subject key identifier');
  return { name, keyId };
}

/** A server certificate for `hosts`, as PEM. Throws `malformed_request` when a host is no DNS name or IP address. */
export function issueLeafCertificate(
  hosts: readonly string[],
  key: SubjectKey,
  validity: Validity,
  issuer: Issuer,
  signer: Signer,
): string {
  const [first] = hosts;
  const fits = first !== undefined && first.length <= MAX_COMMON_NAME;
  const subject = fits ? distinguishedName([COMMON_NAME, first]) : distinguishedName();
  const extensions = leafExtensions(hosts, !fits, key.keyId, issuer.keyId);
  return signCertificate(subject, issuer.name, key, validity, extensions, signer);
}

function signCertificate(subject: Asn1, issuer: Asn1, key: SubjectKey, validity: Validity, extensions: Asn1[], signer: Signer): string {
  const algorithm = sequence(oid(ECDSA_WITH_SHA256));
  const tbs = sequence(
    tagged(0, integer(2)),
    bigInteger(serialNumber()),
    algorithm,
    issuer,
    sequence(time(validity.notBefore), time(validity.notAfter)),
    subject,
    key.info,
    tagged(3, sequence(...extensions)),
  );
  return toPem(toDer(sequence(tbs, algorithm, bitString(signer(toDer(tbs))))));
}

function distinguishedName(...attributes: [type: string, value: string][]): Asn1 {
  return sequence(...attributes.map(([type, value]) => set(sequence(oid(type), utf8String(value)))));
}

/** 16 random octets; the two top bits are 01, so the number is positive and always 16 octets long. */
function serialNumber(): Buffer {
  const octets = randomBytes(16);
  octets.writeUInt8((octets.readUInt8(0) & 0x3f) | 0x40, 0);
  return octets;
}

function toPem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
