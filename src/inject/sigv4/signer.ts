import type { KeyObject } from 'node:crypto';
import { hmacHex, HMAC_ALGORITHM } from './signature.ts';
import { SigningKeys, type SigningScope } from './signing-keys.ts';
import { signV4a, v4aKey } from './v4a-key.ts';

/** The values of an AWS access key. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** One way to sign: an algorithm with its key and what it holds for. */
export interface Signer {
  readonly algorithm: string;
  /** Credential scope for a day: `20251125/us-east-1/s3/aws4_request`; of SigV4a without the region. */
  scope(day: string): string;
  /** The derived key of SigV4, or the private key of SigV4a. */
  key(day: string): Buffer | KeyObject;
  /** Signature of `text` in hex. */
  sign(day: string, text: string): string;
  /** X-Amz-Region-Set, for SigV4a. */
  readonly regionSet?: string;
}

/** Makes the signers of one access key. What is derived from the key is derived once. */
export class Signers {
  readonly #accessKey: AccessKey;
  readonly #keys: SigningKeys;
  #v4aKey: KeyObject | undefined;

  constructor(accessKey: AccessKey) {
    this.#accessKey = accessKey;
    this.#keys = new SigningKeys(accessKey.secretAccessKey);
  }

  /** AWS4-HMAC-SHA256 for one region. */
  forRegion(scope: SigningScope): Signer {
    const end = `/${scope.region}/${scope.service}/aws4_request`;
    const key = (day: string): Buffer => this.#keys.of(day, scope);
    return { algorithm: HMAC_ALGORITHM, scope: (day) => day + end, key, sign: (day, text) => hmacHex(key(day), text) };
  }

  /** AWS4-ECDSA-P256-SHA256 for a set of regions. */
  forRegionSet(service: string, regions: readonly string[]): Signer {
    const key = (): KeyObject => (this.#v4aKey ??= v4aKey(this.#accessKey.accessKeyId, this.#accessKey.secretAccessKey));
    return {
      algorithm: 'AWS4-ECDSA-P256-SHA256',
      scope: (day) => `${day}/${service}/aws4_request`,
      key,
      sign: (_, text) => signV4a(key(), text),
      regionSet: regions.join(','),
    };
  }
}
