/** Hashes that an API may sign with. */
export const HMAC_ALGORITHMS = ['sha256', 'sha512', 'sha384', 'sha1'] as const;
/** How the field holds the key. */
export const KEY_ENCODINGS = ['raw', 'base64', 'hex'] as const;
/** How the signature is written. */
export const SIGNATURE_ENCODINGS = ['hex', 'hex_upper', 'base64', 'base64url'] as const;

/**
 * `hmac`: signs each request. `key`, `message`, `headers` and `query` are formats: `{field}` is a field of the provider, and the names of
 * `REQUEST_VARIABLES` stand for the request.
 */
export interface HmacRule {
  readonly kind: 'hmac';
  readonly algorithm: (typeof HMAC_ALGORITHMS)[number];
  /** Fields only. */
  readonly key: string;
  readonly keyEncoding: (typeof KEY_ENCODINGS)[number];
  readonly message: string;
  readonly encoding: (typeof SIGNATURE_ENCODINGS)[number];
  /** What is written: a format by the name of its header, or its query parameter. One at least holds `{signature}`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Largest body that is read, where the message needs it. */
  readonly maxBytes?: number;
}

/** What stands for the content of the body: in the message only. */
const BODY_VARIABLES = ['body', 'body_sha256', 'body_sha512', 'body_md5'] as const;

/** What stands for the request, and for the moment of signing, in message and output. */
const REQUEST_VARIABLES = [
  ...['method', 'host', 'path', 'query', 'path_and_query', 'content_type'],
  ...['timestamp', 'timestamp_ms', 'timestamp_iso', 'nonce', 'uuid'],
] as const;

/** The variables that stand for a part of the request that another rule may write. */
const PART_VARIABLES = new Map<string, readonly string[]>([
  ['path', ['path', 'path_and_query']],
  ['query', ['query', 'path_and_query']],
  ['body', BODY_VARIABLES],
  ['header:content-type', ['content_type']],
]);

const VARIABLES: ReadonlySet<string> = new Set([...REQUEST_VARIABLES, ...BODY_VARIABLES, 'signature']);

/** Whether a name stands for something of the request in a rule that signs; a field of the provider cannot have it. */
export function isVariable(name: string): boolean {
  return VARIABLES.has(name);
}

/** The format with its fields only, so that what it needs of the credential can be told. */
export function withoutVariables(format: string): string {
  return format.replace(/\{([a-z0-9_]+)\}/g, (reference, name: string) => (isVariable(name) ? '' : reference));
}

/** Whether the message holds the body, or a hash of it. */
export function readsBodyOf({ message }: HmacRule): boolean {
  return has(message, BODY_VARIABLES);
}

/** Whether what is signed, or written beside the signature, holds a part of the request: `path`, `query`, `body` or `header:content-type`. */
export function holdsPart(rule: HmacRule, part: string): boolean {
  const variables = PART_VARIABLES.get(part) ?? [];
  return [rule.message, ...outputFormats(rule)].some((format) => has(format, variables));
}

function has(format: string, names: readonly string[]): boolean {
  return names.some((name) => format.includes(`{${name}}`));
}

/** The formats of what a rule writes. */
export function outputFormats({ headers, query }: HmacRule): string[] {
  return [...Object.values(headers), ...Object.values(query)];
}

/** What is wrong with a rule beyond its shape, and where; undefined when nothing is. */
export function hmacFault(rule: HmacRule): readonly [member: string, fault: string] | undefined {
  if (withoutVariables(rule.key) !== rule.key) return ['key', 'is made of fields only'];
  if (has(rule.message, ['signature'])) return ['message', 'cannot hold its own {signature}'];
  for (const member of ['headers', 'query'] as const) {
    if (Object.values(rule[member]).some((format) => has(format, BODY_VARIABLES)))
      return [member, 'cannot hold the body; write it into message'];
  }
  if (!outputFormats(rule).some((format) => has(format, ['signature'])))
    return ['headers', 'hold no {signature}, and query holds none either'];
  return undefined;
}
