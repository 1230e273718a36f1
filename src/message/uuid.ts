const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

let lastText = '';
let lastUuid: string | undefined;

/** The UUID (RFC 9562 text form, any version, any case) in lower case, or undefined when `text` is anything else. */
export function parseUuid(text: string): string | undefined {
  if (text.length !== 36) return undefined;
  // A busy client names one grant again and again. The same string, not only the same text: it is looked up by a hash that it has already.
  if (text !== lastText) {
    const lower = UUID.test(text) ? text : text.toLowerCase();
    lastUuid = UUID.test(lower) ? lower : undefined;
    lastText = text;
  }
  return lastUuid;
}
