/** Credentials of the proxy itself, which must be told to somebody: unlike a provider's, they are no secret of a grant. */
import { reveal, type Secret } from '../secret/reveal.ts';

const API_KEY = /^alter_key_[a-z]+_[A-Za-z0-9_-]{43}$/;

/**
 * The text of an API key that was just made, for the one place where its owner receives it. Throws for every other secret, so that no
 * provider's credential can leave this way.
 */
export function apiKeyText(key: Secret): string {
  const text = reveal(key);
  if (!API_KEY.test(text)) throw new Error('only an API key may be shown');
  return text;
}

/** The text of the proxy's own API key, for the other processes of this proxy. Throws for every other secret. */
export function ownKeyText(key: Secret): string {
  const text = reveal(key);
  if (!text.startsWith('alter_key_')) throw new Error('only the own key of the proxy may be passed on');
  return text;
}

/** The password with which this proxy logs on to its store, for the connection to the store. */
export function storePasswordText(password: Secret): string {
  return reveal(password);
}
