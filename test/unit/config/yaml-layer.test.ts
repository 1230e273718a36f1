import test from 'ava';
import { configHome } from '../../support/config-home.ts';

test('an unknown key is named with the one that was probably meant', (t) => {
  const { problems } = configHome(t);
  t.deepEqual(problems('audit:\n    max_stream: 5\n    max_queu: 5\n'), [
    'config.yaml:3:5: audit.max_queu: is not a known setting; did you mean "max_queue"?',
  ]);
  t.deepEqual(problems('log:\n  colour: red\n'), ['config.yaml:2:3: log.colour: is not a known setting; known here: level']);
  t.deepEqual(problems('"a b":\n  x: 1\n'), [
    'config.yaml:1:1: ["a b"]: is not a known setting; known here: app, name, workers, key_file, keyring_file, ca_dir, provider_dirs, ungranted, default_grants, listen, admin, store, cache, intercept, upstream, limits, grants, agents, audit, log, shutdown',
  ]);
});

test('keys that objects have by nature are unknown keys, too', (t) => {
  const { problems } = configHome(t);
  for (const key of ['__proto__', 'constructor', 'toString']) {
    const [line] = problems(`log:\n  ${key}: 1\n`);
    t.is(line, `config.yaml:2:3: log.${key}: is not a known setting; known here: level`);
  }
});

test('a key that stands twice', (t) => {
  const { problems } = configHome(t);
  t.deepEqual(problems('listen:\n  port: 1\n  host: 127.0.0.1\n  port: 2\n'), [
    'config.yaml:4:3: listen.port: stands twice; keep one of them',
  ]);
  t.deepEqual(problems('app: a\nlog: {}\napp: a\n'), ['config.yaml:3:1: app: stands twice; keep one of them']);
});

test('broken YAML is located', (t) => {
  const { problems } = configHome(t);
  const cases: readonly (readonly [string, string])[] = [
    ['listen:\n\tport: 1\n', 'config.yaml:2:1: a tab as indentation; indent with spaces'],
    ['app: "a\n', 'config.yaml:2:1: a missing character; close every quote and bracket, and put a space after ":" and ","'],
    ['app: a\n---\napp: b\n', 'config.yaml:2:1: a second YAML document; keep one document in the file'],
    ['app: a\n  log: b\n', 'config.yaml:1:6: a mapping or list where a key is expected; write "key: value", one a line'],
    ['app: @a\n', 'config.yaml:1:6: a text that starts with a reserved character; put it in quotes'],
    ['? [a]\n: b\n', 'config.yaml:1:3: a key that is not a word; write "key: value", one a line'],
    ['1: a\n', 'config.yaml:1:1: a key that is not a word; write "key: value", one a line'],
  ];
  for (const [yaml, expected] of cases) t.is(problems(yaml)[0], expected, yaml);
});

test('a file that is no mapping', (t) => {
  const { problems } = configHome(t);
  for (const yaml of ['- a\n', 'text\n', '42\n', 'true\n']) {
    t.deepEqual(problems(yaml), ['config.yaml:1:1: the file does not hold a mapping; write "key: value", one a line'], yaml);
  }
});

test('aliases, anchors and tags are refused, so that nothing can be multiplied', (t) => {
  const { problems } = configHome(t);
  t.deepEqual(problems('app: &a x\nname: *a\n'), [
    'config.yaml:1:9: app: has an anchor or a tag; write the value alone, or quote a text that starts with & or !',
    'config.yaml:2:7: name: is an alias; write the value itself, or quote a text that starts with *',
  ]);
  t.deepEqual(problems('app: !!str 5\n'), [
    'config.yaml:1:12: app: has an anchor or a tag; write the value alone, or quote a text that starts with & or !',
  ]);
  t.is(problems('app: !js/function a\n')[0], 'config.yaml:1:6: an unknown tag; remove the tag');
  t.is(
    problems('intercept:\n  pass_through: [*.example.com]\n')[0],
    'config.yaml:2:18: intercept.pass_through[0]: is an alias; write the value itself, or quote a text that starts with *',
  );
});

