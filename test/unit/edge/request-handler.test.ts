import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import net from 'node:net';
import test from 'ava';
import type { Caller } from '../../../src/principals/caller.ts';
import { eventually } from '../../support/eventually.ts';
import { CALLER, startServed } from '../../support/served.ts';

/** The server's sockets of this process, as they are accepted. */
const accepted: net.Socket[] = [];
const note = (message: unknown): void => void accepted.push((message as { readonly socket: net.Socket }).socket);
test.before(() => {
  subscribe('net.server.socket', note);
});
test.after.always(() => {
  unsubscribe('net.server.socket', note);
});

for (const [what, method, rest] of [
  ['a request', 'GET', '\r\n'],
  ['a request with a body', 'POST', 'Content-Length: 5\r\n\r\nhello'],
  ['a request with half a body', 'POST', 'Content-Length: 5\r\n\r\nhe'],
] as const) {
  test(`a client that leaves while the key of ${what} is looked up is recorded as such, and nothing is sent for it`, async (t) => {
    let found: ((caller: Caller) => void) | undefined;
    let judged = 0;
    const served = await startServed({
      injection: {},
      authenticate: () => new Promise((resolve) => (found = resolve)),
      before: () => {
        judged += 1;
        return { answer: 'continue' };
      },
      origin: { tls: false },
    });
    const client = net.connect(served.proxy.port, served.proxy.host);
    client.on('error', () => undefined);
    client.write(`${method} ${served.origin.url}/echo HTTP/1.1\r\nHost: localhost:${served.origin.port}\r\n${rest}`);
    const lookedUp = await eventually(() => found, 'the look-up of the key');
    const other = accepted.find(({ remotePort }) => remotePort === client.localPort);
    client.resetAndDestroy();
    await eventually(() => (other?.closed === true ? true : undefined), 'the end of the connection');
    t.deepEqual(served.events, []);
    lookedUp(CALLER);
    const { outcome, status } = await served.event();
    t.deepEqual({ outcome, status }, { outcome: 'aborted', status: null });
    t.is(judged, 0);
    t.is(served.uses.size, 0);
    t.is(served.origin.accepted, 0);
    await served.stop();
  });
}
