import { fieldNameAt, hashOctet, type FieldName } from '../field-name.ts';
import { H1Error, type H1Reason } from './error.ts';
import type { OctetLines } from './octet-lines.ts';
import { COLON, CR, FIELD_OCTETS, HTAB, LF, SP, TOKEN_OCTETS, skip } from './octets.ts';

/**
 * Reads the field line at `start` (RFC 9112 §5) and adds its name, and its value without the white space around it, to the lists. Returns the
 * position after the line.
 * @throws H1Error for every line that is not: token, colon, field value, CRLF.
 */
export function readFieldLine(lines: OctetLines, start: number, names: FieldName[], values: string[]): number {
  const { octets } = lines;
  let at = start;
  let hash = 0;
  for (let octet = octets[at] ?? LF; TOKEN_OCTETS[octet] === 1; octet = octets[at] ?? LF) {
    hash = hashOctet(hash, octet);
    at += 1;
  }
  if (at === start || octets[at] !== COLON) throw badName(lines, start, at);
  const name = fieldNameAt(octets, start, at, hash);
  const valueStart = skipWhitespace(octets, at + 1);
  const lineEnd = skip(FIELD_OCTETS, lines, valueStart);
  const next = afterLineEnd(lines, lineEnd, 'bad_field_value');
  const valueEnd = trimmedEnd(octets, valueStart, lineEnd);
  // Some parsers take a tab behind the value for a part of it, and then see another length.
  if (valueEnd < lineEnd && saysLength(name) && hasTab(octets, valueEnd, lineEnd)) throw new H1Error('tab_behind_length');
  names.push(name);
  values.push(lines.slice(valueStart, valueEnd));
  return next;
}

/** Position after the CRLF that must stand at `at`. Throws `otherwise` when neither CR nor LF stands there. */
export function afterLineEnd(lines: OctetLines, at: number, otherwise: H1Reason): number {
  if (isLineEnd(lines, at)) return at + 2;
  throw new H1Error(brokenLineEnd(lines.at(at)) ?? otherwise);
}

/** Whether CRLF stands at `at`. */
export function isLineEnd({ octets }: OctetLines, at: number): boolean {
  return octets[at] === CR && octets[at + 1] === LF;
}

/** The reason when a line is cut by a single CR or LF (RFC 9112 §2.2), which some parsers take for a line end. */
export function brokenLineEnd(octet: number): H1Reason | undefined {
  if (octet === LF) return 'bare_lf';
  return octet === CR ? 'bare_cr' : undefined;
}

function badName(lines: OctetLines, start: number, nameEnd: number): H1Error {
  const octet = lines.at(nameEnd);
  const isSpace = octet === SP || octet === HTAB;
  // RFC 9112 §5.2 and §5.1: both are refused, because recipients disagree on what they belong to.
  if (isSpace) return new H1Error(nameEnd === start ? 'obs_fold' : 'space_before_colon');
  if (isLineEnd(lines, nameEnd)) return new H1Error('bad_field_name');
  return new H1Error(brokenLineEnd(octet) ?? 'bad_field_name');
}

function skipWhitespace(octets: Uint8Array, start: number): number {
  let at = start;
  while (isWhitespace(octets[at])) at += 1;
  return at;
}

function trimmedEnd(octets: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isWhitespace(octets[at - 1])) at -= 1;
  return at;
}

function saysLength({ framing }: FieldName): boolean {
  return framing === 'content-length' || framing === 'transfer-encoding';
}

function hasTab(octets: Uint8Array, start: number, end: number): boolean {
  return octets.subarray(start, end).includes(HTAB);
}

/** OWS, RFC 9110 §5.6.3. */
function isWhitespace(octet: number | undefined): boolean {
  return octet === SP || octet === HTAB;
}
