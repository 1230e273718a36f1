import { H1Error, type H1Reason } from './error.ts';
import { COLON, CR, FIELD_OCTETS, HTAB, LF, SP, TOKEN_OCTETS, skip } from './octets.ts';

/**
 * Reads the field line at `start` (RFC 9112 §5) and adds its name and its value, without the white space around it, to `flat`.
 * `text` holds whole lines, each with its LF. Returns the index after the line.
 * @throws H1Error for every line that is not: token, colon, field value, CRLF.
 */
export function readFieldLine(text: string, start: number, flat: string[]): number {
  const nameEnd = skip(TOKEN_OCTETS, text, start);
  if (nameEnd === start || text.charCodeAt(nameEnd) !== COLON) throw badName(text, start, nameEnd);
  const valueStart = skipWhitespace(text, nameEnd + 1);
  const lineEnd = skip(FIELD_OCTETS, text, valueStart);
  const next = afterLineEnd(text, lineEnd, 'bad_field_value');
  flat.push(text.slice(start, nameEnd), text.slice(valueStart, trimmedEnd(text, valueStart, lineEnd)));
  return next;
}

/** Index after the CRLF that must stand at `at`. Throws `otherwise` when neither CR nor LF stands there. */
export function afterLineEnd(text: string, at: number, otherwise: H1Reason): number {
  if (text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF) return at + 2;
  throw new H1Error(brokenLineEnd(text.charCodeAt(at)) ?? otherwise);
}

/** The reason when a line is cut by a single CR or LF (RFC 9112 §2.2), which some parsers take for a line end. */
export function brokenLineEnd(octet: number): H1Reason | undefined {
  if (octet === LF) return 'bare_lf';
  return octet === CR ? 'bare_cr' : undefined;
}

function badName(text: string, start: number, nameEnd: number): H1Error {
  const octet = text.charCodeAt(nameEnd);
  const isSpace = octet === SP || octet === HTAB;
  // RFC 9112 §5.2 and §5.1: both are refused, because recipients disagree on what they belong to.
  if (isSpace) return new H1Error(nameEnd === start ? 'obs_fold' : 'space_before_colon');
  if (octet === CR && text.charCodeAt(nameEnd + 1) === LF) return new H1Error('bad_field_name');
  return new H1Error(brokenLineEnd(octet) ?? 'bad_field_name');
}

function skipWhitespace(text: string, start: number): number {
  let at = start;
  while (isWhitespace(text.charCodeAt(at))) at += 1;
  return at;
}

function trimmedEnd(text: string, start: number, end: number): number {
  let at = end;
  while (at > start && isWhitespace(text.charCodeAt(at - 1))) at -= 1;
  return at;
}

/** OWS, RFC 9110 §5.6.3. */
function isWhitespace(octet: number): boolean {
  return octet === SP || octet === HTAB;
}
