/**
 * Contract: the security invariants of docs/security.md, each on the running proxy. The number in a title is the number
 * of the invariant.
 */
import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { inspect } from 'node:util';
import test from 'ava';
import { startProxy } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';
import { Secret } from '../../src/secret/secret.ts';
import { ConnectRefused, exchangeRaw, openConnect, openTls, problemCode, requestThrough } from '../support/client.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const CREDENTIAL = 'sk-invariant-credential-77';

let scene: Scene;
test.before(async () => {
  scene = await startScene({
    config: {
      upstream: { allow_private: ['localhost', '127.0.0.2'] },
      intercept: { pass_through: ['127.0.0.2', 'localhost'] },
    },
  });
});
test.after.always(async () => {
  await scene.stop();
});

/** CONNECT to `localhost` is intercepted only when it names a grant, because the scene passes the host through. */
const intercepted = (grant: string): { connectHeaders: readonly string[] } => ({ connectHeaders: ['X-Alter-Grant', grant] });

for (const host of ['evillocalhost', 'localhost.evil.test', 'api.localhost', 'xn--lcalhost-0za', 'localhos']) {
  test.serial(`1: a grant for localhost is not used for ${host}`, async (t) => {
    const grant = await scene.grant({ value: CREDENTIAL });
    const answer = await requestThrough(scene.proxy, { url: `https://${host}:${scene.origin.port}/echo`, grant });
    t.is(answer.status, 403);
    t.is(problemCode(answer), 'host_not_allowed');
  });
}

test.serial('1: the port and the scheme belong to the host', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const otherPort = await requestThrough(scene.proxy, { url: `https://localhost:${scene.origin.port + 1}/`, grant, ...intercepted(grant) });
  t.is(problemCode(otherPort), 'host_not_allowed');
  const plain = await requestThrough(scene.proxy, { url: `http://localhost:${scene.origin.port}/`, grant });
  t.is(problemCode(plain), 'host_not_allowed');
});

test.serial('2: SNI, Host and CONNECT must name the same authority', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const before = scene.origin.requests.length;
  const url = `https://localhost:${scene.origin.port}/echo`;
  const cases = [
    { serverName: 'other.test' },
    { headers: ['Host', `other.test:${scene.origin.port}`] },
    { headers: ['Host', `localhost:${scene.origin.port + 1}`] },
    { headers: ['Host', 'localhost'] },
    { headers: ['Host', `localhost.:${scene.origin.port}`], code: 'malformed_request', status: 400 },
    { headers: ['Host', `user@localhost:${scene.origin.port}`], code: 'malformed_request', status: 400 },
  ];
  for (const { code = 'authority_mismatch', status = 421, ...request } of cases) {
    const answer = await requestThrough(scene.proxy, { url, grant, ...intercepted(grant), ...request });
    t.is(problemCode(answer), code, inspect(request));
    t.is(answer.status, status);
  }
  t.false(scene.origin.requests.slice(before).some((request) => request.rawHeaders.join().includes(grant)));
});

test.serial('2: CONNECT whose Host names another host is refused', async (t) => {
  const error = await t.throwsAsync(openConnect(scene.proxy, `localhost:${scene.origin.port}`, ['Host', 'other.test:443']), {
    instanceOf: ConnectRefused,
  });
  t.is(error.answer.status, 421);
});

for (const [host, code] of [
  ['169.254.169.254', 'destination_blocked'],
  ['[fe80::1]', 'destination_blocked'],
  ['0.0.0.0', 'destination_blocked'],
  ['[::]', 'destination_blocked'],
  ['127.0.0.1', 'destination_blocked'],
  ['[::1]', 'destination_blocked'],
  ['10.0.0.1', 'destination_blocked'],
  ['[fd00:ec2::254]', 'destination_blocked'],
  ['[64:ff9b::a9fe:a9fe]', 'destination_blocked'],
] as const) {
  test.serial(`3: ${host} is not dialled`, async (t) => {
    const answer = await requestThrough(scene.proxy, { url: `http://${host}:${scene.origin.port}/latest/meta-data/` });
    t.is(answer.status, 403);
    t.is(problemCode(answer), code);
  });
}

