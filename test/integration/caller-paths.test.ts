/** Contract: the event of a request without a grant, and of one whose grant is unknown, holds no credential from the caller's path. */
import net from 'node:net';
import test from 'ava';
import { exchangeRaw } from '../support/client.ts';
import { startTestProxy } from '../support/proxy.ts';

for (const [what, fields] of [
  ['no grant', ''],
  ['an unknown grant', 'X-Alter-Grant: 0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11\r\n'],
] as const) {
  test(`${what}: a token of Telegram in the path is not recorded`, async (t) => {
    const proxy = await startTestProxy({ config: { ungranted: 'deny' } });
    t.teardown(() => proxy.stop());
    const head = `GET http://api.telegram.org/bot123456789:AAF-own_token/getMe HTTP/1.1\r\nHost: api.telegram.org\r\n${fields}Connection: close\r\n\r\n`;
    t.regex(await exchangeRaw(net.connect(proxy.port, proxy.host), head), /^HTTP\/1\.1 40[34] /);
    const [event] = await proxy.events(1);
    t.like(event, { host: 'api.telegram.org', path: '/bot{bot_token}/getMe' });
    t.false(proxy.logged().includes('AAF-own_token'));
  });
}
