import { chmodSync, mkdirSync, symlinkSync } from 'node:fs';
import { availableParallelism, hostname, tmpdir } from 'node:os';
import path from 'node:path';
import test from 'ava';
import { reveal } from '../../../src/secret/reveal.ts';
import { configHome } from '../../support/config-home.ts';

test('without a file, variables and flags everything has its default', (t) => {
  const { home, load } = configHome(t);
  t.deepEqual(load(), {
    home,
    file: undefined,
    app: 'default',
    name: hostname(),
    workers: 1,
    listen: { host: '127.0.0.1', port: 7890, requireKey: false, trustedProxies: [] },
    key: undefined,
    admin: { host: '127.0.0.1', port: 7891 },
    store: { kind: 'embedded', path: path.join(home, 'store') },
    cache: { maxEntries: 10_000, maxStaleMs: 0 },
    keyringFile: path.join(home, 'keyring.json'),
    caDir: path.join(home, 'ca'),
    providerDirs: [],
    intercept: { passThrough: [], maxLeaves: 1000, leafTtlMs: 259_200_000 },
    ungranted: 'forward',
    defaultGrants: {},
    upstream: {
      caFiles: [],
      allowPrivate: [],
      connectTimeoutMs: 10_000,
      headersTimeoutMs: 120_000,
      bodyTimeoutMs: 0,
      keepAliveMs: 30_000,
      maxLifetimeMs: 600_000,
      maxConnections: 256,
      maxQueue: 1024,
    },
    limits: {
      maxHeaderBytes: 32_768,
      headTimeoutMs: 10_000,
      idleTimeoutMs: 120_000,
      stallTimeoutMs: 120_000,
      maxConnections: 10_000,
      maxBodyMemoryBytes: 268_435_456,
      bodySpoolBytes: 0,
      bodySpoolFolder: tmpdir(),
    },
    grants: { maxTtlSeconds: 0 },
    agents: { selfIssue: true, needDelegation: false },
    audit: { maxQueue: 10_000, maxStream: 1_000_000 },
    log: { level: 'info' },
    shutdown: { drainTimeoutMs: 10_000 },
  });
});

test('workers is a number, or as many as there are cores', (t) => {
  const { load, write } = configHome(t);
  const cores = Math.min(availableParallelism(), 64);
  write('config.yaml', 'workers: auto\n');
  t.is(load().workers, cores);
  t.is(load({ env: { ALTER_WORKERS: '5' } }).workers, 5);
  t.is(load({ env: { ALTER_WORKERS: '5' }, flags: { workers: 'auto' } }).workers, cores);
});

test('an empty file, or one of comments only, says nothing', (t) => {
  const { load, write, file } = configHome(t);
  for (const text of ['', '# nothing\n', '---\n', '\uFEFF']) {
    write('config.yaml', text);
    t.deepEqual(load().listen, { host: '127.0.0.1', port: 7890, requireKey: false, trustedProxies: [] }, JSON.stringify(text));
    t.is(load().file, file);
  }
});

test('flags win over variables, variables over the file, the file over defaults', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'listen:\n  host: 127.0.0.2\n  port: 1001\nlog:\n  level: warn\napp: from-file\n');
  t.like(load(), { app: 'from-file', listen: { host: '127.0.0.2', port: 1001 }, log: { level: 'warn' } });
  const env = { ALTER_LISTEN_PORT: '1002', ALTER_LOG_LEVEL: 'error' };
  t.like(load({ env }), { app: 'from-file', listen: { host: '127.0.0.2', port: 1002 }, log: { level: 'error' } });
  t.like(load({ env, flags: { port: 1003 } }), { listen: { host: '127.0.0.2', port: 1003 }, log: { level: 'error' } });
});

test('every setting of a Redis configuration arrives', (t) => {
  const { home, load, write } = configHome(t);
  write('redis-password', 'p4ss word\n');
  write('redis-ca.pem', 'pem');
  write(
    'config.yaml',
    `store:
  kind: redis
  url: rediss://redis.example.com:6380/2
  username: alter
  password_file: redis-password
  ca_file: redis-ca.pem
  namespace: prod:alter
  connect_timeout_ms: 250
  command_timeout_ms: 300
`,
  );
  const { store } = load();
  t.like(store, {
    kind: 'redis',
    url: 'rediss://redis.example.com:6380/2',
    username: 'alter',
    caFile: path.join(home, 'redis-ca.pem'),
    namespace: 'prod:alter',
    connectTimeoutMs: 250,
    commandTimeoutMs: 300,
  });
  t.is(store.kind === 'redis' && store.password && reveal(store.password), 'p4ss word');
  t.false('path' in store);
});

