import { isSignedField } from '../../aws/signed-fields.ts';
import { formatAuthority, type Origin } from '../../message/authority.ts';
import type { HeaderList } from '../../message/header-list.ts';
import type { CanonicalUrl } from '../../message/url.ts';
import type { PathStyle } from './canonical.ts';
import type { ChunkSigning } from './chunk-signature.ts';
import { amzDateOf, canonicalRequest, stringToSign } from './signature.ts';
import { removePayloadField, removeSignature } from './signed-fields.ts';
import type { AccessKey, Signer } from './signer.ts';

/** A request whose head is to be signed. The header is written into. */
export interface HeadToSign {
  readonly method: string;
  readonly origin: Origin;
  readonly url: CanonicalUrl;
  readonly headers: HeaderList;
}

/** What is signed about a body, and how the rest is spelled. */
export interface HeadOptions {
  /** Hex SHA-256 of the body, or one of the words that stand for it. */
  readonly payload: string;
  /** Whether the payload is named in X-Amz-Content-Sha256, as S3 wants it. */
  readonly namesPayload: boolean;
  readonly pathStyle: PathStyle;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Signs a request in its header: the client's own signature goes, X-Amz-Date, X-Amz-Security-Token, X-Amz-Content-Sha256 and Authorization are
 * written. The answer is what the chunks of the body are signed with, if it has any.
 */
export function signHead(head: HeadToSign, accessKey: AccessKey, signer: Signer, options: HeadOptions): ChunkSigning {
  const { headers } = head;
  const amzDate = amzDateOf(options.at);
  const day = amzDate.slice(0, 8);
  removeSignature(headers);
  removePayloadField(headers);
  headers.append('X-Amz-Date', amzDate);
  if (options.namesPayload) headers.append('X-Amz-Content-Sha256', options.payload);
  if (accessKey.sessionToken !== undefined) headers.append('X-Amz-Security-Token', accessKey.sessionToken);
  if (signer.regionSet !== undefined) headers.append('X-Amz-Region-Set', signer.regionSet);
  const { text, signedHeaders } = canonicalRequest({
    method: head.method,
    host: formatAuthority(head.origin, head.origin.scheme),
    path: head.url.path,
    query: head.url.query,
    headers,
    isSigned: isSignedField,
    pathStyle: options.pathStyle,
    payload: options.payload,
  });
  const scope = signer.scope(day);
  const signature = signer.sign(day, stringToSign(signer.algorithm, amzDate, scope, text));
  const credential = `Credential=${accessKey.accessKeyId}/${scope}`;
  headers.append('Authorization', `${signer.algorithm} ${credential}, SignedHeaders=${signedHeaders}, Signature=${signature}`);
  return { key: signer.key(day), scope, amzDate, seed: signature };
}
