import { createHash, createHmac, hash } from 'node:crypto';
import type { HeaderList } from '../../message/header-list.ts';
import { canonicalHeaders, canonicalPath, canonicalQuery, type PathStyle } from './canonical.ts';

/** SHA-256 of no content, in hex. */
export const EMPTY_HASH = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** The algorithm as requests name it. */
export const HMAC_ALGORITHM = 'AWS4-HMAC-SHA256';

/** What a signature is calculated over. */
export interface SignedRequest {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: HeaderList;
  readonly isSigned: (lowerName: string) => boolean;
  readonly pathStyle: PathStyle;
  /** Hex SHA-256 of the body, or one of the words that stand for it. */
  readonly payload: string;
}

/** A canonical request and the names of the fields in it. */
export interface CanonicalRequest {
  readonly text: string;
  readonly signedHeaders: string;
}

/** The canonical request (AWS Signature Version 4, "Create a canonical request"). */
export function canonicalRequest(request: SignedRequest): CanonicalRequest {
  const { lines, names } = canonicalHeaders(request.headers, request.host, request.isSigned);
  const path = canonicalPath(request.path, request.pathStyle);
  const text = `${request.method}\n${path}\n${canonicalQuery(request.query)}\n${lines}\n${names}\n${request.payload}`;
  return { text, signedHeaders: names };
}

/** The string to sign: `scope` is `20251125/us-east-1/s3/aws4_request`. */
export function stringToSign(algorithm: string, amzDate: string, scope: string, canonical: string): string {
  return `${algorithm}\n${amzDate}\n${scope}\n${latin1Hash(canonical)}`;
}

/** HMAC-SHA256 of `text` in hex. */
export function hmacHex(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text, 'latin1').digest('hex');
}

/** SHA-256 of a body, in hex. */
export function contentHash(content: Buffer): string {
  return content.length === 0 ? EMPTY_HASH : hash('sha256', content, 'hex');
}

/** `20251125T120000Z` for milliseconds since the epoch. */
export function amzDateOf(atMs: number): string {
  const second = Math.floor(atMs / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastDate = `${new Date(second * 1000).toISOString().slice(0, 19).replace(/[:-]/g, '')}Z`;
  }
  return lastDate;
}

let lastSecond = -1;
let lastDate = '';

/** Field values are octets, one a character; in UTF-8 they would be others. */
function latin1Hash(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex');
}
