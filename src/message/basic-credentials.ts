/** The two parts of Basic credentials (RFC 7617). */
export interface BasicCredentials {
  readonly username: string;
  readonly password: string;
}

const BASE64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/** Decodes what follows `Basic `: base64 of `user:password` in UTF-8, or undefined when it is not that. The first colon divides. */
export function decodeBasic(credentials: string): BasicCredentials | undefined {
  if (!BASE64.test(credentials)) return undefined;
  const text = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
