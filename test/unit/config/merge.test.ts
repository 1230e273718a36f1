import path from 'node:path';
import test from 'ava';
import { reveal } from '../../../src/secret/reveal.ts';
import { configHome } from '../../support/config-home.ts';

test('a URL alone chooses Redis', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'store:\n  url: redis://localhost:6379\n');
  t.like(load().store, { kind: 'redis', url: 'redis://localhost:6379', namespace: 'alter', connectTimeoutMs: 500, commandTimeoutMs: 500 });
  write('config.yaml', '');
  t.is(load({ env: { ALTER_STORE_URL: 'redis://localhost:6379' } }).store.kind, 'redis');
  t.is(load({ flags: { store: 'redis://localhost:6379' } }).store.kind, 'redis');
});

test('the strongest source that chooses a store shuts out what weaker ones say for the other kind', (t) => {
  const { home, load, write } = configHome(t);
  write('config.yaml', 'store:\n  kind: redis\n  url: redis://localhost:6379\n  namespace: ns\n');
  t.deepEqual(load({ flags: { store: 'embedded' } }).store, { kind: 'embedded', path: path.join(home, 'store') });
  t.deepEqual(load({ env: { ALTER_STORE_KIND: 'embedded' } }).store, { kind: 'embedded', path: path.join(home, 'store') });
  t.like(load({ flags: { store: 'redis://other:6379' } }).store, { kind: 'redis', url: 'redis://other:6379', namespace: 'ns' });
  write('config.yaml', 'store: {kind: embedded, path: here}\n');
  t.like(load({ env: { ALTER_STORE_URL: 'redis://localhost:6379' } }).store, { kind: 'redis' });
});

test('settings of one kind of store beside the other kind contradict', (t) => {
  const { problems } = configHome(t);
  const redis = 'belongs to a store of kind redis, but store.kind is embedded; set store.kind to redis, or remove it';
  const embedded = 'belongs to a store of kind embedded, but store.kind is redis; set store.kind to embedded, or remove it';
  t.deepEqual(problems('store:\n  kind: embedded\n  url: redis://localhost\n  namespace: a\n'), [
    `config.yaml:3:8: store.url: ${redis}`,
    `config.yaml:4:14: store.namespace: ${redis}`,
  ]);
  t.deepEqual(problems('store:\n  namespace: a\n'), [`config.yaml:2:14: store.namespace: ${redis}`]);
  t.deepEqual(problems('store:\n  kind: redis\n  url: redis://localhost\n  path: a\n'), [`config.yaml:4:9: store.path: ${embedded}`]);
  t.deepEqual(problems('store: {url: redis://localhost}\n', { env: { ALTER_STORE_PATH: 'a' } }), [`ALTER_STORE_PATH: ${embedded}`]);
  t.deepEqual(problems('', { flags: { store: 'redis' } }), [
    '--store: is redis, but store.url is missing; add store.url, such as redis://127.0.0.1:6379',
  ]);
});

test('a password without a Redis store contradicts, unless a flag chose the embedded one', (t) => {
  const { load, problems } = configHome(t);
  const env = { ALTER_STORE_PASSWORD: 'hunter2' };
  t.deepEqual(problems(undefined, { env }), [
    'ALTER_STORE_PASSWORD: is set, but store.kind is embedded; set store.url (ALTER_STORE_URL), or unset it',
  ]);
  t.is(load({ env, flags: { store: 'embedded' } }).store.kind, 'embedded');
  const { store } = load({ env, flags: { store: 'redis://localhost' } });
  t.is(store.kind === 'redis' && store.password && reveal(store.password), 'hunter2');
});

test('the variable wins over the password file, which is then not read', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'store: {url: "redis://localhost", password_file: nowhere}\n');
  const { store } = load({ env: { ALTER_STORE_PASSWORD: 'from-env' } });
  t.is(store.kind === 'redis' && store.password && reveal(store.password), 'from-env');
});

test('lists replace lists', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'intercept: {pass_through: [a.example, b.example], max_leaves: 7}\n');
  t.like(load({ env: { ALTER_INTERCEPT_PASS_THROUGH: 'c.example' } }).intercept, { passThrough: ['c.example'], maxLeaves: 7 });
});
