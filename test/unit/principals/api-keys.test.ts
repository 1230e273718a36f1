import { inspect } from 'node:util';
import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { createKeyAuthenticator } from '../../../src/principals/api-keys.ts';
import type { KeyAuthenticator, KeyAuthenticatorOptions } from '../../../src/principals/api-keys.ts';
import { FailedAttempts } from '../../../src/principals/failed-attempts.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { fingerprint, mintKey } from '../../../src/vault/fingerprint.ts';
import type { AgentRecord, KeyRecord } from '../../../src/vault/records.ts';
import { codeOf } from '../../support/vault-fixture.ts';

const NOW = 1_790_000_000_000;
const near = { address: '127.0.0.1', loopback: true };
const far = { address: '192.0.2.7', loopback: false };

interface Desk {
  readonly records: Map<string, KeyRecord>;
  readonly agents: Map<string, AgentRecord['status']>;
  readonly asked: string[];
  now: number;
  authenticator(options?: Partial<KeyAuthenticatorOptions>): KeyAuthenticator;
  /** A stored key of app `default`. */
  key(changes?: Partial<KeyRecord>): Secret;
}

function desk(): Desk {
  const records = new Map<string, KeyRecord>();
  const agents = new Map<string, AgentRecord['status']>();
  const asked: string[] = [];
  const made: Desk = {
    records,
    agents,
    asked,
    now: NOW,
    authenticator: (options = {}) =>
      createKeyAuthenticator({
        findKey: (id) => {
          asked.push(id);
          return records.get(id);
        },
        findAgent: (app, name) => {
          const status = agents.get(`${app}:${name}`);
          return status === undefined ? undefined : agentRecord(app, name, status);
        },
        fingerprint,
        app: 'default',
        ownKey: undefined,
        requireKey: false,
        now: () => made.now,
        ...options,
      }),
    key: (changes = {}) => {
      const { key, shown } = mintKey(changes.type ?? 'app');
      const id = fingerprint(key) ?? '';
      records.set(id, {
        v: 1,
        id,
        app: 'default',
        type: 'app',
        name: 'x',
        prefix: shown,
        cidrs: [],
        status: 'active',
        createdAt: 0,
        updatedAt: 0,
        ...changes,
      });
      return key;
    },
  };
  return made;
}

function agentRecord(app: string, id: string, status: AgentRecord['status']): AgentRecord {
  return { v: 1, id, app, status, policy: [], mayIssue: [], createdAt: 0, updatedAt: 0 };
}

test('a stored key says who is calling, without a promise when the store needs none', (t) => {
  const d = desk();
  const caller = d.authenticator().authenticate(d.key({ prefix: 'alter_key_app_abc' }), far);
  t.deepEqual(caller, { app: 'default', type: 'app', keyId: 'alter_key_app_abc' });
});

test('a store that answers later is waited for', async (t) => {
  const d = desk();
  const key = d.key({ expiresAt: NOW + 1 });
  const later = d.authenticator({ findKey: (id) => Promise.resolve(d.records.get(id)) });
  t.like(await later.authenticate(key, far), { app: 'default', expiresAt: NOW + 1 });
  t.is(await codeOf(() => later.authenticate(mintKey('app').key, far)), 'invalid_key');
});

test('an unknown key, and one of another app in whatever state, are refused alike', async (t) => {
  const d = desk();
  const keys = [
    mintKey('app').key,
    d.key({ app: 'other' }),
    d.key({ app: 'other', status: 'revoked' }),
    d.key({ app: 'other', expiresAt: 1 }),
    d.key({ app: 'Default' }),
  ];
  for (const key of keys) t.is(await codeOf(() => d.authenticator().authenticate(key, near)), 'invalid_key');
});

test('a revoked key is revoked, also when it has expired', async (t) => {
  const d = desk();
  t.is(await codeOf(() => d.authenticator().authenticate(d.key({ status: 'revoked' }), far)), 'key_revoked');
  t.is(await codeOf(() => d.authenticator().authenticate(d.key({ status: 'revoked', expiresAt: 1 }), far)), 'key_revoked');
});

