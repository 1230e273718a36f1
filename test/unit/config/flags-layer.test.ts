import test from 'ava';
import { configHome } from '../../support/config-home.ts';

test('each flag reaches its setting', (t) => {
  const { load } = configHome(t);
  const flags = {
    app: 'billing',
    name: 'p1',
    workers: '3',
    host: '127.0.0.2',
    port: '1234',
    requireKey: true,
    adminHost: '127.0.0.3',
    adminPort: 1235,
    ungranted: 'deny',
    logLevel: 'debug',
  };
  t.like(load({ flags }), {
    app: 'billing',
    name: 'p1',
    workers: 3,
    listen: { host: '127.0.0.2', port: 1234, requireKey: true },
    admin: { host: '127.0.0.3', port: 1235 },
    ungranted: 'deny',
    log: { level: 'debug' },
  });
});

test('a flag that was not given says nothing', (t) => {
  const { load } = configHome(t);
  t.deepEqual(load({ flags: { port: undefined, admin: undefined, store: undefined } }), load());
});

test('a wrong flag is named as it is typed', (t) => {
  const { problems } = configHome(t);
  const cases: readonly (readonly [Parameters<typeof problems>[1], string])[] = [
    [{ flags: { port: 'x' } }, '--port: is text; use a whole number from 0 to 65535'],
    [{ flags: { adminPort: 70_000 } }, '--admin-port: is 70000; use a whole number from 0 to 65535'],
    [{ flags: { workers: 'many' } }, '--workers: does not have the right form; use a whole number from 1 to 64 or text such as auto'],
    [{ flags: { workers: '0' } }, '--workers: is 0; use a whole number from 1 to 64 or text such as auto'],
    [{ flags: { logLevel: 'loud' } }, '--log-level: is not a known word; use one of silent, error, warn, info, debug'],
    [{ flags: { store: 'postgres' } }, '--store: is not a known word; use one of embedded, redis'],
    [{ flags: { store: 'http://localhost' } }, '--store: is no Redis URL; use redis://host:6379 or rediss://host:6379'],
    [{ flags: { store: 'redis://:hunter2@localhost' } }, '--store: holds a password; use store.password_file or ALTER_STORE_PASSWORD'],
    [
      { flags: { host: 'a b' } },
      '--host: is no address: the host holds a space or a control character; use an IP address such as 127.0.0.1',
    ],
    [{ flags: { app: 'a b' } }, '--app: does not have the right form; use text such as billing'],
  ];
  for (const [input, expected] of cases) t.deepEqual(problems(undefined, input), [expected]);
});
