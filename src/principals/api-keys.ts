import { timingSafeEqual } from 'node:crypto';
import { AlterError, CommandError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { isInNetworks, parseNetwork } from '../message/network.ts';
import type { Network } from '../message/network.ts';
import type { Secret } from '../secret/secret.ts';
import type { AgentRecord, KeyRecord } from '../vault/records.ts';
import type { Caller } from './caller.ts';
import { FailedAttempts } from './failed-attempts.ts';

/** What an authenticator of API keys is made from. */
export interface KeyAuthenticatorOptions {
  /** The record of the key with this fingerprint, if there is one. Throws or rejects with AlterError. */
  readonly findKey: (fingerprint: string) => MaybePromise<KeyRecord | undefined>;
  /** The agent of this name, if there is one. Throws or rejects with AlterError. */
  readonly findAgent: (app: string, name: string) => MaybePromise<AgentRecord | undefined>;
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
  /** Slows the refusals of keys that do not exist. */
  readonly failedAttempts?: FailedAttempts;
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
  /** Throws or rejects with AlterError `invalid_key`, `key_expired`, `key_revoked`, `agent_inactive`, `store_unavailable`. */
  authenticate(presented: Secret | undefined, peer: KeyPeer): MaybePromise<Caller>;
}

/** How the proxy's own key and the keys of this run are called in audit events. */
const OWN_KEY_ID = 'config';
const EXTRA_KEY_ID = 'run';

/** What follows from a key's record alone, made once for each record. */
interface KnownKey {
  readonly networks: readonly Network[];
  readonly caller: Caller;
  /** The same for the proxy's own key. */
  readonly ownCaller: Caller;
}

/** Makes an authenticator. Throws CommandError `config_invalid` when a key that it is given does not have the form of a key. */
export function createKeyAuthenticator(options: KeyAuthenticatorOptions): KeyAuthenticator {
  const { app, findKey, findAgent, requireKey, failedAttempts = new FailedAttempts(), now = Date.now } = options;
  const ownKey = options.ownKey === undefined ? undefined : knownFingerprint(options, options.ownKey);
  const extraKeys = (options.extraKeys ?? []).map((key) => Buffer.from(knownFingerprint(options, key)));
  const ofThisRun: Caller = Object.freeze({ app, type: 'app', keyId: EXTRA_KEY_ID });
  const known = new WeakMap<KeyRecord, KnownKey>();

  const judge = (record: KeyRecord | undefined, peer: KeyPeer, own: boolean): MaybePromise<Caller> => {
    if (record?.app !== app) return unknownKey(peer);
    let key = known.get(record);
    if (key === undefined) known.set(record, (key = know(record)));
    // To whoever stands outside its networks, a key is one that does not exist, whatever its state.
    if (record.cidrs.length > 0 && !isInNetworks(peer.address, key.networks)) return unknownKey(peer, outside(record, peer));
    if (record.status === 'revoked') throw new AlterError('key_revoked');
    if (record.expiresAt !== undefined && now() >= record.expiresAt) throw new AlterError('key_expired');
    const caller = own ? key.ownCaller : key.caller;
    return record.type === 'app' ? caller : withAgent(findAgent(app, record.agent ?? ''), caller);
  };

  const judgeLater = (found: Promise<KeyRecord | undefined>, peer: KeyPeer, own: boolean): Promise<Caller> =>
    found.then((record) => judge(record, peer, own));

  const unknownKey = (peer: KeyPeer, cause?: Error): Promise<never> => {
    const refuse = (): never => {
      throw new AlterError('invalid_key', { cause });
    };
    return failedAttempts.failed(peer.address)?.then(refuse) ?? refuse();
  };

  return {
    authenticate(presented, peer) {
      if (presented === undefined) {
        if (ownKey === undefined || requireKey || !peer.loopback) throw new AlterError('invalid_key', { rule: 'key_missing' });
        const own = findKey(ownKey);
        return own instanceof Promise ? judgeLater(own, peer, true) : judge(own, peer, true);
      }
      const fingerprint = options.fingerprint(presented);
      if (fingerprint === undefined) return unknownKey(peer);
      if (isAmong(extraKeys, fingerprint)) return ofThisRun;
      // What is looked up is a hash: how long it takes tells nothing about any key.
      const found = findKey(fingerprint);
      return found instanceof Promise ? judgeLater(found, peer, false) : judge(found, peer, false);
    },
  };
}

function knownFingerprint(options: KeyAuthenticatorOptions, key: Secret): string {
  const fingerprint = options.fingerprint(key);
  if (fingerprint !== undefined) return fingerprint;
  throw new CommandError('config_invalid', 'the API key of the proxy is not of the form alter_key_app_… or alter_key_agent_…');
}

/** Compares with every key, each in constant time, so that the answer's time says nothing about any of them. */
function isAmong(keys: readonly Buffer[], fingerprint: string): boolean {
  if (keys.length === 0) return false;
  const presented = Buffer.from(fingerprint);
  let found = false;
  for (const key of keys) found = timingSafeEqual(key, presented) || found;
  return found;
}

function know(record: KeyRecord): KnownKey {
  const { app, type, agent, prefix, status, expiresAt, cidrs } = record;
  const caller: Caller = Object.freeze({
    app,
    type,
    ...(agent === undefined ? {} : { agent }),
    keyId: prefix,
    ...(status === 'deprecated' ? { deprecated: true } : {}),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  });
  // A network that cannot be read matches nothing: the list does not become shorter, or empty, by it.
  const networks = cidrs.flatMap((cidr) => parseNetwork(cidr) ?? []);
  return { networks, caller, ownCaller: Object.freeze({ ...caller, keyId: OWN_KEY_ID }) };
}

function withAgent(agent: MaybePromise<AgentRecord | undefined>, caller: Caller): MaybePromise<Caller> {
  return agent instanceof Promise ? agent.then((found) => activeAgent(found, caller)) : activeAgent(agent, caller);
}

/** By the caller that a key alone makes: the last one with its agent, so that a warm key allocates nothing. */
const agents = new WeakMap<Caller, Caller>();

function activeAgent(agentRecord: AgentRecord | undefined, caller: Caller): Caller {
  if (agentRecord?.status !== 'active') throw new AlterError('agent_inactive');
  const known = agents.get(caller);
  if (known?.agentRecord === agentRecord) return known;
  const complete = Object.freeze({ ...caller, agentRecord });
  agents.set(caller, complete);
  return complete;
}

/** For the log only: the client learns no more than for a key that does not exist. */
function outside({ prefix }: KeyRecord, { address }: KeyPeer): Error {
  return new Error(`the key ${prefix}… is not taken from ${address}`);
}
