/** A configuration arrives in another process as it was, with its credentials, which stay secrets on both sides. */
import { inspect } from 'node:util';
import test from 'ava';
import { receiveConfig, sendConfig } from '../../../../src/cli/workers/sent-config.ts';
import type { Config } from '../../../../src/config/config.ts';
import { reveal } from '../../../../src/secret/reveal.ts';
import { Secret } from '../../../../src/secret/secret.ts';
import { configHome } from '../../../support/config-home.ts';

const KEY = `alter_key_app_${'k'.repeat(43)}`;

/** What the other process makes of it. */
function transferred(config: Config): Config {
  return receiveConfig(JSON.parse(JSON.stringify(sendConfig(config))) as ReturnType<typeof sendConfig>);
}

/** Settings that hold something, with the texts of secrets. */
function told(config: Config): unknown {
  return JSON.parse(JSON.stringify(config, (_name, value: unknown) => (value instanceof Secret ? reveal(value) : value)));
}

test('every setting arrives, and so do the key and the password of the store', (t) => {
  const { load } = configHome(t);
  const config = load({
    env: {
      ALTER_KEY: KEY,
      ALTER_STORE_URL: 'redis://redis.example.com:6379',
      ALTER_STORE_PASSWORD: 'p4ss word',
      ALTER_UPSTREAM_ALLOW_PRIVATE: 'localhost,10.0.0.7:8443',
      ALTER_DEFAULT_GRANTS: 'api.example.com=2f1c6f0e-5a53-4a55-9a53-0d6f2b1c7e88',
      ALTER_ADMIN: 'false',
    },
  });
  const received = transferred(config);
  t.deepEqual(told(received), told(config));
  t.is(received.key && reveal(received.key), KEY);
  t.is(received.store.kind === 'redis' && received.store.password && reveal(received.store.password), 'p4ss word');
  t.true(Object.isFrozen(received.upstream.allowPrivate));
  t.false(inspect(received, { depth: 9 }).includes('p4ss word'));
});

test('without credentials none arrive', (t) => {
  const config = configHome(t).load();
  const received = transferred(config);
  t.deepEqual(told(received), told(config));
  t.is(received.key, undefined);
});

test('a secret that is not an API key is not passed on as one', (t) => {
  const config = configHome(t).load();
  t.throws(() => sendConfig({ ...config, key: new Secret('sk-of-a-provider') }), { message: /only the own key/ });
});
