const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The UUID (RFC 9562 text form, any version, any case) in lower case, or undefined when `text` is anything else. */
export function parseUuid(text: string): string | undefined {
  if (text.length !== 36) return undefined;
  if (UUID.test(text)) return text;
  const lower = text.toLowerCase();
  return UUID.test(lower) ? lower : undefined;
}
