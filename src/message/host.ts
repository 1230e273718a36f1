import ipaddr from 'ipaddr.js';
import { malformed } from './malformed.ts';

const MAX_NAME = 253;
const MAX_LABEL = 63;
const LOWER_NAME = /^[a-z0-9_.-]+$/;

/**
 * The one spelling of a host: lower-case DNS name, dotted-quad IPv4, or IPv6 (RFC 5952; brackets in, none out).
 * Throws `malformed_request` for everything that some resolver or URL parser could read in another way.
 */
export function parseHost(text: string): string {
  if (text.startsWith('[')) return parseBracketed(text);
  const name = LOWER_NAME.test(text) ? text : asciiLowerCase(text);
  checkLabels(name);
  if (endsInNumber(name) && !isDottedQuad(name)) throw malformed('an IPv4 address must be four decimal numbers without leading zeros');
  return name;
}

/** Whether `text` is four decimal numbers from 0 to 255 without leading zeros. */
export function isDottedQuad(text: string): boolean {
  if (text.length > 15 || !isDigit(text.charCodeAt(text.length - 1))) return false;
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(?:0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

function asciiLowerCase(text: string): string {
  if (/^[A-Za-z0-9_.-]+$/.test(text)) return text.toLowerCase();
  throw malformed(strangeCharacter(text));
}

function strangeCharacter(text: string): string {
  if (text === '') return 'the host is empty';
  if (/[^\0-\x7f]/.test(text)) return 'a host in another script must be given in its xn-- form';
  if (/[\0-\x20\x7f]/.test(text)) return 'the host holds a space or a control character';
  if (text.includes('@')) return 'userinfo is not allowed in an authority';
  if (text.includes('%')) return 'percent-encoding is not allowed in a host';
  return 'a host may hold letters, digits, dots, hyphens and underscores only';
}

function checkLabels(name: string): void {
  if (name.length > MAX_NAME) throw malformed('the host is longer than 253 characters');
  if (name.endsWith('.')) throw malformed('a trailing dot is not allowed in a host');
  let start = 0;
  while (start <= name.length) {
    const dot = name.indexOf('.', start);
    const end = dot === -1 ? name.length : dot;
    if (end === start) throw malformed('the host has an empty label');
    if (end - start > MAX_LABEL) throw malformed('a label of the host is longer than 63 characters');
    start = end + 1;
  }
}

/** WHATWG URL §3.5, "ends in a number": such a host is read as IPv4 by browsers and by many libraries. */
function endsInNumber(name: string): boolean {
  const start = name.lastIndexOf('.') + 1;
  if (!isDigit(name.charCodeAt(start))) return false;
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(name.slice(start));
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function parseBracketed(text: string): string {
  const inner = text.slice(1, -1);
  if (inner.includes('%')) throw malformed('an IPv6 zone is not allowed');
  if (!/^[0-9A-Fa-f:.]+$/.test(inner) || !hasSoundTail(inner) || !ipaddr.IPv6.isValid(inner)) {
    throw malformed('the brackets hold no IPv6 address');
  }
  const address = ipaddr.IPv6.parse(inner);
  if (address.isIPv4MappedAddress()) throw malformed('an IPv4 address must not be written as IPv6');
  return address.toRFC5952String();
}

/** An IPv4 tail (`64:ff9b::192.0.2.1`) must be a plain dotted quad: the library also takes octal and hexadecimal parts. */
function hasSoundTail(inner: string): boolean {
  return !inner.includes('.') || isDottedQuad(inner.slice(inner.lastIndexOf(':') + 1));
}