test.serial('3: a name that resolves to a loopback address is judged by the address', async (t) => {
  const strict = await startScene({ config: { upstream: { allow_private: ['127.0.0.2'] } } });
  try {
    const answer = await requestThrough(strict.proxy, { url: `${strict.origin.url}/` });
    t.is(problemCode(answer), 'destination_blocked');
    t.is(strict.origin.accepted, 0);
  } finally {
    await strict.stop();
  }
});

test.serial('4: the path that policy and audit read is the path on the wire', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const answer = await requestThrough(scene.proxy, {
    url: `https://localhost:${scene.origin.port}/%65cho/%7euser/a%2fb`,
    grant,
    ...intercepted(grant),
  });
  t.is(scene.origin.requests.at(-1)?.url, '/echo/~user/a%2Fb');
  t.is((await scene.proxy.eventOf(answer)).path, '/echo/~user/a%2Fb');
});

for (const target of [
  '/a/../b',
  '/a/%2e%2e/b',
  '/a/.%2E/b',
  '/..%2fadmin',
  '/a/%252e%252e/b',
  '/a\\..\\b',
  '/a/..;x/b',
  '/a%00b',
  '/%zz',
  '*',
  'relative',
]) {
  test.serial(`4: the target ${target} is refused, not repaired`, async (t) => {
    const grant = await scene.grant({ value: CREDENTIAL });
    const socket = await openTls(scene.proxy, `localhost:${scene.origin.port}`, { headers: ['X-Alter-Grant', grant] });
    const answer = await exchangeRaw(socket, `GET ${target} HTTP/1.1\r\nHost: localhost:${scene.origin.port}\r\nConnection: close\r\n\r\n`);
    t.regex(answer, /^HTTP\/1\.1 400 /);
    t.regex(answer, /"code":"malformed_request"/);
  });
}

const AMBIGUOUS: Readonly<Record<string, string>> = {
  'two Hosts': 'GET / HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n',
  'no Host': 'GET / HTTP/1.1\r\nAccept: */*\r\n\r\n',
  'Content-Length with Transfer-Encoding':
    'POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'Transfer-Encoding before Content-Length':
    'POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
  'two Content-Lengths': 'POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx',
  'a list of Content-Lengths': 'POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: 1, 1\r\n\r\nx',
  'a signed Content-Length': 'POST / HTTP/1.1\r\nHost: HOST\r\nContent-Length: +1\r\n\r\nx',
  'a coding that is not chunked': 'POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'an unknown coding': 'POST / HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n',
  'a coding in HTTP/1.0': 'POST / HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'a line without a version': 'GET /\r\n\r\n',
  'an unknown version': 'GET / HTTP/1.2\r\nHost: HOST\r\n\r\n',
  'a bare LF': 'GET / HTTP/1.1\nHost: HOST\n\n',
  'a folded field': 'GET / HTTP/1.1\r\nHost: HOST\r\nX-A: 1\r\n 2\r\n\r\n',
  'a space before the colon': 'GET / HTTP/1.1\r\nHost : HOST\r\n\r\n',
  'a NUL': 'GET / HTTP/1.1\r\nHost: HOST\r\nX-A: a\0b\r\n\r\n',
  'Connection that names a framing field': 'POST / HTTP/1.1\r\nHost: HOST\r\nConnection: content-length\r\nContent-Length: 1\r\n\r\nx',
};
for (const [what, bytes] of Object.entries(AMBIGUOUS)) {
  test.serial(`5: ${what} is refused and nothing reaches the API`, async (t) => {
    const grant = await scene.grant({ value: `${CREDENTIAL}-${Object.keys(AMBIGUOUS).indexOf(what)}` });
    const socket = await openTls(scene.proxy, `localhost:${scene.origin.port}`, { headers: ['X-Alter-Grant', grant] });
    const answer = await exchangeRaw(socket, bytes.replaceAll('HOST', `localhost:${scene.origin.port}`));
    t.regex(answer, /^HTTP\/1\.1 400 /);
    t.regex(answer, /X-Alter-Error: malformed_request/);
    t.is(answer.match(/^HTTP\/1\.1 \d/gm)?.length, 1, 'one answer, then the connection is closed');
    t.false(
      scene.origin.requests.some((request) => request.rawHeaders.join().includes(`${CREDENTIAL}-${Object.keys(AMBIGUOUS).indexOf(what)}`)),
    );
  });
}

