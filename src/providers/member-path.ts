const MAX_DEPTH = 16;

/**
 * The names that lead to a member of a JSON object: `auth.api_key`, or as a JSON pointer (RFC 6901) `/auth/api.key`. Undefined when it is no
 * such path.
 */
export function memberPath(text: string): readonly string[] | undefined {
  const names = text.startsWith('/') ? pointer(text.slice(1)) : text.split('.');
  return names === undefined || names.length > MAX_DEPTH || names.includes('') ? undefined : names;
}

function pointer(text: string): string[] | undefined {
  if (/~(?![01])/.test(text)) return undefined;
  return text.split('/').map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'));
}
