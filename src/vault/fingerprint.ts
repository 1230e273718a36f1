import { createHash, randomBytes } from 'node:crypto';
import { Secret, reveal } from '../secret/reveal.ts';

const APP_KEY_PREFIX = 'alter_key_app_';
const APP_KEY = /^alter_key_app_[A-Za-z0-9_-]{43}$/;
const SHOWN_CHARACTERS = 6;

/** SHA-256 (lower-case hex) of an API key, which is the id of its record; undefined when the text is not an API key at all. */
export function fingerprint(presented: Secret): string | undefined {
  const text = reveal(presented);
  return APP_KEY.test(text) ? createHash('sha256').update(text).digest('hex') : undefined;
}

/** A new app key: 256 random bits. `shown` is the part that may stand in tables and audit events. */
export function mintAppKey(): { readonly key: Secret; readonly shown: string } {
  const text = `${APP_KEY_PREFIX}${randomBytes(32).toString('base64url')}`;
  return { key: new Secret(text), shown: text.slice(0, APP_KEY_PREFIX.length + SHOWN_CHARACTERS) };
}
