import { malformed } from '../../message/malformed.ts';
import { formatAuthority } from '../../message/authority.ts';
import { parameterName } from '../../message/query.ts';
import type { CanonicalUrl } from '../../message/url.ts';
import type { ClientSignature } from '../../aws/client-signature.ts';
import { isSignedField } from '../../aws/signed-fields.ts';
import { percentEncode } from '../percent-encoding.ts';
import { canonicalHeaders, type PathStyle } from './canonical.ts';
import type { HeadToSign } from './sign-head.ts';
import { amzDateOf, canonicalRequest, stringToSign } from './signature.ts';
import { removeSignature } from './signed-fields.ts';
import type { AccessKey, Signer } from './signer.ts';

/** Parameters of a presigned request that are written anew. X-Amz-Content-Sha256 says something about the body and stays. */
const OF_SIGNATURE: ReadonlySet<string> = new Set([
  ...['x-amz-algorithm', 'x-amz-credential', 'x-amz-date', 'x-amz-expires', 'x-amz-signedheaders', 'x-amz-signature'],
  ...['x-amz-security-token', 'x-amz-region-set', 'x-amz-s3session-token'],
]);
/** How far ahead the clock of a client may be: as far as AWS allows. */
const MAX_AHEAD_MS = 15 * 60_000;

/** How a presigned request is signed anew. */
export interface PresignOptions {
  readonly payload: string;
  readonly pathStyle: PathStyle;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** What is left of the life that the client gave it; undefined: it named none. */
  readonly expiresS: number | undefined;
}

/**
 * The URL of a presigned request, signed anew, and its signature: the parameters of the client's signature go, the others stay byte for byte, and the new ones
 * stand behind them. A field that the client had signed must be there.
 */
export function signQuery(
  head: HeadToSign,
  client: ClientSignature,
  accessKey: AccessKey,
  signer: Signer,
  options: PresignOptions,
): { readonly url: CanonicalUrl; readonly signature: string } {
  const { headers } = head;
  removeSignature(headers);
  const missing = client.signedHeaders.find((name) => name !== 'host' && !headers.has(name));
  if (missing !== undefined) throw malformed('A field that the presigned URL names is not in the request.');
  const isSigned = (lower: string): boolean => isSignedField(lower) || client.signedHeaders.includes(lower);
  const host = formatAuthority(head.origin, head.origin.scheme);
  const amzDate = amzDateOf(options.at);
  const day = amzDate.slice(0, 8);
  const scope = signer.scope(day);
  const query = [
    ...ownParameters(head.url.query),
    `X-Amz-Algorithm=${signer.algorithm}`,
    `X-Amz-Credential=${percentEncode(`${accessKey.accessKeyId}/${scope}`)}`,
    `X-Amz-Date=${amzDate}`,
    ...(options.expiresS === undefined ? [] : [`X-Amz-Expires=${String(options.expiresS)}`]),
    ...(signer.regionSet === undefined ? [] : [`X-Amz-Region-Set=${percentEncode(signer.regionSet)}`]),
    ...(accessKey.sessionToken === undefined ? [] : [`X-Amz-Security-Token=${percentEncode(accessKey.sessionToken)}`]),
    `X-Amz-SignedHeaders=${percentEncode(canonicalHeaders(headers, host, isSigned).names)}`,
  ].join('&');
  const { method, url } = head;
  const canonical = canonicalRequest({ ...options, method, host, path: url.path, query, headers, isSigned });
  const signature = signer.sign(day, stringToSign(signer.algorithm, amzDate, scope, canonical.text));
  return { url: { path: url.path, query: `${query}&X-Amz-Signature=${signature}` }, signature };
}

/**
 * Seconds that a presigned request has left at `at`, by the client's own date; undefined when it gave no expiry. Throws `malformed_request`
 * when none are left, and for a date that is far ahead.
 */
export function remainingSeconds({ signedAt, expiresS }: ClientSignature, at: number): number | undefined {
  if (signedAt === undefined) return expiresS;
  if (signedAt - at > MAX_AHEAD_MS) throw malformed('X-Amz-Date of the presigned URL lies more than a quarter of an hour ahead.');
  // Without an expiry it holds as long as AWS takes a date to be current.
  const left = Math.floor((signedAt + (expiresS ?? MAX_AHEAD_MS / 1000) * 1000 - at) / 1000);
  if (left <= 0) throw malformed('The presigned URL has expired.');
  return expiresS === undefined ? undefined : Math.min(left, expiresS);
}

function ownParameters(query: string | undefined): string[] {
  return (query ?? '').split('&').filter((piece) => piece !== '' && !OF_SIGNATURE.has(parameterName(piece).toLowerCase()));
}