test('relative paths start at the home folder, absolute ones stay', (t) => {
  const { home, load, write } = configHome(t);
  mkdirSync(path.join(home, 'providers'));
  write('extra.pem', 'pem');
  write(
    'config.yaml',
    `keyring_file: keys/ring.json\nca_dir: /etc/alter/ca\nprovider_dirs: [providers]\nupstream: {ca_files: [./extra.pem]}\n`,
  );
  const config = load();
  t.is(config.keyringFile, path.join(home, 'keys/ring.json'));
  t.is(config.caDir, '/etc/alter/ca');
  t.deepEqual(config.providerDirs, [path.join(home, 'providers')]);
  t.deepEqual(config.upstream.caFiles, [path.join(home, 'extra.pem')]);
});

test('the result is frozen all the way down', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'intercept: {pass_through: [example.com]}\n');
  const config = load({ env: { ALTER_KEY: 'alter_key_app_abc' } });
  for (const part of [config, config.listen, config.intercept.passThrough, config.defaultGrants, config.store])
    t.true(Object.isFrozen(part));
  t.throws(() => (config.intercept.passThrough as string[]).push('evil.test'), { instanceOf: TypeError });
});

test('a file that was named must exist; the usual one need not', (t) => {
  const { home, load, failure } = configHome(t);
  const missing = path.join(home, 'other.yaml');
  t.notThrows(() => load());
  for (const input of [{ file: missing }, { env: { ALTER_CONFIG: missing } }]) {
    const error = failure(undefined, input);
    t.is(error.code, 'file_unreadable');
    t.is(error.message, `${missing}: cannot be read (ENOENT); name a configuration file that exists`);
  }
  t.is(failure(undefined, { file: home }).message, `${home}: cannot be read (EISDIR); name a configuration file that can be read`);
});

test('a usual file that cannot be looked for, or leads nowhere, is not taken for none', (t) => {
  const { home, file, failure } = configHome(t);
  const loop = path.join(home, 'loop');
  symlinkSync('loop', loop);
  t.is(
    failure(undefined, { home: loop }).message,
    `${path.join(loop, 'config.yaml')}: cannot be read (ELOOP); name a configuration file that can be read`,
  );
  symlinkSync('nowhere', file);
  t.is(failure(undefined).message, `${file}: cannot be read (ENOENT); name a configuration file that exists`);
});

test('the named file is read instead of the usual one, and a flag beats ALTER_CONFIG', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'app: usual\n');
  const second = write('second.yaml', 'app: second\n');
  const third = write('third.yaml', 'app: third\n');
  t.is(load({ env: { ALTER_CONFIG: second } }).app, 'second');
  t.is(load({ env: { ALTER_CONFIG: second }, file: third }).app, 'third');
});

test('everything that is wrong is told at once, each on its own line', (t) => {
  const { problems } = configHome(t);
  const yaml = `app: two words
listen:
  prot: 1
  port: 99999
log:
  level: verbose
upstream:
  allow_private: [example.com, "bad host"]
`;
  t.deepEqual(problems(yaml, { env: { ALTER_AUDIT_MAX_QUEUE: 'many' }, flags: { adminPort: 'x' } }), [
    'config.yaml:1:6: app: does not have the right form; use text such as billing',
    'config.yaml:3:3: listen.prot: is not a known setting; did you mean "port"?',
    'config.yaml:4:9: listen.port: is 99999; use a whole number from 0 to 65535',
    'config.yaml:6:10: log.level: is not a known word; use one of silent, error, warn, info, debug',
    'ALTER_AUDIT_MAX_QUEUE: is text; use a whole number from 1 to 10000000',
    '--admin-port: is text; use a whole number from 0 to 65535',
    'config.yaml:8:32: upstream.allow_private[1]: is no host: the host holds a space or a control character; use example.com, example.com:8443 or one IP address',
  ]);
});

test('one problem is one line', (t) => {
  const { failure, file } = configHome(t);
  const error = failure('listen:\n  port: -1\n');
  t.is(error.code, 'config_invalid');
  t.is(error.exit, 1);
  t.is(error.message, `${file}:2:9: listen.port: is -1; use a whole number from 0 to 65535`);
});

test('the key comes from key_file, and ALTER_KEY wins over it', (t) => {
  const { load, write } = configHome(t);
  write('key', 'alter_key_app_from-file\n');
  write('config.yaml', 'key_file: key\n');
  const textOf = (key: ReturnType<typeof load>['key']) => (key === undefined ? undefined : reveal(key));
  t.is(textOf(load().key), 'alter_key_app_from-file');
  t.is(textOf(load({ env: { ALTER_KEY: ' alter_key_app_from-env\n' } }).key), 'alter_key_app_from-env');
  t.is(textOf(load({ env: { ALTER_KEY: '' } }).key), 'alter_key_app_from-file');
});

