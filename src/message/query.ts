/** Decoded name of one `name=value` piece of a query. */
export function parameterName(parameter: string): string {
  const equals = parameter.indexOf('=');
  return decodeComponent(equals === -1 ? parameter : parameter.slice(0, equals));
}

/**
 * The pieces between the ampersands of a query, without the parameters whose decoded name is one of `names`; what is left stays byte for byte.
 */
export function otherParameters(query: string | undefined, names: ReadonlySet<string>): string[] {
  if (query === undefined || query === '') return [];
  return query.split('&').flatMap((piece) => withoutParameters(piece, names) ?? []);
}

/**
 * One piece between ampersands without these parameters; undefined when nothing is left. A semicolon separates too: some servers take it for an
 * ampersand.
 */
export function withoutParameters(piece: string, names: ReadonlySet<string>): string | undefined {
  if (!piece.includes(';')) return names.has(parameterName(piece)) ? undefined : piece;
  const kept = piece.split(';').filter((own) => !names.has(parameterName(own)));
  return kept.length === 0 ? undefined : kept.join(';');
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
