import { createHmac, type KeyObject } from 'node:crypto';
import { signV4a } from './v4a-key.ts';

/** What the chunks of one body are signed with, all of it from the head that was signed before them. */
export interface ChunkSigning {
  /** The derived signing key of SigV4, or the private key of SigV4a ({@link v4aKey}). */
  readonly key: Buffer | KeyObject;
  /** `20251125/us-east-1/s3/aws4_request`; of SigV4a without the region. */
  readonly scope: string;
  /** `20251125T120000Z`, as in X-Amz-Date. */
  readonly amzDate: string;
  /** Signature of the head in hex. */
  readonly seed: string;
}

/** How wide a signature in a chunk is, in characters, so that the length of the body is known before it is signed. */
export const SIGNATURE_WIDTH = { hmac: 64, ecdsa: 144 } as const;
/** Fills an ECDSA signature, whose length varies, up to its width. It is no part of what the next signature covers. */
const PADDING = '*';
const SHA256_OF_NOTHING = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/**
 * The signatures of one body, each of which covers the one before it ("Signature calculations for the Authorization header: transferring
 * payload in multiple chunks", and "… with trailing headers", in the Amazon S3 API reference).
 */
export class SignatureChain {
  /** Characters of each signature on the wire. */
  readonly width: number;
  readonly #sign: (stringToSign: string) => string;
  readonly #chunkStart: string;
  readonly #trailerStart: string;
  #previous: string;

  constructor({ key, scope, amzDate, seed }: ChunkSigning) {
    const asymmetric = !Buffer.isBuffer(key);
    const algorithm = asymmetric ? 'AWS4-ECDSA-P256-SHA256' : 'AWS4-HMAC-SHA256';
    this.width = asymmetric ? SIGNATURE_WIDTH.ecdsa : SIGNATURE_WIDTH.hmac;
    this.#sign = asymmetric ? (text) => signV4a(key, text) : (text) => createHmac('sha256', key).update(text, 'latin1').digest('hex');
    this.#chunkStart = `${algorithm}-PAYLOAD\n${amzDate}\n${scope}\n`;
    this.#trailerStart = `${algorithm}-TRAILER\n${amzDate}\n${scope}\n`;
    this.#previous = seed;
  }

  /** Signature, as it is written, of the next chunk, given the SHA-256 of its data in hex. */
  chunk(dataHash: string): string {
    return this.#next(`${this.#chunkStart}${this.#previous}\n${SHA256_OF_NOTHING}\n${dataHash}`);
  }

  /** Signature, as it is written, of the trailing headers, given the SHA-256 of their canonical form in hex. */
  trailers(trailerHash: string): string {
    return this.#next(`${this.#trailerStart}${this.#previous}\n${trailerHash}`);
  }

  #next(stringToSign: string): string {
    this.#previous = this.#sign(stringToSign);
    return this.#previous.padEnd(this.width, PADDING);
  }
}
