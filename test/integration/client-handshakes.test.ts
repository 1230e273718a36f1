/**
 * Contract: within CONNECT, clients of HTTP/1.1 and of HTTP/1.0 agree with the proxy on their protocol, and the log tells of every client that
 * leaves without a request whether it wants another protocol, rejects the certificate, or just left.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import tls from 'node:tls';
import test from 'ava';
import { exchangeRaw, openConnect, openTls } from '../support/client.ts';
import { eventually } from '../support/eventually.ts';
import { startScene, type Scene } from '../support/scene.ts';

let scene: Scene;
test.before(async () => {
  scene = await startScene();
});
test.after.always(async () => {
  await scene.stop();
});

/** What the proxy logs while `work` runs, as soon as `line` is there. */
async function logsWhile(line: RegExp, work: () => Promise<unknown>): Promise<string> {
  const before = scene.proxy.logged().length;
  await work();
  const since = (): string => scene.proxy.logged().slice(before);
  return eventually(() => (line.test(since()) ? since() : undefined), `${String(line)} in the log`);
}

/** Fails with what the TLS of this client says. */
const failing = (options: tls.ConnectionOptions) => openTls(scene.proxy, scene.authority, options).catch((error: unknown) => error);

for (const [offered, agreed] of [
  [['http/1.0'], 'http/1.0'],
  [['http/1.1'], 'http/1.1'],
  [['http/1.0', 'http/1.1'], 'http/1.1'],
  [['h2', 'http/1.1'], 'http/1.1'],
  [undefined, false],
] as const) {
  test.serial(`a client that offers ${offered?.join(' and ') ?? 'no protocol'} is served`, async (t) => {
    const socket = await openTls(scene.proxy, scene.authority, offered === undefined ? {} : { ALPNProtocols: [...offered] });
    t.is(socket.alpnProtocol, agreed);
    const head = `GET /me HTTP/1.0\r\nHost: ${scene.authority}\r\nX-Alter-Grant: ${await scene.grant()}\r\n\r\n`;
    t.regex(await exchangeRaw(socket, head), /^HTTP\/1\.[01] 200 /);
  });
}

test.serial('a client that speaks HTTP/2 only is told apart from one that does not trust the CA', async (t) => {
  const log = await logsWhile(/HTTP\/2/, () => failing({ ALPNProtocols: ['h2'] }));
  t.regex(log, /offers no HTTP\/1\.1, perhaps only HTTP\/2 as gRPC does: such a host belongs into intercept\.pass_through/);
  t.notRegex(log, /trust the CA/);
});

test.serial('a client that rejects the certificate with an alert is a warning', async (t) => {
  const url = `https://${scene.authority}/me`;
  const curl = () =>
    once(spawn('curl', ['-s', '--proxy', `http://${scene.proxy.host}:${scene.proxy.port}`, url], { stdio: 'ignore' }), 'exit');
  t.regex(await logsWhile(/trust the CA/, curl), /TLS with the client failed: does it trust the CA of this proxy\?/);
});

test.serial('a client that leaves within the handshake is told: so does Node when it rejects the certificate', async (t) => {
  t.regex(await logsWhile(/the client left within the TLS handshake/, () => failing({ ca: [] })), /"host":"localhost"/);
});

test.serial('a client that leaves after the handshake without a request is told, and one that has made a request is not', async (t) => {
  const before = scene.proxy.logged().length;
  const served = await openTls(scene.proxy, scene.authority);
  await exchangeRaw(served, `GET /me HTTP/1.0\r\nHost: ${scene.authority}\r\nX-Alter-Grant: ${await scene.grant()}\r\n\r\n`);
  await logsWhile(/no request came after the TLS handshake/, async () => (await openTls(scene.proxy, scene.authority)).end());
  t.is(scene.proxy.logged().slice(before).split('after the TLS handshake').length, 2, 'of the second one only');
});

test.serial('a client that resets the connection after the handshake is told once', async (t) => {
  const resetting = async (): Promise<void> => {
    const raw = await openConnect(scene.proxy, scene.authority);
    const client = tls.connect({ socket: raw, ca: scene.proxy.ca, servername: 'localhost' }).on('error', () => undefined);
    await once(client, 'secureConnect');
    // As wget does: with a farewell, and what the proxy has sent unread.
    client.end(() => raw.resetAndDestroy());
  };
  const log = await logsWhile(/TLS handshake/, resetting);
  await logsWhile(/no request came after the TLS handshake/, async () => (await openTls(scene.proxy, scene.authority)).end());
  t.notRegex(log, /within the TLS handshake/);
});
