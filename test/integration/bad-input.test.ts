/**
 * Contract: whatever a client sends, it gets the stable code that says what to do, in a problem document, and the proxy
 * serves the next request.
 */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import type { WireCode } from '../../src/errors.ts';
import { ConnectRefused, exchangeRaw, openConnect, openTls, problemCode, requestThrough } from '../support/client.ts';
import type { ClientRequest } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startScene } from '../support/scene.ts';
import type { Scene } from '../support/scene.ts';

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

let scene: Scene;
test.before(async () => {
  scene = await startScene({ config: { limits: { max_header_bytes: 8192, head_timeout_ms: 700, max_connections: 40 } } });
});
test.after.always(async () => {
  await scene.stop();
});
test.afterEach(async (t) => {
  const next = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo` });
  t.is(next.status, 200, 'the proxy lives on');
});

async function codeOf(request: Omit<ClientRequest, 'url'>, path = '/echo'): Promise<string> {
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}${path}`, ...request });
  return `${answer.status} ${problemCode(answer)}`;
}

test.serial('X-Alter-Grant that is not exactly one UUID', async (t) => {
  const grant = await scene.grant();
  for (const value of ['', 'x', `${grant}x`, ` ${grant},${grant}`, `alter_grant_${grant}`, `{${grant}}`]) {
    t.is(await codeOf({ headers: ['X-Alter-Grant', value] }), '400 invalid_grant_id', JSON.stringify(value));
  }
  t.is(await codeOf({ headers: ['X-Alter-Grant', grant, 'x-alter-grant', grant] }), '400 invalid_grant_id');
  t.is((await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant: grant.toUpperCase() })).status, 200);
});

test.serial('a grant that is unknown, expired, revoked, or whose secret is gone', async (t) => {
  t.is(await codeOf({ grant: UNKNOWN }), '404 grant_not_found');
  const short = await scene.grant({ ttlMs: 1 });
  await delay(5);
  t.is(await codeOf({ grant: short }), '410 grant_expired');
  const revoked = await scene.grant();
  t.is((await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, grant: revoked })).status, 200);
  const record = await scene.proxy.administration.revokeGrant(revoked);
  t.is(await codeOf({ grant: revoked }), '410 grant_revoked');
  const { secretId } = record;
  const other = await scene.proxy.administration.issueGrant({ secret: secretId, label: 'another' });
  await scene.proxy.administration.deleteSecret(secretId);
  t.is(await codeOf({ grant: other.id }), '410 credential_revoked');
});

test.serial('a WebSocket is refused before any credential leaves; other protocols that a client offers are ignored', async (t) => {
  const grant = await scene.grant();
  const seen = scene.origin.requests.length;
  for (const named of [{ grant }, {}]) {
    for (const protocols of ['websocket', 'WebSocket', 'h2c, websocket']) {
      const headers = ['Connection', 'keep-alive, Upgrade', 'Upgrade', protocols];
      const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, headers, ...named });
      t.is(`${answer.status} ${problemCode(answer)}`, '501 websocket_not_supported', protocols);
      t.regex(answer.body, /intercept\.pass_through/);
    }
  }
  t.is(scene.origin.requests.length, seen);
  for (const headers of [
    ['Connection', 'Upgrade, HTTP2-Settings', 'Upgrade', 'h2c', 'HTTP2-Settings', ''],
    ['Upgrade', 'websocket'],
  ])
    t.is((await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, headers, grant })).status, 200);
});

