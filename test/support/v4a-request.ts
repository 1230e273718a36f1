/** Reads the SigV4a signature of a request the way a provider does, from what arrived, in the plainest way: for paths and queries that need no encoding. */
import { createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';

/** A request as an origin recorded it. */
export interface ArrivedRequest {
  readonly method: string;
  readonly url: string;
  /** Name, value, name, value … */
  readonly rawHeaders: readonly string[];
}

/** What the signature says, after it has been verified. */
export interface V4aSignature {
  readonly accessKeyId: string;
  readonly scope: string;
  readonly amzDate: string;
  readonly signedHeaders: readonly string[];
  /** X-Amz-Region-Set, which must be signed. */
  readonly regionSet: string;
  /** Signature of the head in hex. */
  readonly seed: string;
}

const AUTHORIZATION =
  /^AWS4-ECDSA-P256-SHA256 Credential=([^/]+)\/(\d{8}\/[^/]+\/aws4_request), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]+)$/;

/** Verifies the header form with the public half of `key`; throws when the request is not signed with it, or signed twice. */
export function verifiedV4a(request: ArrivedRequest, key: KeyObject): V4aSignature {
  const fields = new Map<string, string>();
  request.rawHeaders.forEach((name, index) => {
    if (index % 2 === 1) return;
    if (fields.has(name.toLowerCase())) throw new Error(`${name} is there twice`);
    fields.set(name.toLowerCase(), (request.rawHeaders[index + 1] ?? '').trim());
  });
  const field = (name: string): string => fields.get(name) ?? '';
  const [, accessKeyId = '', scope = '', names = '', seed = ''] = AUTHORIZATION.exec(field('authorization')) ?? [];
  const signedHeaders = names.split(';');
  if (!['host', 'x-amz-date', 'x-amz-region-set'].every((name) => signedHeaders.includes(name))) throw new Error(`not signed: ${names}`);
  const [path = '', query = ''] = request.url.split('?');
  const lines = signedHeaders.map((name) => `${name}:${field(name)}\n`).join('');
  const parameters = query.split('&').sort().join('&');
  const canonical = [request.method, path, parameters, lines, names, field('x-amz-content-sha256')].join('\n');
  const hash = createHash('sha256').update(canonical, 'latin1').digest('hex');
  const text = ['AWS4-ECDSA-P256-SHA256', field('x-amz-date'), scope, hash].join('\n');
  if (!verify('sha256', Buffer.from(text), createPublicKey(key), Buffer.from(seed, 'hex'))) throw new Error('the signature is wrong');
  return { accessKeyId, scope, amzDate: field('x-amz-date'), signedHeaders, regionSet: field('x-amz-region-set'), seed };
}