test('a key ends at the very millisecond', async (t) => {
  const d = desk();
  const key = d.key({ expiresAt: NOW + 10 });
  d.now = NOW + 9;
  t.is(await codeOf(() => d.authenticator().authenticate(key, far)), 'none');
  d.now = NOW + 10;
  t.is(await codeOf(() => d.authenticator().authenticate(key, far)), 'key_expired');
});

test('what does not have the form of a key is refused without asking the store', async (t) => {
  const d = desk();
  for (const text of [
    '',
    'x',
    'alter_key_app_',
    `alter_key_user_${'a'.repeat(43)}`,
    `alter_key_agent_${'a'.repeat(42)}`,
    `alter_key_app_${'a'.repeat(44)}`,
    `key:${'a'.repeat(64)}`,
  ]) {
    t.is(await codeOf(() => d.authenticator({ ownKey: d.key() }).authenticate(new Secret(text), near)), 'invalid_key', text);
  }
  t.deepEqual(d.asked, []);
});

test("without a key the proxy's own one stands in, for loopback only and unless a key is required", async (t) => {
  const d = desk();
  const ownKey = d.key();
  t.deepEqual(await d.authenticator({ ownKey }).authenticate(undefined, near), { app: 'default', type: 'app', keyId: 'config' });
  t.is(await codeOf(() => d.authenticator({ ownKey }).authenticate(undefined, far)), 'invalid_key:key_missing');
  t.is(await codeOf(() => d.authenticator({ ownKey, requireKey: true }).authenticate(undefined, near)), 'invalid_key:key_missing');
  t.is(await codeOf(() => d.authenticator().authenticate(undefined, near)), 'invalid_key:key_missing');
});

test('a wrong key is not forgiven because the proxy has one', async (t) => {
  const d = desk();
  t.is(await codeOf(() => d.authenticator({ ownKey: d.key() }).authenticate(mintKey('app').key, near)), 'invalid_key');
});

test("the proxy's own key can be revoked, expire or not exist like any other", async (t) => {
  const d = desk();
  const use = (ownKey: Secret): Promise<string> => codeOf(() => d.authenticator({ ownKey }).authenticate(undefined, near));
  t.is(await use(d.key({ status: 'revoked' })), 'key_revoked');
  t.is(await use(d.key({ expiresAt: NOW })), 'key_expired');
  t.is(await use(d.key({ app: 'other' })), 'invalid_key');
  t.is(await use(mintKey('app').key), 'invalid_key');
});

test('a key of this run is valid by itself, for every peer', async (t) => {
  const d = desk();
  const [one, two, other] = [mintKey('app').key, mintKey('app').key, mintKey('app').key];
  const authenticator = d.authenticator({ extraKeys: [one, two], requireKey: true });
  for (const key of [one, two]) t.deepEqual(await authenticator.authenticate(key, far), { app: 'default', type: 'app', keyId: 'run' });
  t.deepEqual(d.asked, []);
  t.is(await codeOf(() => authenticator.authenticate(other, far)), 'invalid_key');
});

test('a store that is down denies', async (t) => {
  const d = desk();
  const key = d.key();
  const down = () => Promise.reject(new AlterError('store_unavailable'));
  t.is(await codeOf(() => d.authenticator({ findKey: down }).authenticate(key, far)), 'store_unavailable');
  t.is(await codeOf(() => d.authenticator({ findKey: down, ownKey: key }).authenticate(undefined, near)), 'store_unavailable');
});

test('configured keys without the form of a key stop the start, unseen', (t) => {
  const d = desk();
  const wrong = new Secret('alter_key_app_short');
  for (const options of [{ ownKey: wrong }, { extraKeys: [wrong] }]) {
    const error = t.throws(() => d.authenticator(options));
    t.is((error as { code?: string }).code, 'config_invalid');
    t.false(inspect(error).includes('short'));
  }
});