test.serial('the host in other spellings', async (t) => {
  const { port } = scene.origin;
  const cases: readonly (readonly [authority: string, status: number])[] = [
    [`localhost.:${port}`, 400],
    [`user@localhost:${port}`, 400],
    [`user:pass@localhost:${port}`, 400],
    [`127.1:${port}`, 400],
    [`0x7f.0.0.1:${port}`, 400],
    [`2130706433:${port}`, 400],
    [`0177.0.0.1:${port}`, 400],
    [`[::ffff:127.0.0.1]:${port}`, 400],
    [`localhost%2e:${port}`, 400],
    [`l\u00f6calhost:${port}`, 400],
    ['localhost', 400],
    ['localhost:0', 400],
    ['localhost:65536', 400],
    ['localhost:+443', 400],
  ];
  for (const [authority, status] of cases) {
    const socket = net.connect(scene.proxy.port, scene.proxy.host);
    const answer = await exchangeRaw(socket, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
    t.regex(answer, new RegExp(`^HTTP/1\\.1 ${status} `), authority);
    t.regex(answer, /malformed_request/, authority);
  }
  const upper = await openConnect(scene.proxy, `LOCALHOST:${port}`);
  t.truthy(upper);
  upper.destroy();
});

test.serial('an oversize head', async (t) => {
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, headers: ['X-Big', 'b'.repeat(10_000)] });
  t.is(answer.status, 431);
  t.is(problemCode(answer), 'header_too_large');
});

test.serial('a head that does not come to its end, before and inside TLS', async (t) => {
  const front = net.connect(scene.proxy.port, scene.proxy.host);
  t.regex(await exchangeRaw(front, 'GET http://localhost/ HTT'), /^HTTP\/1\.1 408 /);
  const inner = await openTls(scene.proxy, scene.authority);
  t.regex(await exchangeRaw(inner, `GET / HTTP/1.1\r\nHost: ${scene.authority}\r\nX-`), /^HTTP\/1\.1 408 /);
});

test.serial('half-open clients: CONNECT without a byte, and a client that closes its side before the answer', async (t) => {
  const silent = await openConnect(scene.proxy, scene.authority);
  silent.on('error', () => undefined);
  await once(silent.resume(), 'close');
  // node:http takes a client that has closed its side as gone, as nginx and squid do: nothing tells it from one that left.
  const half = await openTls(scene.proxy, scene.authority);
  half.on('error', () => undefined);
  half.write(`GET /slow-headers HTTP/1.1\r\nHost: ${scene.authority}\r\n\r\n`);
  const seen = scene.origin.aborted.length;
  await scene.origin.until(() => scene.origin.requests.at(-1)?.url === '/slow-headers');
  half.end();
  await scene.origin.until(() => scene.origin.aborted.length > seen);
  const aborted = await eventually(async () => (await scene.proxy.events(1)).find(({ path }) => path === '/slow-headers'), 'the event');
  t.is(aborted.outcome, 'aborted');
});

test.serial('garbage instead of TLS, and TLS that is no TLS', async (t) => {
  const { port } = scene.origin;
  const garbage = await openConnect(scene.proxy, `localhost:${port}`);
  t.regex(await exchangeRaw(garbage, '\x00\x01\x02garbage\r\n\r\n'), /^HTTP\/1\.1 400 /);
  const broken = await openConnect(scene.proxy, `localhost:${port}`);
  t.notRegex(await exchangeRaw(broken, Buffer.from('160301000501020304ff', 'hex')), /HTTP/);
});

