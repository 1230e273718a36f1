import type { Scheme } from '../../message/authority.ts';
import type { HeaderList } from '../../message/header-list.ts';
import { malformed } from '../../message/malformed.ts';
import { decodeComponent, parameterName } from '../../message/query.ts';

/** How a body takes part in the signature. */
export type Payload =
  /** It is read, and its hash is signed. */
  | { readonly kind: 'hash' }
  /** A word or a hash that the client gave is signed, and the body flows; the provider checks it. */
  | { readonly kind: 'given'; readonly text: string }
  /** The client has signed it chunk by chunk; each chunk is signed anew. */
  | { readonly kind: 'chunks'; readonly text: string; readonly trailers: boolean; readonly algorithm: 'hmac' | 'ecdsa' };

export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
const UNSIGNED_TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';
const CHUNKS = /^STREAMING-AWS4-(HMAC|ECDSA-P256)-SHA256-PAYLOAD(-TRAILER)?$/;
const HEX_HASH = /^[0-9a-f]{64}$/;

/** S3 and its relatives: they encode the path once and verify a hash that is given. */
const S3_FAMILY: ReadonlySet<string> = new Set(['s3', 's3express', 's3-outposts', 's3-object-lambda']);
/** Others that want X-Amz-Content-Sha256 in every request. */
const NAMES_PAYLOAD: ReadonlySet<string> = new Set(['aoss', 'es', 'glacier', 'vpc-lattice-svcs']);

/** Whether a service is S3, or reads requests as S3 does. */
export function isS3Like(service: string): boolean {
  return S3_FAMILY.has(service);
}

/** Whether requests to a service name their payload in X-Amz-Content-Sha256. */
export function namesPayload(service: string): boolean {
  return S3_FAMILY.has(service) || NAMES_PAYLOAD.has(service);
}

/** What the client says of its body, in X-Amz-Content-Sha256 of the header or of the query; undefined when it says nothing. */
export function declaredPayload(headers: HeaderList, query: string | undefined): string | undefined {
  const given = headers.getAll('x-amz-content-sha256');
  for (const piece of query?.includes('Sha256') === true || query?.includes('sha256') === true ? query.split('&') : []) {
    if (parameterName(piece).toLowerCase() === 'x-amz-content-sha256') given.push(decodeComponent(piece.slice(piece.indexOf('=') + 1)));
  }
  if (new Set(given).size > 1) throw malformed('X-Amz-Content-Sha256 is there twice, with different values.');
  return given[0];
}

/**
 * How the body of a request takes part in its signature. A body stays unsigned only where the connection protects it. Throws
 * `malformed_request` for a value of X-Amz-Content-Sha256 that is none.
 */
export function payloadOf(declared: string | undefined, service: string, scheme: Scheme): Payload {
  if (declared === undefined) return { kind: 'hash' };
  const mayBeUnsigned = scheme === 'https' && (isS3Like(service) || service === 'vpc-lattice-svcs');
  if (declared === UNSIGNED_PAYLOAD) return mayBeUnsigned ? { kind: 'given', text: declared } : { kind: 'hash' };
  if (declared === UNSIGNED_TRAILER) {
    if (mayBeUnsigned) return { kind: 'given', text: declared };
    throw malformed('Only S3 over TLS takes a body that is not signed.');
  }
  const chunks = CHUNKS.exec(declared);
  if (chunks !== null) {
    const [, algorithm, trailer] = chunks;
    return { kind: 'chunks', text: declared, trailers: trailer !== undefined, algorithm: algorithm === 'HMAC' ? 'hmac' : 'ecdsa' };
  }
  if (!HEX_HASH.test(declared.toLowerCase())) throw malformed('X-Amz-Content-Sha256 is neither a SHA-256 nor one of the words of AWS.');
  return isS3Like(service) ? { kind: 'given', text: declared } : { kind: 'hash' };
}
