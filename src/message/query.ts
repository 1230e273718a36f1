/** Decoded name of one `name=value` piece of a query. */
export function parameterName(parameter: string): string {
  const equals = parameter.indexOf('=');
  return decodeComponent(equals === -1 ? parameter : parameter.slice(0, equals));
}

/**
 * Text of a query component as a form decoder reads it: `+` is a space, and valid escapes are decoded as UTF-8. What does not decode
 * stays as it stands.
 */
export function decodeComponent(text: string): string {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  if (!spaced.includes('%')) return spaced;
  return Buffer.from(decodeEscapes(spaced), 'latin1').toString('utf8');
}

/** `text` with valid escapes decoded, one character an octet. What does not decode stays as it stands. */
export function decodeEscapes(text: string): string {
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
