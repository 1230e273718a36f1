import type forge from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';

const { Class, Type } = asn1;

/** Context tags 0 to 7, as the numbers that forge takes for types. */
const TAGS = [Type.NONE, Type.BOOLEAN, Type.INTEGER, Type.BITSTRING, Type.OCTETSTRING, Type.NULL, Type.OID, Type.ODESC] as const;

/** A node of an ASN.1 tree. */
export type Asn1 = forge.asn1.Asn1;

/** A context tag: 0 to 7. */
export type Tag = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Encodes `node` as DER. */
export function toDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}

/** Decodes DER; throws when `der` is not exactly one well-formed value. */
export function fromDer(der: Buffer): Asn1 {
  return asn1.fromDer(der.toString('latin1'));
}

/** The children of a constructed node; throws when `node` is primitive. */
export function childrenOf(node: Asn1 | undefined): Asn1[] {
  if (node === undefined || typeof node.value === 'string') throw new Error('the ASN.1 structure is not the expected one');
  return node.value;
}

/** The content octets of a primitive node; throws when `node` is constructed. */
export function octetsOf(node: Asn1 | undefined): Buffer {
  if (node === undefined || typeof node.value !== 'string') throw new Error('the ASN.1 structure is not the expected one');
  return Buffer.from(node.value, 'latin1');
}

export function sequence(...children: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, children);
}

export function set(...children: Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, children);
}

export function oid(dotted: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes());
}

/** An INTEGER below 2^31. */
export function integer(value: number): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, asn1.integerToDer(value).getBytes());
}

/** An INTEGER given as big-endian two's complement. */
export function bigInteger(octets: Buffer): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, octets.toString('latin1'));
}

export function boolean(value: boolean): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? '\xff' : '\x00');
}

export function nothing(): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.NULL, false, '');
}

export function octetString(octets: Buffer): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, octets.toString('latin1'));
}

/** A BIT STRING whose last `unusedBits` bits do not count. */
export function bitString(octets: Buffer, unusedBits = 0): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, String.fromCharCode(unusedBits) + octets.toString('latin1'));
}

export function utf8String(text: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.UTF8, false, Buffer.from(text, 'utf8').toString('latin1'));
}

/** A BMPString: `text` in UTF-16. */
export function bmpString(text: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.BMPSTRING, false, text);
}

/** UTCTime through 2049, GeneralizedTime from 2050 on, both to the second (RFC 5280 §4.1.2.5). */
export function time(date: Date): Asn1 {
  return date.getUTCFullYear() < 2050
    ? asn1.create(Class.UNIVERSAL, Type.UTCTIME, false, asn1.dateToUtcTime(date))
    : asn1.create(Class.UNIVERSAL, Type.GENERALIZEDTIME, false, asn1.dateToGeneralizedTime(date));
}

/** `[tag] EXPLICIT` (or a constructed implicit) value. */
export function tagged(tag: Tag, ...children: Asn1[]): Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, TAGS[tag], true, children);
}

/** `[tag] IMPLICIT` primitive value. */
export function taggedOctets(tag: Tag, octets: Buffer): Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, TAGS[tag], false, octets.toString('latin1'));
}
