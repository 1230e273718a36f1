import type { OctetLines } from './octet-lines.ts';

/** Octets that the grammar of HTTP/1.1 names. */
export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COLON = 0x3a;

/** A table with 1 for each octet that `belongs`. */
function table(belongs: (octet: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => (belongs(octet) ? 1 : 0));
}

const TOKEN_PUNCTUATION = "!#$%&'*+-.^_`|~";

/** tchar, RFC 9110 §5.6.2. */
export const TOKEN_OCTETS = table((octet) => isAlphanumeric(octet) || TOKEN_PUNCTUATION.includes(String.fromCharCode(octet)));

/** field-vchar, SP and HTAB, RFC 9110 §5.5: visible ASCII and obs-text. Also what a reason phrase may hold (RFC 9112 §4). */
export const FIELD_OCTETS = table((octet) => octet === HTAB || (octet >= SP && octet !== 0x7f));

/** Visible ASCII without `#`: no form of a request target has a fragment (RFC 9112 §3.2). */
export const TARGET_OCTETS = table((octet) => octet > SP && octet < 0x7f && octet !== 0x23);

function isAlphanumeric(octet: number): boolean {
  return /[0-9A-Za-z]/.test(String.fromCharCode(octet)) && octet < 0x80;
}

/** Position of the first octet at or after `start` that is not in `table`: at the latest the LF at the end of the lines. */
export function skip(table: Uint8Array, { octets }: OctetLines, start: number): number {
  let at = start;
  while (table[octets[at] ?? LF] === 1) at += 1;
  return at;
}