test('an alias bomb and a nesting bomb end in a message, at once', (t) => {
  const { problems } = configHome(t);
  const levels = Array.from({ length: 30 }, (_, level) => `a${level + 1}: &a${level + 1} [*a${level}, *a${level}, *a${level}]`);
  const started = Date.now();
  t.true(problems(`a0: &a0 [x]\n${levels.join('\n')}\n`).length >= 30);
  t.regex(
    problems(`provider_dirs: ${'['.repeat(200)}${']'.repeat(200)}\n`)[0] ?? '',
    /^config\.yaml:1:\d+: provider_dirs(\[0\])+: nests too deeply; remove the brackets$/,
  );
  t.regex(problems(`provider_dirs: ${'['.repeat(100_000)}\n`)[0] ?? '', /^config\.yaml:1:\d+: .*(nests too deeply|missing character)/);
  t.true(Date.now() - started < 20_000);
});

test('a file that is not text, or too large, is not a configuration', (t) => {
  const { problems, write } = configHome(t);
  write('config.yaml', Uint8Array.of(0xff, 0xfe, 0x61, 0x00));
  t.deepEqual(problems(undefined), ['config.yaml:1:1: is not UTF-8 text; save it as UTF-8']);
  t.deepEqual(problems(`# ${'x'.repeat(1_048_576)}\n`), [
    'config.yaml:1:1: has more than 1048576 characters; name the configuration file of alter-proxy',
  ]);
});

test('a value that is missing or written as another type', (t) => {
  const { problems } = configHome(t);
  const cases: readonly (readonly [string, string])[] = [
    ['listen:\n', 'config.yaml:1:8: listen: is empty; use a mapping of host, port, require_key, trusted_proxies'],
    ['listen: 7890\n', 'config.yaml:1:9: listen: is 7890; use a mapping of host, port, require_key, trusted_proxies'],
    ['listen: {port: "7890"}\n', 'config.yaml:1:16: listen.port: is text; use a whole number from 0 to 65535'],
    ['listen: {port: 78.5}\n', 'config.yaml:1:16: listen.port: is 78.5; use a whole number from 0 to 65535'],
    ['listen: {port: .inf}\n', 'config.yaml:1:16: listen.port: is Infinity; use a whole number from 0 to 65535'],
    ['listen: {require_key: yes}\n', 'config.yaml:1:23: listen.require_key: is text; use true or false'],
    ['provider_dirs: providers\n', 'config.yaml:1:16: provider_dirs: is text; use a list such as ["providers"]'],
    ['provider_dirs: [a, 5]\n', 'config.yaml:1:20: provider_dirs[1]: is 5; use text such as providers'],
    ['app: 5\n', 'config.yaml:1:6: app: is 5; use text such as billing'],
    ['app: key\n', 'config.yaml:1:6: app: does not have the right form; use text such as billing'],
    ['key_file: ~/key\n', 'config.yaml:1:11: key_file: does not have the right form; use text such as key'],
    ['name: ""\n', 'config.yaml:1:7: name: is empty; use text such as billing-proxy-1'],
    ['admin: 7891\n', 'config.yaml:1:8: admin: is 7891; use a mapping of host, port or true or false'],
    [
      'intercept: {leaf_ttl_ms: 604800001}\n',
      'config.yaml:1:26: intercept.leaf_ttl_ms: is 604800001; use a whole number from 60000 to 604800000',
    ],
    [
      'default_grants: [a]\n',
      'config.yaml:1:17: default_grants: is a list; use a mapping such as {"api.example.com":"2f1c6f0e-5a53-4a55-9a53-0d6f2b1c7e88"}',
    ],
    ['store: {kind: postgres}\n', 'config.yaml:1:15: store.kind: is not a known word; use one of embedded, redis'],
  ];
  for (const [yaml, expected] of cases) t.deepEqual(problems(yaml), [expected], yaml);
});

test('the limits themselves are allowed', (t) => {
  const { load, write } = configHome(t);
  write('config.yaml', 'intercept: {leaf_ttl_ms: 604800000}\nlisten: {port: 65535}\nadmin: {port: 0}\n');
  t.like(load(), { intercept: { leafTtlMs: 604_800_000 }, listen: { port: 65_535 }, admin: { port: 0 } });
});

test('Windows line ends and JSON are YAML, too', (t) => {
  const { load, problems, write } = configHome(t);
  write('config.yaml', '{"listen": {"port": 1234}}');
  t.is(load().listen.port, 1234);
  t.deepEqual(problems('app: a\r\nlisten:\r\n  port: x\r\n'), [
    'config.yaml:3:9: listen.port: is text; use a whole number from 0 to 65535',
  ]);
});