test.serial('a request to the proxy itself says what to do', async (t) => {
  const socket = net.connect(scene.proxy.port, scene.proxy.host);
  const answer = await exchangeRaw(socket, 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n');
  t.regex(answer, /^HTTP\/1\.1 400 /);
  t.regex(answer, /set HTTPS_PROXY/);
});

test.serial('CONNECT inside CONNECT', async (t) => {
  const socket = await openTls(scene.proxy, scene.authority);
  t.regex(await exchangeRaw(socket, `CONNECT ${scene.authority} HTTP/1.1\r\nHost: ${scene.authority}\r\n\r\n`), /^HTTP\/1\.1 400 /);
});

test.serial('a wrong key is refused with 407 on the front, and a key that is revoked with 401 inside', async (t) => {
  const wrong = await t.throwsAsync(openConnect(scene.proxy, scene.authority, ['Proxy-Authorization', 'Bearer nonsense']), {
    instanceOf: ConnectRefused,
  });
  t.is(`${wrong.answer.status} ${problemCode(wrong.answer)}`, '407 invalid_key');
  const created = await scene.proxy.administration.createKey({ name: 'short-lived' });
  const { reveal } = await import('../../src/secret/reveal.ts');
  const socket = await openTls(scene.proxy, scene.authority, { headers: ['Proxy-Authorization', `Bearer ${reveal(created.key)}`] });
  await scene.proxy.administration.revokeKey(created.record.id);
  const answer = await exchangeRaw(socket, `GET /echo HTTP/1.1\r\nHost: ${scene.authority}\r\nConnection: close\r\n\r\n`);
  t.regex(answer, /^HTTP\/1\.1 401 [\s\S]*"code":"key_revoked"/);
});

test.serial('more connections than the limit are refused, and those that exist are unharmed', async (t) => {
  const held = await Promise.all(Array.from({ length: 39 }, () => openConnect(scene.proxy, scene.authority)));
  const sockets = Array.from({ length: 3 }, () => net.connect(scene.proxy.port, scene.proxy.host));
  const answers = await Promise.all(
    sockets.map((socket) => exchangeRaw(socket, 'CONNECT localhost:1 HTTP/1.1\r\nHost: localhost:1\r\n\r\n')),
  );
  t.true(answers.some((answer) => answer.startsWith('HTTP/1.1 429 ') && answer.includes('too_many_connections')));
  for (const socket of held) socket.destroy();
  await Promise.all(held.map((socket) => (socket.closed ? Promise.resolve() : once(socket, 'close'))));
});

test.serial('the placeholder: in its slot it is replaced, elsewhere it is refused, twice it is ambiguous', async (t) => {
  const grant = await scene.grant({ value: 'sk-slot-credential-1' });
  const other = await scene.grant();
  const inSlot = await requestThrough(scene.proxy, {
    url: `${scene.origin.url}/echo`,
    headers: ['Authorization', `Bearer alter_grant_${grant}`],
  });
  t.is(inSlot.status, 200);
  t.true(scene.origin.requests.at(-1)?.rawHeaders.includes('Bearer sk-slot-credential-1'));
  t.is(await codeOf({ headers: ['X-Api-Key', `alter_grant_${grant}`] }), '400 placeholder_not_replaced');
  t.is(await codeOf({}, `/echo?key=alter_grant_${grant}`), '400 placeholder_not_replaced');
  t.is(
    await codeOf({ headers: ['Authorization', `Bearer alter_grant_${grant}`, 'X-Other', `alter_grant_${other}`] }),
    '409 ambiguous_grant',
  );
  t.is(await codeOf({ grant, headers: ['X-Api-Key', `alter_grant_${grant}`] }), '400 placeholder_not_replaced');
});

test.serial('ungranted: deny, and a default grant for a host', async (t) => {
  const grant = await scene.grant({ value: 'sk-default-credential-1' });
  await scene.reset({ ungranted: 'deny' });
  t.is(await codeOf({}), '403 policy_violation');
  await scene.reset({ ungranted: 'deny', default_grants: { [scene.authority]: grant } });
  t.is((await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo` })).status, 200);
  t.true(scene.origin.requests.at(-1)?.rawHeaders.includes('Bearer sk-default-credential-1'));
  await scene.reset({});
});

test.serial('a policy that allows only some methods', async (t) => {
  const allowed = await scene.grant();
  const { secretId } = await scene.proxy.administration.showGrant(allowed);
  const reading = await scene.proxy.administration.issueGrant({
    secret: secretId,
    label: 'reading',
    policy: [{ kind: 'methods', allow: ['GET'] }],
  });
  const answer = await requestThrough(scene.proxy, { url: `${scene.origin.url}/echo`, method: 'DELETE', grant: reading.id });
  t.is(`${answer.status} ${problemCode(answer)}`, '403 policy_violation');
  t.is((await scene.proxy.eventOf(answer)).rule, 'grant:methods');
});

const NEVER_SEEN: readonly WireCode[] = ['internal_error'];
test.serial('nothing of this was a defect of the proxy', async (t) => {
  const events = await scene.proxy.events(1);
  t.deepEqual(
    events.filter(({ code }) => NEVER_SEEN.some((never) => never === code)),
    [],
  );
});
