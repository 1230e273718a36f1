// C0 and C1 controls, DEL, line and paragraph separators, and the marks that reorder text (Unicode TR9): what a stored text could use
// to forge a line of output or to drive the terminal.
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** Returns `text` with every character that could act on a terminal spelled out as `\u001b`. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
