import test from 'ava';
import { configHome } from '../../support/config-home.ts';

test('two listeners on one port', (t) => {
  const { load, problems } = configHome(t);
  const both = (port: number) => `listen.port and admin.port are both ${port} on one address; use another port for one of them`;
  t.deepEqual(problems('admin:\n  port: 7890\n'), [`config.yaml:2:9: admin.port: ${both(7890)}`]);
  t.deepEqual(problems('', { flags: { port: 7891 } }), [`--port: ${both(7891)}`]);
  t.deepEqual(problems('listen: {host: 0.0.0.0}\nadmin: {port: 7890}\n'), [`config.yaml:2:15: admin.port: ${both(7890)}`]);
  t.deepEqual(problems('listen: {host: localhost}\nadmin: {port: 7890}\n'), [`config.yaml:2:15: admin.port: ${both(7890)}`]);
  t.notThrows(() => load({ flags: { host: '127.0.0.2', port: 7891 } }));
  t.notThrows(() => load({ flags: { port: 0, adminPort: 0 } }));
  t.notThrows(() => load({ flags: { port: 7891, admin: false } }));
});

test('callers without a key on an address that others reach', (t) => {
  const { load, problems } = configHome(t);
  const line = 'is false, but listen.host is not loopback; remove it, or listen on 127.0.0.1';
  t.deepEqual(problems('listen:\n  host: 0.0.0.0\n  require_key: false\n'), [`config.yaml:3:16: listen.require_key: ${line}`]);
  t.deepEqual(problems('listen: {require_key: false}\n', { flags: { host: '::' } }), [`config.yaml:1:23: listen.require_key: ${line}`]);
  t.notThrows(() => load({ flags: { host: '127.0.0.5' } }));
});

test('a CA for a connection without TLS', (t) => {
  const { load, problems, write } = configHome(t);
  write('ca.pem', '');
  t.deepEqual(problems('store:\n  url: redis://localhost\n  ca_file: ca.pem\n'), [
    'config.yaml:3:12: store.ca_file: is set, but store.url is redis://, which has no TLS; use rediss://, or remove it',
  ]);
  write('config.yaml', 'store:\n  url: rediss://localhost\n  ca_file: ca.pem\n');
  t.notThrows(() => load());
});

test('a default grant on a host that is tunnelled', (t) => {
  const { load, problems, write } = configHome(t);
  const yaml = (passThrough: string, host: string) =>
    `intercept:\n  pass_through: ["other.test", "${passThrough}"]\ndefault_grants:\n  "${host}": 2f1c6f0e-5a53-4a55-9a53-0d6f2b1c7e88\n`;
  const hits: readonly (readonly [string, string])[] = [
    ['api.example.com', 'API.example.com'],
    ['*.example.com', 'api.example.com'],
    ['*.example.com', 'a.b.example.com:8443'],
    ['api.example.com:443', 'api.example.com'],
  ];
  for (const [pattern, host] of hits) {
    const name = host.replace(':8443', '').toLowerCase();
    t.deepEqual(problems(yaml(pattern, host)), [
      `config.yaml:2:32: intercept.pass_through[1]: ${name} has a default grant, which cannot be used in a tunnel; remove it here or from default_grants`,
    ]);
  }
  const misses: readonly (readonly [string, string])[] = [
    ['*.example.com', 'example.com'],
    ['*.example.com', 'evilexample.com'],
    ['example.com', 'api.example.com'],
    ['api.example.com:8443', 'api.example.com'],
  ];
  for (const [pattern, host] of misses) {
    write('config.yaml', yaml(pattern, host));
    t.notThrows(() => load(), `${pattern} ${host}`);
  }
});
