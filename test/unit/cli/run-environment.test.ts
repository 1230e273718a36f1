import test from 'ava';
import {
  ADDING_TRUST_VARIABLES,
  REPLACING_TRUST_VARIABLES,
  buildRunEnvironment,
  type RunEnvironmentInput,
  type TrustVariable,
} from '../../../src/cli/run-environment.ts';

const TRUST_FILES = Object.fromEntries([
  ...REPLACING_TRUST_VARIABLES.map((name) => [name, '/run/bundle.pem']),
  ...ADDING_TRUST_VARIABLES.map((name) => [name, '/run/ca.pem']),
]) as Record<TrustVariable, string>;

function build(env: Record<string, string> = {}, changes: Partial<RunEnvironmentInput> = {}): Record<string, string> {
  return buildRunEnvironment({
    env,
    proxy: { host: '127.0.0.1', port: 7890 },
    key: 'alter_key_app_k',
    trustFiles: TRUST_FILES,
    javaTrustStore: { file: '/run/trust.p12', password: 'changeit' },
    proxyLocalhost: false,
    ...changes,
  });
}

function javaProperty(env: Record<string, string>, name: string): string | undefined {
  return env['JAVA_TOOL_OPTIONS']
    ?.split(' ')
    .map((option) => /^-D([^=]+)=(.*)$/.exec(option))
    .find((match) => match?.[1] === name)?.[2];
}

test('both spellings of both proxy variables carry the key', (t) => {
  const env = build({ HTTPS_PROXY: 'http://corporate:3128', http_proxy: 'http://corporate:3128' });
  for (const name of ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']) t.is(env[name], 'http://x:alter_key_app_k@127.0.0.1:7890');
});

test('an IPv6 proxy stands in brackets', (t) => {
  t.is(build({}, { proxy: { host: '::1', port: 1 } })['HTTPS_PROXY'], 'http://x:alter_key_app_k@[::1]:1');
});

test('ALL_PROXY and everything else of the caller stays', (t) => {
  t.like(build({ ALL_PROXY: 'socks5://s', PATH: '/bin', LANG: 'C' }), { ALL_PROXY: 'socks5://s', PATH: '/bin', LANG: 'C' });
  t.false('ALL_PROXY' in build());
});

test('loopback goes direct unless the caller decides otherwise', (t) => {
  t.is(build()['NO_PROXY'], 'localhost,127.0.0.1,::1');
  t.is(build()['no_proxy'], 'localhost,127.0.0.1,::1');
  t.is(build({ NO_PROXY: 'intern.test' })['no_proxy'], 'intern.test');
  t.is(build({ no_proxy: 'intern.test' })['NO_PROXY'], 'intern.test');
  t.is(build({ NO_PROXY: '' })['NO_PROXY'], '');
});

test('with --proxy-localhost loopback goes through the proxy, and the rest of NO_PROXY stays', (t) => {
  t.is(build({}, { proxyLocalhost: true })['NO_PROXY'], '');
  t.is(
    build({ NO_PROXY: 'localhost, 127.0.0.1,[::1],intern.test,localhost.test' }, { proxyLocalhost: true })['NO_PROXY'],
    'intern.test,localhost.test',
  );
});

test('each client is told where its trusted certificates are', (t) => {
  const env = build();
  for (const name of [
    'SSL_CERT_FILE',
    'CURL_CA_BUNDLE',
    'REQUESTS_CA_BUNDLE',
    'GIT_SSL_CAINFO',
    'AWS_CA_BUNDLE',
    'GRPC_DEFAULT_SSL_ROOTS_FILE_PATH',
  ]) {
    t.is(env[name], '/run/bundle.pem', name);
  }
  for (const name of ['NODE_EXTRA_CA_CERTS', 'DENO_CERT']) t.is(env[name], '/run/ca.pem', name);
  t.is(env['NODE_USE_ENV_PROXY'], '1');
});

test('Java gets proxy, trust store and the permission to send Basic on CONNECT, after its own options', (t) => {
  const env = build({ JAVA_TOOL_OPTIONS: '-Xmx1g' });
  t.true(env['JAVA_TOOL_OPTIONS']?.startsWith('-Xmx1g -D'));
  t.is(javaProperty(env, 'https.proxyHost'), '127.0.0.1');
  t.is(javaProperty(env, 'https.proxyPort'), '7890');
  t.is(javaProperty(env, 'http.proxyHost'), '127.0.0.1');
  t.is(javaProperty(env, 'javax.net.ssl.trustStore'), '/run/trust.p12');
  t.is(javaProperty(env, 'javax.net.ssl.trustStoreType'), 'PKCS12');
  t.is(javaProperty(env, 'javax.net.ssl.trustStorePassword'), 'changeit');
  t.is(javaProperty(env, 'jdk.http.auth.tunneling.disabledSchemes'), '');
});

test('Java gets NO_PROXY in its own spelling', (t) => {
  t.is(javaProperty(build(), 'http.nonProxyHosts'), 'localhost|127.0.0.1|[::1]');
  t.is(javaProperty(build({ NO_PROXY: '.intern.test, 10.0.0.0/8, x.test' }), 'http.nonProxyHosts'), 'intern.test|*.intern.test|x.test');
  t.is(javaProperty(build({}, { proxyLocalhost: true }), 'http.nonProxyHosts'), '');
});

test('a trust store in a folder with spaces is quoted for the JVM', (t) => {
  const env = build({}, { javaTrustStore: { file: '/my home/trust.p12', password: 'changeit' } });
  t.true(env['JAVA_TOOL_OPTIONS']?.includes('"-Djavax.net.ssl.trustStore=/my home/trust.p12"'));
});

test('the key never reaches the options of Java, which the JVM prints', (t) => {
  t.false(build()['JAVA_TOOL_OPTIONS']?.includes('alter_key'));
});

test("the proxy's own credentials do not reach the command", (t) => {
  const env = build({ ALTER_KEY: 'alter_key_app_own', ALTER_STORE_PASSWORD: 'redis', ALTER_HOME: '/h', ALTER_GRANT: 'g', MY_KEY: 'mine' });
  t.false('ALTER_KEY' in env);
  t.false('ALTER_STORE_PASSWORD' in env);
  t.like(env, { ALTER_HOME: '/h', ALTER_GRANT: 'g', MY_KEY: 'mine' });
});
