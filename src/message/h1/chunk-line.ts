import { H1Error } from './error.ts';
import { CR, LF } from './octets.ts';

/** 16 digits hold every size up to 2^53; more of them are zeros or an overflow (RFC 9112 §7.1 warns of both). */
const MAX_DIGITS = 16;
const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const QUOTED = '"(?:[ !#-[\\]-~]|\\\\[ -~])*"';
/** RFC 9112 §7.1.1 without its optional white space, which is called bad there, and without tabs and obs-text in strings. */
const EXTENSIONS = new RegExp(`^(?:;${TOKEN}(?:=(?:${TOKEN}|${QUOTED}))?)+$`);

/** The size in a line that is nothing but a size and CRLF, and lies in `chunk` as a whole; -1 when it does not. */
export function plainChunkSize(chunk: Buffer, from: number): number {
  let size = 0;
  let at = from;
  // Eight digits cannot overflow; more are rare.
  for (let digit = hexDigit(chunk[at]); digit !== -1 && at - from < 8; digit = hexDigit(chunk[at])) {
    size = size * 16 + digit;
    at += 1;
  }
  return at > from && chunk[at] === CR && chunk[at + 1] === LF ? size : -1;
}

/** Length of the line that {@link plainChunkSize} read at `from`. */
export function plainChunkLineLength(chunk: Buffer, from: number): number {
  let at = from;
  while (chunk[at] !== LF) at += 1;
  return at + 1 - from;
}

/** Reads a line, given with its LF, with the size of a chunk and its extensions; returns the size. Throws H1Error. */
export function readChunkLine(line: string): { size: number; extensionBytes: number } {
  if (!line.endsWith('\r\n')) throw new H1Error('bare_lf');
  const text = line.slice(0, -2);
  if (text.includes('\r')) throw new H1Error('bare_cr');
  const [digits = ''] = /^[0-9A-Fa-f]*/.exec(text) ?? [];
  const size = Number.parseInt(digits, 16);
  if (digits === '' || digits.length > MAX_DIGITS || !Number.isSafeInteger(size)) throw new H1Error('bad_chunk_size');
  const extensions = text.slice(digits.length);
  if (extensions === '') return { size, extensionBytes: 0 };
  if (!extensions.startsWith(';')) throw new H1Error('bad_chunk_size');
  if (!EXTENSIONS.test(extensions)) throw new H1Error('bad_chunk_extension');
  return { size, extensionBytes: extensions.length };
}

function hexDigit(octet: number | undefined): number {
  if (octet === undefined) return -1;
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30;
  const lower = octet | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
