import { timingSafeEqual } from 'node:crypto';
import { AlterError, CommandError } from '../errors.ts';
import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Secret } from '../secret/secret.ts';
import type { KeyRecord } from '../vault/records.ts';
import type { Caller } from './caller.ts';

/** What an authenticator of API keys is made from. */
export interface KeyAuthenticatorOptions {
  /** The record of the key with this fingerprint, if there is one. Throws or rejects with AlterError. */
  readonly findKey: (fingerprint: string) => MaybePromise<KeyRecord | undefined>;
  /** SHA-256 (hex) of the text of a key; undefined when the text cannot be a key. */
  readonly fingerprint: (presented: Secret) => string | undefined;
  /** The app whose keys are taken; every other app's key is as good as none. */
  readonly app: string;
  /** The proxy's own key, for callers on loopback that present none. It is a stored key like any other, so that it can be revoked. */
  readonly ownKey: Secret | undefined;
  /** Keys of this run only, valid by themselves. */
  readonly extraKeys?: readonly Secret[];
  /** Callers on loopback must present a key, too. */
  readonly requireKey: boolean;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** The peer of a client connection, as far as authentication looks at it. */
export interface KeyPeer {
  readonly address: string;
  readonly loopback: boolean;
}

/** Says who is calling, from the key that was presented. */
export interface KeyAuthenticator {
  /** Throws or rejects with AlterError `invalid_key`, `key_expired`, `key_revoked`, `store_unavailable`. */
  authenticate(presented: Secret | undefined, peer: KeyPeer): MaybePromise<Caller>;
}

/** How the proxy's own key and the keys of this run are called in audit events. */
const OWN_KEY_ID = 'config';
const EXTRA_KEY_ID = 'run';

/** Makes an authenticator. Throws CommandError `config_invalid` when a key that it is given does not have the form of a key. */
export function createKeyAuthenticator(options: KeyAuthenticatorOptions): KeyAuthenticator {
  const { app, findKey, requireKey, now = Date.now } = options;
  const ownKey = options.ownKey === undefined ? undefined : knownFingerprint(options, options.ownKey);
  const extraKeys = (options.extraKeys ?? []).map((key) => Buffer.from(knownFingerprint(options, key)));
  const ofThisRun: Caller = Object.freeze({ app, type: 'app', keyId: EXTRA_KEY_ID });

  const find = (fingerprint: string, keyId?: string): MaybePromise<Caller> =>
    chain(findKey(fingerprint), (record) => callerOf(record, app, now(), keyId));

  return {
    authenticate(presented, peer) {
      if (presented === undefined) {
        if (ownKey === undefined || requireKey || !peer.loopback) throw new AlterError('invalid_key', { rule: 'key_missing' });
        return find(ownKey, OWN_KEY_ID);
      }
      const fingerprint = options.fingerprint(presented);
      if (fingerprint === undefined) throw new AlterError('invalid_key');
      return isAmong(extraKeys, fingerprint) ? ofThisRun : find(fingerprint);
    },
  };
}

function knownFingerprint(options: KeyAuthenticatorOptions, key: Secret): string {
  const fingerprint = options.fingerprint(key);
  if (fingerprint === undefined) throw new CommandError('config_invalid', 'the API key of the proxy is not of the form alter_key_app_…');
  return fingerprint;
}

/** Compares with every key, each in constant time, so that the answer's time says nothing about any of them. */
function isAmong(keys: readonly Buffer[], fingerprint: string): boolean {
  const presented = Buffer.from(fingerprint);
  let found = false;
  for (const key of keys) found = timingSafeEqual(key, presented) || found;
  return found;
}

/** Another app's key is told from no key in no way, also not by its expiry or revocation. */
function callerOf(record: KeyRecord | undefined, app: string, now: number, keyId: string | undefined): Caller {
  if (record?.app !== app) throw new AlterError('invalid_key');
  if (record.status !== 'active') throw new AlterError('key_revoked');
  const { expiresAt } = record;
  if (expiresAt !== undefined && now >= expiresAt) throw new AlterError('key_expired');
  return { app, type: 'app', keyId: keyId ?? record.prefix, ...(expiresAt === undefined ? {} : { expiresAt }) };
}
