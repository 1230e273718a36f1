import { mkdirSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { configHome } from '../../support/config-home.ts';

const GRANT = '2F1C6F0E-5A53-4A55-9A53-0D6F2B1C7E88';

test('hosts come out in their one spelling', (t) => {
  const { load, write } = configHome(t);
  write(
    'config.yaml',
    `intercept: {pass_through: [Example.COM, "*.Example.com:8443", "::1", "[0:0::1]:8443"]}
upstream: {allow_private: [LocalHost, 10.0.0.7, "10.0.0.7:8443", "::1", "[::1]:8443"]}
default_grants: {API.test: ${GRANT}, "b.test:443": ${GRANT}, "c.test:8443": ${GRANT}, "[::2]:8443": ${GRANT}, "[::2]": ${GRANT}}
`,
  );
  const config = load();
  const id = GRANT.toLowerCase();
  t.deepEqual(config.intercept.passThrough, ['example.com', '*.example.com:8443', '[::1]', '[::1]:8443']);
  t.deepEqual(config.upstream.allowPrivate, ['localhost', '10.0.0.7', '10.0.0.7:8443', '::1', '[::1]:8443']);
  t.deepEqual(config.defaultGrants, { 'api.test': id, 'b.test': id, 'c.test:8443': id, '[::2]:8443': id, '::2': id });
});

test('what is no host', (t) => {
  const { problems } = configHome(t);
  const first = (yaml: string) => problems(yaml)[0]?.replace(/^.*is no host: /, '');
  const private_ = 'use example.com, example.com:8443 or one IP address';
  t.is(first('upstream: {allow_private: ["example.com."]}\n'), `a trailing dot is not allowed in a host; ${private_}`);
  t.is(
    first('upstream: {allow_private: ["10.0.0.0/8"]}\n'),
    `a host may hold letters, digits, dots, hyphens and underscores only; ${private_}`,
  );
  t.is(
    first('upstream: {allow_private: ["*.example.com"]}\n'),
    `a host may hold letters, digits, dots, hyphens and underscores only; ${private_}`,
  );
  t.is(first('upstream: {allow_private: ["example.com:0"]}\n'), `the port must be a number from 1 to 65535; ${private_}`);
  t.is(first('upstream: {allow_private: ["127.1"]}\n'), `an IPv4 address must be four decimal numbers without leading zeros; ${private_}`);
  const pattern = 'use example.com, *.example.com or example.com:8443';
  t.is(first('intercept: {pass_through: ["*.192.0.2.1"]}\n'), `an address has no names below it; ${pattern}`);
  t.is(first('intercept: {pass_through: ["*"]}\n'), `a host may hold letters, digits, dots, hyphens and underscores only; ${pattern}`);
  t.is(
    first('default_grants: {"*.example.com": x}\n'),
    'a host may hold letters, digits, dots, hyphens and underscores only; use example.com or example.com:8443',
  );
});

test('a host with two default grants under two spellings', (t) => {
  const { problems } = configHome(t);
  t.deepEqual(problems(`default_grants:\n  api.example.com: ${GRANT}\n  "API.example.com:443": ${GRANT}\n`), [
    'config.yaml:3:26: default_grants["API.example.com:443"]: names a host that stands twice; keep one of them',
  ]);
});

test('a default grant that is no UUID', (t) => {
  const { problems } = configHome(t);
  t.deepEqual(problems(`default_grants:\n  api.example.com: alter_grant_${GRANT}\n`), [
    'config.yaml:2:20: default_grants["api.example.com"]: is no grant id; use the UUID that `alter-proxy grant list` shows',
  ]);
});

test('the address of a listener', (t) => {
  const { problems } = configHome(t);
  const of = (host: string) => problems(`listen: {host: "${host}"}\n`);
  t.deepEqual(of('127.0.0.1:7890'), ['config.yaml:1:16: listen.host: holds a port; write the address alone, and the port into port']);
  t.deepEqual(of('http://x'), [
    'config.yaml:1:16: listen.host: is no address: the port must be a number from 1 to 65535; use an IP address such as 127.0.0.1',
  ]);
  t.deepEqual(of('127.1'), [
    'config.yaml:1:16: listen.host: is no address: an IPv4 address must be four decimal numbers without leading zeros; use an IP address such as 127.0.0.1',
  ]);
});

test('the URL of a Redis server', (t) => {
  const { load, problems } = configHome(t);
  const of = (url: string) => problems(undefined, { env: { ALTER_STORE_URL: url } })[0];
  t.is(of('redis://:hunter2@localhost'), 'ALTER_STORE_URL: holds a password; use store.password_file or ALTER_STORE_PASSWORD');
  t.is(of('redis://a:hunter2@local host'), 'ALTER_STORE_URL: holds a password; use store.password_file or ALTER_STORE_PASSWORD');
  t.is(of('redis://a@localhost'), 'ALTER_STORE_URL: holds a user name; use store.username');
  t.is(of('http://localhost'), 'ALTER_STORE_URL: is no Redis URL; use redis://host:6379 or rediss://host:6379');
  t.is(of('localhost:6379'), 'ALTER_STORE_URL: is no Redis URL; use redis://host:6379 or rediss://host:6379');
  t.is(of('redis:///0'), 'ALTER_STORE_URL: names no host; use redis://host:6379 or rediss://host:6379');
  t.is(of('redis://localhost?family=6'), 'ALTER_STORE_URL: holds options; use the settings of store for them');
  t.is(of('redis://localhost/x'), 'ALTER_STORE_URL: has a path that is no database number; use /0 to /99999, or nothing');
  for (const url of ['redis://localhost', 'rediss://redis.example.com:6380/2', 'redis://[::1]:6379/']) {
    t.like(load({ env: { ALTER_STORE_URL: url } }).store, { kind: 'redis', url });
  }
});

test('files and folders that are named must be there', (t) => {
  const { failure, home, problems } = configHome(t);
  mkdirSync(path.join(home, 'folder'));
  const file = 'name a file that exists; relative paths start at the home folder';
  const folder = 'name a folder that exists; relative paths start at the home folder';
  t.deepEqual(problems('upstream: {ca_files: [nowhere.pem, folder]}\nprovider_dirs: [config.yaml]\n'), [
    `config.yaml:2:17: provider_dirs[0]: names a folder that cannot be read (ENOTDIR); ${folder}`,
    `config.yaml:1:23: upstream.ca_files[0]: names a file that cannot be read (ENOENT); ${file}`,
    `config.yaml:1:36: upstream.ca_files[1]: names a file that cannot be read (EISDIR); ${file}`,
  ]);
  t.is(failure('provider_dirs: [nowhere]\n').code, 'file_unreadable');
});
