import { AlterError, WIRE_ERRORS } from '../errors.ts';
import { KEY_DEPRECATED } from '../principals/caller.ts';
import type { Caller } from '../principals/caller.ts';

/** An answer of the proxy itself. */
export interface ProblemAnswer {
  readonly status: number;
  /** Name, value, name, value … */
  readonly headers: string[];
  readonly body: Buffer;
}

/** Who must authenticate, for codes that ask for a key: the proxy's client (407) or, inside TLS, the request (401). */
export type KeyChallenge = 'proxy' | 'request';

const KEY_CODES = new Set(['invalid_key', 'key_expired', 'key_revoked']);

/** Status of the answer for a refusal: the one of the registry, but 407 where the proxy's client must authenticate. */
export function answerStatus(error: AlterError, challenge: KeyChallenge): number {
  return challenge === 'proxy' && KEY_CODES.has(error.code) ? 407 : error.status;
}

/**
 * The answer for a refusal: problem document (RFC 9457), `Proxy-Status` (RFC 9209) and `X-Alter-Error`. Everything in it is
 * from the registry or safe by contract.
 */
export function problemAnswer(error: AlterError, requestId: string, challenge: KeyChallenge, caller?: Caller): ProblemAnswer {
  const spec = WIRE_ERRORS[error.code];
  const status = answerStatus(error, challenge);
  const document = {
    type: `urn:alter-proxy:error:${error.code}`,
    title: spec.title,
    status,
    code: error.code,
    detail: error.detail ?? spec.hint,
    ...(error.rule === undefined ? {} : { rule: error.rule }),
    request_id: requestId,
  };
  const body = Buffer.from(`${JSON.stringify(document)}\n`);
  const headers = [
    'Content-Type',
    'application/problem+json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
    'X-Alter-Error',
    error.code,
    'X-Alter-Request-Id',
    requestId,
    'Proxy-Status',
    `alter-proxy; error=${spec.proxyStatus}; details="${error.code}"`,
  ];
  if (caller?.deprecated === true) headers.push(KEY_DEPRECATED, 'true');
  if (status === 407) headers.push('Proxy-Authenticate', 'Basic realm="alter-proxy"');
  if (status === 401) headers.push('WWW-Authenticate', 'Bearer realm="alter-proxy"');
  if (error.code === 'method_not_supported') headers.push('Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS');
  if (error.retryAfterS !== undefined) headers.push('Retry-After', String(error.retryAfterS));
  headers.push(...error.headers);
  return { status, headers, body };
}
