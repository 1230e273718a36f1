import { createECDH, createHmac, createPrivateKey, sign, type KeyObject } from 'node:crypto';

const ALGORITHM = 'AWS4-ECDSA-P256-SHA256';
const CURVE = 'prime256v1';
/** The order of P-256, less two: the largest number that, plus one, is a private key. */
const LARGEST = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254fn;
/** One round fails about once in 2^32 secrets; the 255th is not defined. */
const MAX_ROUNDS = 254;

/**
 * The private key of SigV4a for a secret access key: the counter mode of NIST SP 800-108 over HMAC-SHA256, repeated until the result is a
 * scalar of P-256. It costs as much as some signatures; keep it as long as the secret.
 */
export function v4aKey(accessKeyId: string, secretAccessKey: string): KeyObject {
  const hmacKey = `AWS4A${secretAccessKey}`;
  for (let round = 1; round <= MAX_ROUNDS; round += 1) {
    const candidate = BigInt(`0x${createHmac('sha256', hmacKey).update(fixedInput(accessKeyId, round)).digest('hex')}`);
    if (candidate <= LARGEST) return privateKey(candidate + 1n);
  }
  throw new Error('no key of SigV4a can be derived from this secret');
}

/** The signature of SigV4a: ECDSA over SHA-256, DER in hex, at most 144 characters. It is another one each time. */
export function signV4a(key: KeyObject, stringToSign: string): string {
  return sign('sha256', Buffer.from(stringToSign), key).toString('hex');
}

function fixedInput(accessKeyId: string, round: number): Buffer {
  const start = Buffer.from([0, 0, 0, 1]);
  // The counter of the outer loop is an octet of the context; the length that is asked for, 256 bits, closes the input.
  return Buffer.concat([start, Buffer.from(`${ALGORITHM}\0${accessKeyId}`), Buffer.from([round, 0, 0, 1, 0])]);
}

function privateKey(scalar: bigint): KeyObject {
  const ecdh = createECDH(CURVE);
  const d = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
  ecdh.setPrivateKey(d);
  const point = ecdh.getPublicKey();
  const coordinate = (from: number): string => point.subarray(from, from + 32).toString('base64url');
  const jwk = { kty: 'EC', crv: 'P-256', d: d.toString('base64url'), x: coordinate(1), y: coordinate(33) };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}
