/** `aws-chunked` bodies as clients make them, and a verifier that reads them in the plainest way, from the whole body at once. */
import { createHash, createHmac, createPublicKey, verify, type KeyObject } from 'node:crypto';
import type { BodyTransform } from '../../src/message/body.ts';
import type { ChunkSigning } from '../../src/inject/sigv4/chunk-signature.ts';

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: Buffer | string, text: string): Buffer => createHmac('sha256', key).update(text).digest();

/** The signing key of SigV4 (`kSigning`). */
export function signingKey(secret: string, date: string, region: string, service: string): Buffer {
  return hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request');
}

/** A signature of a client that does not have the credential. */
export const DUMMY = { hmac: 'd'.repeat(64), ecdsa: `${'3'.repeat(141)}***` } as const;

/** The body that a client sends for these chunks, with false signatures. `trailers` are lines without their end. */
export function clientBody(
  chunks: readonly (Buffer | string)[],
  trailers?: readonly string[],
  { signature = DUMMY.hmac, trailerEnd = '\r\n' } = {},
): Buffer {
  const parts: Buffer[] = [];
  for (const chunk of chunks) {
    const data = Buffer.from(chunk);
    parts.push(Buffer.from(`${data.length.toString(16)};chunk-signature=${signature}\r\n`), data, Buffer.from('\r\n'));
  }
  parts.push(Buffer.from(`0;chunk-signature=${signature}\r\n`));
  const lines = (trailers ?? []).map((line) => line + trailerEnd).join('');
  parts.push(Buffer.from(trailers === undefined ? '\r\n' : `${lines}x-amz-trailer-signature:${signature}\r\n\r\n`));
  return Buffer.concat(parts);
}

/** What leaves of a body that arrives cut at these offsets. */
export function transformed(transform: BodyTransform, body: Buffer, offsets: readonly number[] = []): Buffer {
  const edges = [0, ...[...offsets].sort((one, other) => one - other), body.length];
  const leaving = edges.slice(1).flatMap((to, index) => [...transform.write(Buffer.from(body.subarray(edges[index], to)))]);
  return Buffer.concat([...leaving, ...transform.end(undefined).pieces]);
}

/** What a provider reads. */
export interface VerifiedBody {
  readonly data: Buffer;
  readonly signatures: readonly string[];
  readonly trailers: readonly string[];
}

/** Reads a body that must be signed with `signing`, byte for byte as the S3 documentation says; throws where it is not. */
export function verifyBody(body: Buffer, signing: ChunkSigning, trailers: boolean): VerifiedBody {
  const data: Buffer[] = [];
  const signatures = [signing.seed];
  let at = 0;
  const line = (): string => {
    const end = body.indexOf('\r\n', at);
    if (end === -1) throw new Error('a line has no end');
    const text = body.toString('latin1', at, end);
    at = end + 2;
    return text;
  };
  const check = (signature: string, kind: string, ...rest: readonly string[]): void => {
    const text = [`${algorithm(signing.key)}-${kind}`, signing.amzDate, signing.scope, signatures.at(-1), ...rest].join('\n');
    const bare = signature.replace(/\*+$/, '');
    if (!isSignature(signing.key, text, bare)) throw new Error(`the ${kind} signature number ${signatures.length} is wrong`);
    signatures.push(bare);
  };
  for (let size = -1; size !== 0;) {
    const [, digits = '', signature = ''] = /^([0-9a-fA-F]+);chunk-signature=([0-9a-f*]+)$/.exec(line()) ?? [];
    size = Number.parseInt(digits, 16);
    const chunk = body.subarray(at, at + size);
    if (chunk.length !== size) throw new Error('a chunk is cut off');
    check(signature, 'PAYLOAD', sha256(''), sha256(chunk));
    data.push(chunk);
    at += size;
    if ((size > 0 || !trailers) && line() !== '') throw new Error('a chunk has no end');
  }
  const fields: string[] = [];
  if (trailers) {
    let text = line();
    for (; !text.toLowerCase().startsWith('x-amz-trailer-signature:'); text = line()) fields.push(text.trim());
    check(text.slice('x-amz-trailer-signature:'.length), 'TRAILER', sha256(canonicalTrailers(fields)));
    if (line() !== '') throw new Error('the trailers have no end');
  }
  if (at !== body.length) throw new Error('something follows');
  return { data: Buffer.concat(data), signatures: signatures.slice(1), trailers: fields };
}

/** Names in lower case, white space around the values gone, in the order of the names. */
function canonicalTrailers(fields: readonly string[]): string {
  const pairs = fields.map((field) => field.split(':').map((part, at) => (at === 0 ? part.toLowerCase() : part.trim())));
  return [...pairs.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))].map((pair) => `${pair.join(':')}\n`).join('');
}

function algorithm(key: Buffer | KeyObject): string {
  return Buffer.isBuffer(key) ? 'AWS4-HMAC-SHA256' : 'AWS4-ECDSA-P256-SHA256';
}

function isSignature(key: Buffer | KeyObject, text: string, signature: string): boolean {
  if (Buffer.isBuffer(key)) return createHmac('sha256', key).update(text).digest('hex') === signature;
  return verify('sha256', Buffer.from(text), createPublicKey(key), Buffer.from(signature, 'hex'));
}
