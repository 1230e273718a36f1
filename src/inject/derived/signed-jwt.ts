import { createPrivateKey, type KeyObject } from 'node:crypto';
import { SignJWT, type JWTPayload } from 'jose';
import { CommandError } from '../../errors.ts';

/** NIST SP 800-131A: what signs with less than this is no key any more, and `jose` refuses it, too. */
const MIN_BITS = 2048;

/** An RSA key of PEM, PKCS#1 or PKCS#8; line breaks may be written as `\n`. Throws `record_invalid`, which quotes nothing. */
export function rsaKey(pem: string): KeyObject {
  const key = readKey(pem.includes('\n') ? pem : pem.replaceAll('\\n', '\n'));
  const bits = key?.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key?.asymmetricKeyType !== 'rsa' || bits < MIN_BITS) {
    throw new CommandError('record_invalid', 'the private key is not an RSA key of 2048 bits or more in PEM, without a passphrase');
  }
  return key;
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey({ key: pem, format: 'pem' });
  } catch {
    return undefined;
  }
}

/** A JWT signed with RS256, from `at` (milliseconds since the epoch) less `backS` for `lifeS` seconds. */
export function signedJwt(
  key: KeyObject,
  claims: JWTPayload,
  { at, backS, lifeS, kid }: { readonly at: number; readonly backS: number; readonly lifeS: number; readonly kid?: string | undefined },
): Promise<string> {
  const now = Math.floor(at / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(kid === undefined ? {} : { kid }) })
    .setIssuedAt(now - backS)
    .setExpirationTime(now + lifeS)
    .sign(key);
}
