import { hash, randomBytes } from 'node:crypto';
import { Secret, reveal } from '../secret/reveal.ts';
import type { KeyRecord } from './records.ts';

const KEY = /^alter_key_(?:app|agent)_[A-Za-z0-9_-]{43}$/;
const SHOWN_CHARACTERS = 6;

/** The key that came with CONNECT is one object for all requests inside it. */
const known = new WeakMap<Secret, string>();

/** SHA-256 (lower-case hex) of an API key, which is the id of its record; undefined when the text is not an API key at all. */
export function fingerprint(presented: Secret): string | undefined {
  const before = known.get(presented);
  if (before !== undefined) return before;
  const text = reveal(presented);
  if (!KEY.test(text)) return undefined;
  const made = hash('sha256', text, 'hex');
  known.set(presented, made);
  return made;
}

/** A new key, `alter_key_app_…` or `alter_key_agent_…`: 256 random bits. `shown` is the part that may stand in tables and audit events. */
export function mintKey(type: KeyRecord['type']): { readonly key: Secret; readonly shown: string } {
  const prefix = `alter_key_${type}_`;
  const text = `${prefix}${randomBytes(32).toString('base64url')}`;
  return { key: new Secret(text), shown: text.slice(0, prefix.length + SHOWN_CHARACTERS) };
}
