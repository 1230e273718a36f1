/** RFC 9110 §5.6.2: the characters of a token. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** Everything that must not stand in a field value (RFC 9110 §5.5); obs-text (0x80–0xff) may. */
const NOT_IN_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether `text` is a token: a method or a field name. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Whether `text` can stand in a field: no CR, LF, NUL or other control character, nothing beyond one byte a character. */
export function isFieldValue(text: string): boolean {
  return !NOT_IN_VALUE.test(text);
}

/**
 * Without the white space of fields around it (OWS, RFC 9110 §5.6.3). `trim` takes more: among it 0xA0, the last octet of an `à` in UTF-8.
 */
export function trimSpaces(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start += 1;
  while (start < end && isSpace(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** A lower-case field name with underscores read as dashes, as CGI-like servers do when they make variables of them. */
export function foldUnderscores(lowerName: string): string {
  return lowerName.includes('_') ? lowerName.replaceAll('_', '-') : lowerName;
}