test.serial('6: a damaged record denies, and the log says so without content', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const ref = { kind: 'grant', app: 'default', id: grant } as const;
  const sealed = await scene.proxy.store.get(ref);
  t.truthy(sealed);
  const damaged = `${sealed?.slice(0, -4) ?? ''}AAAA`;
  t.true(await scene.proxy.store.put(ref, sealed, damaged));
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/`, grant, ...intercepted(grant) });
  t.is(answer.status, 404);
  t.is(problemCode(answer), 'grant_not_found');
  t.is((await scene.proxy.eventOf(answer)).rule, 'record_unreadable');
  t.regex(scene.proxy.logged(), /record_unreadable|cannot be read|bad_seal/);
  t.false(scene.proxy.logged().includes(damaged.slice(10, 60)));
});

test.serial('7: no field for the proxy or the connection reaches the API, and the injected value stands alone', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const answer = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo`,
    headers: [
      ...[
        'AUTHORIZATION',
        'Bearer a',
        'authorization',
        'Bearer b',
        'X-Alter-Reason',
        'because',
        'x-alter-caller',
        'me',
        'X-ALTER-Anything',
        'x',
      ],
      ...['Proxy-Authorization', 'Basic eDp5', 'Proxy-Connection', 'keep-alive', 'Connection', 'close, X-Secret-Hop', 'X-Secret-Hop', '1'],
      ...['Keep-Alive', 'timeout=5', 'TE', 'gzip', 'Upgrade', 'h2c', 'X-Stays', 'yes'],
    ],
    grant,
    ...intercepted(grant),
  });
  t.is(answer.status, 200);
  const raw = scene.origin.requests.at(-1)?.rawHeaders ?? [];
  const names = raw.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
  t.deepEqual(
    names.filter((name) => /^(x-alter|proxy-|te$|keep-alive|upgrade|x-secret-hop)/.test(name)),
    [],
  );
  t.deepEqual(
    raw.filter((_, index) => index % 2 === 1 && raw[index - 1]?.toLowerCase() === 'authorization'),
    [`Bearer ${CREDENTIAL}`],
  );
  t.true(names.includes('x-stays'));
});

test.serial('8: redirects are handed back, TRACE is refused, Alt-Svc is dropped', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const redirect = await requestThrough(scene.proxy, { url: `${scene.origin.url}/redirect`, grant, ...intercepted(grant) });
  t.true(redirect.status >= 300 && redirect.status < 400);
  t.truthy(redirect.headers.location);
  const altSvc = await requestThrough(scene.proxy, { url: `${scene.origin.url}/alt-svc`, grant, ...intercepted(grant) });
  t.is(altSvc.headers['alt-svc'], undefined);
  for (const method of ['TRACE', 'TRACK']) {
    const socket = await openTls(scene.proxy, `localhost:${scene.origin.port}`, { headers: ['X-Alter-Grant', grant] });
    const answer = await exchangeRaw(socket, `${method} / HTTP/1.1\r\nHost: localhost:${scene.origin.port}\r\nConnection: close\r\n\r\n`);
    t.regex(answer, /^HTTP\/1\.1 (405|400) /, method);
  }
});

test.serial('9: a host on the pass-through list is intercepted as soon as a grant is named', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, ...intercepted(grant) });
  t.is(answer.status, 200);
  t.true(scene.origin.requests.at(-1)?.rawHeaders.includes(`Bearer ${CREDENTIAL}`));
  const tunnel = await openTls({ ...scene.proxy, ca: scene.origin.ca }, `localhost:${scene.origin.port}`);
  t.regex(String(tunnel.getPeerCertificate().issuer.CN), /^(?!alter-proxy)/, 'without a grant the API itself answers');
  tunnel.destroy();
});

