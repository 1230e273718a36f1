import { isIP, isIPv4 } from 'node:net';
import { AlterError } from '../errors.ts';
import { taggedOctets, type Asn1 } from './asn1.ts';

const DNS_NAME = 2;
const IP_ADDRESS = 7;
const LABEL = /^(?!-)[a-z0-9_-]{1,63}(?<!-)$/;

/**
 * The GeneralName for `host` (RFC 5280 §4.2.1.6): dNSName, or iPAddress with 4 or 16 octets.
 * `host` is a lower-case DNS name without a trailing dot, an IPv4 address, or an IPv6 address without brackets or zone.
 * Throws `malformed_request` for anything else, wildcards included.
 */
export function generalName(host: string): Asn1 {
  if (isIP(host) !== 0 && !host.includes('%')) return taggedOctets(IP_ADDRESS, ipOctets(host));
  if (!isDnsName(host)) throw new AlterError('malformed_request', { detail: 'the host is neither a DNS name nor an IP address' });
  return taggedOctets(DNS_NAME, Buffer.from(host, 'latin1'));
}

function isDnsName(host: string): boolean {
  const labels = host.split('.');
  // A name that ends in a number is an IPv4 address in disguise (WHATWG URL, "ends in a number").
  return host.length <= 253 && labels.every((label) => LABEL.test(label)) && !/^(\d+|0x[\da-f]*)$/.test(labels.at(-1) ?? '');
}

function ipOctets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = withHexadecimalTail(address).split('::');
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(8 - front.length - back.length).fill(0);
  const octets = Buffer.alloc(16);
  [...front, ...zeros, ...back].forEach((group, index) => octets.writeUInt16BE(group, index * 2));
  return octets;
}

function groups(text: string): number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}

/** Turns the dotted tail of `::ffff:192.0.2.1` into two groups. */
function withHexadecimalTail(address: string): string {
  const cut = address.lastIndexOf(':') + 1;
  if (!address.includes('.', cut)) return address;
  const [a = 0, b = 0, c = 0, d = 0] = address.slice(cut).split('.').map(Number);
  return `${address.slice(0, cut)}${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
