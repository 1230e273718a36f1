import { randomFillSync } from 'node:crypto';

const ID_BYTES = 16;
/** So many ids are drawn at once: a call of the generator costs as much as many bytes. */
const IDS_AT_ONCE = 128;

/** Of each octet the two hexadecimal digits, as characters. */
const HIGH_DIGITS = digitsOf((octet) => octet >> 4);
const LOW_DIGITS = digitsOf((octet) => octet & 0x0f);
/** Where in the text the digits of each octet stand. */
const PLACES = Uint8Array.of(0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34);

const random = Buffer.alloc(IDS_AT_ONCE * ID_BYTES);
let used = random.length;
/** Every id is written over the one before; the hyphens stay. */
const text = Buffer.alloc(36, '-');

/**
 * A request id: a random UUID (RFC 9562 version 4) in lower case. `randomUUID` of Node gives the same, but puts its text together from twenty
 * pieces, which leaves ten times as much garbage at every request.
 */
export function newRequestId(): string {
  if (used === random.length) {
    randomFillSync(random);
    used = 0;
  }
  // The bits that say which kind of UUID it is.
  random[used + 6] = ((random[used + 6] ?? 0) & 0x0f) | 0x40;
  random[used + 8] = ((random[used + 8] ?? 0) & 0x3f) | 0x80;
  for (let at = 0; at < ID_BYTES; at += 1) {
    const octet = random[used + at] ?? 0;
    const place = PLACES[at] ?? 0;
    text[place] = HIGH_DIGITS[octet] ?? 0;
    text[place + 1] = LOW_DIGITS[octet] ?? 0;
  }
  used += ID_BYTES;
  return text.toString('latin1');
}

function digitsOf(valueOf: (octet: number) => number): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, octet) => valueOf(octet).toString(16).charCodeAt(0));
}
