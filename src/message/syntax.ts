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

/** A lower-case field name with underscores read as dashes, as CGI-like servers do when they make variables of them. */
export function foldUnderscores(lowerName: string): string {
  return lowerName.includes('_') ? lowerName.replaceAll('_', '-') : lowerName;
}
