import { createHash, type KeyObject } from 'node:crypto';
import {
  bitString,
  boolean,
  childrenOf,
  fromDer,
  integer,
  octetString,
  octetsOf,
  oid,
  sequence,
  taggedOctets,
  toDer,
  type Asn1,
} from './asn1.ts';
import { generalName } from './subject-alternative-name.ts';

const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const KEY_USAGE = '2.5.29.15';
const SUBJECT_ALTERNATIVE_NAME = '2.5.29.17';
const BASIC_CONSTRAINTS = '2.5.29.19';
const AUTHORITY_KEY_IDENTIFIER = '2.5.29.35';
const EXTENDED_KEY_USAGE = '2.5.29.37';
/** 0x04, then X and Y of 32 octets each. */
const UNCOMPRESSED_POINT_OCTETS = 65;
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';

/** Extensions of a CA that signs leafs only: path length 0 keeps a stolen leaf or sub-CA from signing further. */
export function caExtensions(keyId: Buffer): Asn1[] {
  return [
    extension(BASIC_CONSTRAINTS, true, sequence(boolean(true), integer(0))),
    // keyCertSign (bit 5) and cRLSign (bit 6)
    extension(KEY_USAGE, true, bitString(Buffer.of(0b0000_0110), 1)),
    extension(SUBJECT_KEY_IDENTIFIER, false, octetString(keyId)),
    extension(AUTHORITY_KEY_IDENTIFIER, false, sequence(taggedOctets(0, keyId))),
  ];
}

/** Extensions of a server certificate for `hosts`. `subjectEmpty` makes the names critical (RFC 5280 §4.2.1.6). */
export function leafExtensions(hosts: readonly string[], subjectEmpty: boolean, keyId: Buffer, issuerKeyId: Buffer): Asn1[] {
  return [
    // cA is FALSE, its default, and so absent in DER
    extension(BASIC_CONSTRAINTS, true, sequence()),
    // digitalSignature (bit 0)
    extension(KEY_USAGE, true, bitString(Buffer.of(0b1000_0000), 7)),
    extension(EXTENDED_KEY_USAGE, false, sequence(oid(SERVER_AUTH))),
    extension(SUBJECT_ALTERNATIVE_NAME, subjectEmpty, sequence(...hosts.map(generalName))),
    extension(SUBJECT_KEY_IDENTIFIER, false, octetString(keyId)),
    extension(AUTHORITY_KEY_IDENTIFIER, false, sequence(taggedOctets(0, issuerKeyId))),
  ];
}

/** Key identifier of a P-256 key: the leftmost 160 bits of the SHA-256 of the public point (RFC 7093 §2, method 1). */
export function keyIdentifier(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-UNCOMPRESSED_POINT_OCTETS);
  return createHash('sha256').update(point).digest().subarray(0, 20);
}

/** Content of the subject key identifier among `extensions`, or undefined when there is none. */
export function findSubjectKeyId(extensions: readonly Asn1[]): Buffer | undefined {
  const wanted = toDer(oid(SUBJECT_KEY_IDENTIFIER));
  const found = extensions.map(childrenOf).find(([id]) => id !== undefined && toDer(id).equals(wanted));
  return found === undefined ? undefined : octetsOf(fromDer(octetsOf(found.at(-1))));
}

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  const content = octetString(toDer(value));
  // critical is FALSE by default, and DER leaves defaults out
  return critical ? sequence(oid(id), boolean(true), content) : sequence(oid(id), content);
}
