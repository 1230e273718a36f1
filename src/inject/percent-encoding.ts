import { CommandError } from '../errors.ts';

/** UTF-8 percent-encoding of everything but unreserved characters (RFC 3986 §2.3). Throws `record_invalid` for broken text. */
export function percentEncode(text: string): string {
  if (/\p{Surrogate}/u.test(text)) throw new CommandError('record_invalid', 'a value is not valid Unicode text');
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