test('a key file that others may read is refused, whichever others', (t) => {
  const { failure, load, write, file } = configHome(t);
  write('config.yaml', 'app: a\nkey_file: key\n');
  const key = write('key', 'alter_key_app_abc\n');
  for (const [mode, text] of [
    [0o640, '0640'],
    [0o604, '0604'],
    [0o620, '0620'],
    [0o601, '0601'],
  ] as const) {
    chmodSync(key, mode);
    const error = failure(undefined);
    t.is(error.code, 'key_file_exposed');
    t.is(error.message, `${file}:2:11: key_file: names a file that others may read (mode ${text}); run chmod 600 on it`);
  }
  for (const mode of [0o600, 0o400]) {
    chmodSync(key, mode);
    t.notThrows(() => load());
  }
});

test('a password file that others may read is refused, too', (t) => {
  const { failure, write } = configHome(t);
  write('password', 'hunter2', 0o644);
  t.is(failure('store: {url: "redis://localhost", password_file: password}\n').code, 'key_file_exposed');
});

test('what a key must look like', (t) => {
  const { home, problems, write } = configHome(t);
  const right = 'give the key that `alter-proxy init` wrote, alone on one line';
  write('key', 'sk-live-1234567890\n');
  t.deepEqual(problems('key_file: key\n'), [`config.yaml:1:11: key_file: does not hold an API key (alter_key_…); ${right}`]);
  t.deepEqual(problems('', { env: { ALTER_KEY: 'alter_key_app_a b' } }), [`ALTER_KEY: does not hold an API key (alter_key_…); ${right}`]);
  write('key', 'alter_key_app_a\nalter_key_app_b\n');
  t.deepEqual(problems('key_file: key\n'), [
    'config.yaml:1:11: key_file: names a file that does not hold exactly one line; write only the secret into it, ' +
      `or make a new key with \`alter-proxy key create sidecar --force --out ${path.join(home, 'key')}\``,
  ]);
  t.deepEqual(problems('key_file: nowhere\n'), [
    'config.yaml:1:11: key_file: names a file that cannot be read (ENOENT); name a file that exists; relative paths start at the home folder, ' +
      'or make a new key with `alter-proxy key create sidecar --force --out <file>`',
  ]);
});

test('no message repeats what may be a credential in the wrong place', (t) => {
  const { failure, write } = configHome(t);
  const key = 'alter_key_app_0123456789012345678901234567890123456789012';
  const secret = 'hunter2hunter2';
  write('key', secret);
  const texts = [
    failure(`key_file: ${key}\n`),
    failure(`store: {url: "redis://localhost", password_file: ${secret}}\n`),
    failure(`store: {url: "redis://alter:${secret}@localhost:6379"}\n`),
    failure(`store: {url: "redis://:${secret}@bad host"}\n`),
    failure(`store: {url: "redis://localhost?password=${secret}"}\n`),
    failure(`log: {level: ${secret}}\n`),
    failure(`listen: {port: ${secret}}\n`),
    failure(`listen: {host: "${secret}@x"}\n`),
    failure(`app: "${secret} "\n`),
    failure(`${key}: 1\n`),
    failure(`a: "${secret}" ${secret}\n`),
    failure(`a: *${secret}\n`),
    failure(`a: !${secret} b\n`),
    failure(`default_grants: {api.example.com: ${secret}}\n`),
    failure('', { env: { ALTER_KEY: secret } }),
    failure('', { env: { ALTER_LISTEN_PORT: secret } }),
    failure('', { env: { ALTER_DEFAULT_GRANTS: secret } }),
    failure('key_file: key\n'),
  ];
  for (const { message } of texts) {
    t.false(message.includes(secret), message);
    t.false(message.includes(key), message);
  }
});

test('on any address but loopback a key is required without being asked for', (t) => {
  const { load } = configHome(t);
  const required = (host: string) => load({ flags: { host } }).listen.requireKey;
  for (const host of ['0.0.0.0', '::', '192.0.2.1', '128.0.0.1', 'proxy.example.com', 'localhost.example.com', 'fe80::1%eth0'])
    t.true(required(host), host);
  for (const host of ['127.0.0.1', '127.8.9.10', '::1', '[::1]', 'localhost', 'LOCALHOST']) t.false(required(host), host);
  t.true(load({ flags: { requireKey: true } }).listen.requireKey);
});

test('admin can be switched off and on again by a stronger source', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'admin: false\n');
  t.is(load().admin, undefined);
  t.deepEqual(load({ env: { ALTER_ADMIN: 'true' } }).admin, { host: '127.0.0.1', port: 7891 });
  t.deepEqual(load({ env: { ALTER_ADMIN_PORT: '9000' } }).admin, { host: '127.0.0.1', port: 9000 });
  write('config.yaml', 'admin: {port: 9001}\n');
  t.deepEqual(load({ env: { ALTER_ADMIN: 'true' } }).admin, { host: '127.0.0.1', port: 9001 });
  t.is(load({ env: { ALTER_ADMIN: 'false' } }).admin, undefined);
  t.is(load({ flags: { admin: false, adminPort: 1 } }).admin, undefined);
});