test.serial('11: a credential that the API reflects is removed from response headers', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/reflect`, grant, ...intercepted(grant) });
  t.is(answer.status, 200);
  const text = answer.rawHeaders.join('\n');
  for (const form of [
    CREDENTIAL,
    Buffer.from(CREDENTIAL).toString('base64'),
    Buffer.from(`Bearer ${CREDENTIAL}`).toString('base64'),
    encodeURIComponent(CREDENTIAL),
  ]) {
    t.false(text.includes(form), form);
  }
});

test.serial('11: a reason phrase that repeats the credential is not passed on, one that does not is', async (t) => {
  const grant = await scene.grant({ value: CREDENTIAL });
  const ask = async (target: string): Promise<string> => {
    const socket = await openTls(scene.proxy, scene.authority, { headers: ['X-Alter-Grant', grant] });
    return exchangeRaw(
      socket,
      `GET ${target} HTTP/1.1\r\nHost: ${scene.authority}\r\nConnection: close\r\nX-Alter-Grant: ${grant}\r\n\r\n`,
    );
  };
  const answered = await ask('/reflect');
  t.regex(answered, /^HTTP\/1\.1 103 Early Hints\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  t.false(answered.includes(CREDENTIAL));
  const harmless = await ask('/reflect?reason=another%20phrase');
  t.regex(harmless, /^HTTP\/1\.1 103 another phrase\r\n\r\nHTTP\/1\.1 200 another phrase\r\n/);
});

test.serial('11: a Secret prints as [redacted] wherever it is put', (t) => {
  const secret = new Secret(CREDENTIAL);
  for (const text of [
    String(secret),
    'in a sentence: '.concat(secret as unknown as string),
    JSON.stringify({ secret }),
    inspect(secret),
    inspect({ deep: [secret] }, { showHidden: true }),
    Object.values(secret).join(),
  ]) {
    t.false(text.includes(CREDENTIAL));
  }
});

test.serial('12: connections to one API are not shared between grants', async (t) => {
  const [one, two] = [await scene.grant({ value: 'sk-pool-one-000' }), await scene.grant({ value: 'sk-pool-two-000' })];
  const connectionOf = async (grant: string): Promise<number | undefined> => {
    await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant, ...intercepted(grant) });
    return scene.origin.requests.findLast((request) => request.rawHeaders.some((value) => value.startsWith('Bearer sk-pool')))?.connection;
  };
  const first = await connectionOf(one);
  t.not(await connectionOf(two), first);
  t.is(await connectionOf(one), first, 'the same grant uses its own connection again');
});

test.serial('13: a client without a good key gets no connection where every client needs one', async (t) => {
  const closed = await startScene({ config: { listen: { port: 0, require_key: true } } });
  try {
    const error = await t.throwsAsync(openConnect(closed.proxy, 'localhost:443'), { instanceOf: ConnectRefused });
    t.is(error.answer.status, 407);
    t.is(error.answer.headers['proxy-authenticate'], 'Basic realm="alter-proxy"');
    t.is(problemCode(error.answer), 'invalid_key');
    const { key } = closed.proxy;
    const almost = key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A');
    const wrong = await t.throwsAsync(openConnect(closed.proxy, 'localhost:443', ['Proxy-Authorization', `Bearer ${almost}`]), {
      instanceOf: ConnectRefused,
    });
    t.is(wrong.answer.status, 407);
    const answer = await requestThrough(closed.proxy, { url: `${closed.origin.url}/echo`, key: closed.proxy.key });
    t.is(answer.status, 200);
  } finally {
    await closed.stop();
  }
});

test.serial('13: a CA or keyring that others can read, or an unreadable CA, stops the start and nothing new is made', async (t) => {
  const other = await startScene();
  await other.proxy.running.stop();
  const { home } = other.proxy;
  const start = () => startProxy(loadConfig({ home, env: {} }), { log: createLogger('silent') });
  const caKey = path.join(home, 'ca', 'ca.key');
  await chmod(caKey, 0o644);
  await t.throwsAsync(start, { code: 'key_file_exposed' });
  await chmod(caKey, 0o600);
  await chmod(path.join(home, 'keyring.json'), 0o640);
  await t.throwsAsync(start, { code: 'key_file_exposed' });
  await chmod(path.join(home, 'keyring.json'), 0o600);
  await writeFile(caKey, 'garbage', { mode: 0o600 });
  await t.throwsAsync(start, { code: 'ca_unreadable' });
  await rm(caKey);
  await t.throwsAsync(start, { code: 'ca_unreadable' });
  t.deepEqual(
    (await readdir(path.join(home, 'ca'))).filter((name) => name === 'ca.key'),
    [],
  );
  await other.stop();
});