test('a key of an agent says which agent calls, for as long as the agent is active', async (t) => {
  const d = desk();
  const key = d.key({ type: 'agent', agent: 'reporter', prefix: 'alter_key_agent_abc' });
  const code = (): Promise<string> => codeOf(() => d.authenticator().authenticate(key, far));
  t.is(await code(), 'agent_inactive');
  d.agents.set('default:reporter', 'active');
  const caller = await d.authenticator().authenticate(key, far);
  t.like(caller, { app: 'default', type: 'agent', agent: 'reporter', keyId: 'alter_key_agent_abc', agentRecord: { id: 'reporter' } });
  for (const status of ['paused', 'deleted'] as const) {
    d.agents.set('default:reporter', status);
    t.is(await code(), 'agent_inactive', status);
  }
  d.agents.delete('default:reporter');
  d.agents.set('other:reporter', 'active');
  t.is(await code(), 'agent_inactive');
});

test('a key of an agent ends by itself, too', async (t) => {
  const d = desk();
  d.agents.set('default:reporter', 'active');
  const code = (changes: Partial<KeyRecord>): Promise<string> =>
    codeOf(() => d.authenticator().authenticate(d.key({ type: 'agent', agent: 'reporter', ...changes }), far));
  t.is(await code({ status: 'revoked' }), 'key_revoked');
  t.is(await code({ expiresAt: NOW }), 'key_expired');
});

test('a deprecated key works, and says so', async (t) => {
  const d = desk();
  t.like(await d.authenticator().authenticate(d.key({ status: 'deprecated' }), far), { deprecated: true });
  t.is(await codeOf(() => d.authenticator().authenticate(d.key({ status: 'deprecated', expiresAt: NOW }), far)), 'key_expired');
});

test('outside its networks a key is one that does not exist, whatever its state', async (t) => {
  const d = desk();
  const code = (address: string, changes: Partial<KeyRecord>): Promise<string> =>
    codeOf(() => d.authenticator().authenticate(d.key(changes), { address, loopback: false }));
  const cidrs = ['10.20.0.0/16', '2001:db8:7::/48'];
  for (const address of ['10.20.0.0', '10.20.255.255', '2001:db8:7:ffff::1', '::ffff:10.20.1.1'])
    t.is(await code(address, { cidrs }), 'none', address);
  for (const address of ['10.21.0.0', '10.19.255.255', '2001:db8:8::1', '127.0.0.1', '', 'localhost']) {
    t.is(await code(address, { cidrs }), 'invalid_key', address);
    t.is(await code(address, { cidrs, status: 'revoked' }), 'invalid_key', address);
    t.is(await code(address, { cidrs, expiresAt: 1 }), 'invalid_key', address);
  }
  t.is(await code('10.20.0.1', { cidrs, status: 'revoked' }), 'key_revoked');
  t.is(await code('127.0.0.1', { cidrs: ['not a network'] }), 'invalid_key');
});

test("the proxy's own key is bound to its networks like any other", async (t) => {
  const d = desk();
  t.is(await codeOf(() => d.authenticator({ ownKey: d.key({ cidrs: ['10.0.0.0/8'] }) }).authenticate(undefined, near)), 'invalid_key');
  t.is(await codeOf(() => d.authenticator({ ownKey: d.key({ cidrs: ['127.0.0.0/8'] }) }).authenticate(undefined, near)), 'none');
});

test('refusals of unknown keys are slowed for their address, and a valid key never is', async (t) => {
  const d = desk();
  const waits: number[] = [];
  const failedAttempts = new FailedAttempts({
    free: 2,
    wait: async (ms) => {
      await Promise.resolve();
      waits.push(ms);
    },
    now: () => 0,
  });
  const authenticator = d.authenticator({ failedAttempts });
  const valid = d.key();
  for (let i = 0; i < 4; i++) t.is(await codeOf(() => authenticator.authenticate(mintKey('app').key, far)), 'invalid_key');
  t.is(await codeOf(() => authenticator.authenticate(new Secret('x'), far)), 'invalid_key');
  t.deepEqual(waits, [50, 100, 200]);
  t.like(authenticator.authenticate(valid, far), { app: 'default' });
  t.is(await codeOf(() => authenticator.authenticate(mintKey('app').key, near)), 'invalid_key');
  t.is(await codeOf(() => authenticator.authenticate(undefined, far)), 'invalid_key:key_missing');
  t.is(waits.length, 3);
});
