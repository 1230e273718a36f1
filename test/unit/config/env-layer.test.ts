import path from 'node:path';
import test from 'ava';
import { OTHER_VARIABLES } from '../../../src/config/env-layer.ts';
import { configSchema } from '../../../src/config/schema.ts';
import { configHome } from '../../support/config-home.ts';

const GRANT = '2f1c6f0e-5a53-4a55-9a53-0d6f2b1c7e88';

test('each setting has a variable of its own, and none is taken by another part', (t) => {
  const names = configSchema().settings.map(({ env }) => env);
  t.is(new Set(names).size, names.length);
  t.deepEqual(
    names.filter((name) => OTHER_VARIABLES.includes(name)),
    [],
  );
  t.true(names.includes('ALTER_LISTEN_PORT'));
  t.true(names.includes('ALTER_INTERCEPT_LEAF_TTL_MS'));
  t.true(names.includes('ALTER_ADMIN'));
});

test('variables are read as the type of their setting', (t) => {
  const { home, load, write } = configHome(t);
  write('a.pem', '');
  write('b.pem', '');
  const config = load({
    env: {
      ALTER_LISTEN_PORT: ' 8080 ',
      ALTER_LISTEN_REQUIRE_KEY: 'true',
      ALTER_UPSTREAM_CA_FILES: 'a.pem, b.pem,',
      ALTER_DEFAULT_GRANTS: `api.example.com=${GRANT}, other.example.com:8443=${GRANT}`,
      ALTER_APP: '12345',
      ALTER_STORE_PATH: 'elsewhere',
    },
  });
  t.like(config, {
    app: '12345',
    listen: { port: 8080, requireKey: true },
    store: { kind: 'embedded', path: path.join(home, 'elsewhere') },
  });
  t.deepEqual(config.upstream.caFiles, [path.join(home, 'a.pem'), path.join(home, 'b.pem')]);
  t.deepEqual(config.defaultGrants, { 'api.example.com': GRANT, 'other.example.com:8443': GRANT });
});

test('what cannot be read as that type is refused by name', (t) => {
  const { problems } = configHome(t);
  const cases: readonly (readonly [string, string, string])[] = [
    ['ALTER_LISTEN_PORT', '80a', 'ALTER_LISTEN_PORT: is text; use a whole number from 0 to 65535'],
    ['ALTER_LISTEN_PORT', '0x50', 'ALTER_LISTEN_PORT: is text; use a whole number from 0 to 65535'],
    ['ALTER_LISTEN_PORT', '70000', 'ALTER_LISTEN_PORT: is 70000; use a whole number from 0 to 65535'],
    ['ALTER_LISTEN_REQUIRE_KEY', '1', 'ALTER_LISTEN_REQUIRE_KEY: is text; use true or false'],
    ['ALTER_UNGRANTED', 'allow', 'ALTER_UNGRANTED: is not a known word; use one of forward, deny'],
    [
      'ALTER_DEFAULT_GRANTS',
      'api.example.com',
      'ALTER_DEFAULT_GRANTS: is text; use a mapping such as {"api.example.com":"2f1c6f0e-5a53-4a55-9a53-0d6f2b1c7e88"}',
    ],
    [
      'ALTER_DEFAULT_GRANTS',
      'api.example.com=x',
      'ALTER_DEFAULT_GRANTS["api.example.com"]: is no grant id; use the UUID that `alter-proxy grant list` shows',
    ],
    [
      'ALTER_INTERCEPT_PASS_THROUGH',
      'a.example,b..example',
      'ALTER_INTERCEPT_PASS_THROUGH[1]: is no host: the host has an empty label; use example.com, *.example.com or example.com:8443',
    ],
  ];
  for (const [name, value, expected] of cases) t.deepEqual(problems(undefined, { env: { [name]: value } }), [expected], `${name}=${value}`);
});

test('an unknown variable is named with the one that was probably meant', (t) => {
  const { problems } = configHome(t);
  const unknown = (name: string) => problems(undefined, { env: { [name]: 'x' } });
  t.deepEqual(unknown('ALTER_LISTEN_PROT'), ['ALTER_LISTEN_PROT: is not a known variable; did you mean ALTER_LISTEN_PORT?']);
  t.deepEqual(unknown('ALTER_STORE_PASWORD'), ['ALTER_STORE_PASWORD: is not a known variable; did you mean ALTER_STORE_PASSWORD?']);
  t.deepEqual(unknown('ALTER_XQZW'), ['ALTER_XQZW: is not a known variable; docs/configuration.md lists the names']);
});

test('variables of other programs and of other parts, and empty ones, say nothing', (t) => {
  const { home, load } = configHome(t);
  const env = {
    PATH: '/bin',
    ALTERNATIVE: 'x',
    ALTER: 'x',
    ALTER_HOME: home,
    ALTER_DEBUG: '1',
    ALTER_LISTEN_PORT: '',
    ALTER_LISTEN_PROT: undefined,
  };
  t.deepEqual(load({ env }), load());
});

test('what Kubernetes writes for services named alter-… is passed over, unless it has the name of a setting', (t) => {
  const { load, problems } = configHome(t);
  const links = {
    ALTER_PROXY_SERVICE_HOST: '10.0.0.1',
    ALTER_PROXY_SERVICE_PORT: '7890',
    ALTER_PROXY_SERVICE_PORT_HTTP_ADMIN: '7891',
    ALTER_PROXY_PORT: 'tcp://10.0.0.1:7890',
    ALTER_PROXY_PORT_7890_TCP: 'tcp://10.0.0.1:7890',
    ALTER_PROXY_PORT_7890_TCP_PROTO: 'tcp',
    ALTER_PROXY_PORT_7890_TCP_PORT: '7890',
    ALTER_PROXY_PORT_7890_TCP_ADDR: '10.0.0.1',
    ALTER_PORT: 'tcp://10.0.0.1:7890',
  };
  t.deepEqual(load({ env: links }), load());
  t.deepEqual(problems(undefined, { env: { ALTER_ADMIN_PORT: 'tcp://10.0.0.1:7891' } }), [
    'ALTER_ADMIN_PORT: is the address of a Kubernetes service; set enableServiceLinks: false in the pod, or rename the service',
  ]);
  t.is(problems(undefined, { env: { ALTER_PROXY_PORT: '7890' } }).length, 1);
});

test('a variable that contradicts another', (t) => {
  const { problems } = configHome(t);
  t.deepEqual(problems(undefined, { env: { ALTER_ADMIN: 'false', ALTER_ADMIN_PORT: '9000' } }), [
    'ALTER_ADMIN_PORT: contradicts ALTER_ADMIN=false; unset one of them',
  ]);
  t.is(
    problems(undefined, { env: { ALTER_KEY: 'alter_key_app_a', ALTER_KEY_FILE: 'key' } })[0],
    'ALTER_KEY: contradicts ALTER_KEY_FILE; unset one of them',
  );
  const store = { ALTER_STORE_URL: 'redis://localhost', ALTER_STORE_PASSWORD: 'a', ALTER_STORE_PASSWORD_FILE: 'b' };
  t.is(problems(undefined, { env: store })[0], 'ALTER_STORE_PASSWORD: contradicts ALTER_STORE_PASSWORD_FILE; unset one of them');
});
