/** Contract: a key never comes from the command line, is never repeated, and goes only to the proxy for which it is meant. */
import { writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { findProxyAccess, type ProxyOptions } from '../../../src/cli/proxy-address.ts';
import { CommandError } from '../../../src/errors.ts';
import { apiKeyText } from '../../../src/vault/own-credentials.ts';
import { fakeTerminal, type FakeTerminalOptions } from '../../support/fake-terminal.ts';

const KEY = `alter_key_agent_${'k'.repeat(43)}`;
const OTHER = `alter_key_agent_${'o'.repeat(43)}`;
const DEFAULT = 'http://127.0.0.1:7890';

async function found(options: ProxyOptions, terminal: FakeTerminalOptions): Promise<string> {
  const { origin, key } = await findProxyAccess(options, fakeTerminal(terminal));
  return `${origin} ${apiKeyText(key)}`;
}

async function failure(options: ProxyOptions, terminal: FakeTerminalOptions): Promise<string> {
  const error: unknown = await findProxyAccess(options, fakeTerminal(terminal)).catch((cause: unknown) => cause);
  if (!(error instanceof CommandError)) throw new Error('no failure');
  const text = `${error.code}: ${error.message} ${error.hint}`;
  if (text.includes('kkkk') || text.includes('oooo')) throw new Error('the key was repeated');
  return text;
}

test('the key comes from a file, then ALTER_KEY, then the proxy URL', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'alter-proxy-address-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const keyFile = join(folder, 'key');
  writeFileSync(keyFile, `${KEY}\n`);
  const url = { HTTPS_PROXY: `http://x:${OTHER}@proxy.test:8080` };
  t.is(await found({ keyFile }, { env: { ALTER_KEY: OTHER } }), `${DEFAULT} ${KEY}`);
  t.is(await found({ keyFile: '-' }, { stdin: `${KEY}\n` }), `${DEFAULT} ${KEY}`);
  t.is(await found({}, { env: { ...url, ALTER_KEY: KEY } }), `http://proxy.test:8080 ${KEY}`);
  t.is(await found({}, { env: url }), `http://proxy.test:8080 ${OTHER}`);
  t.is(await found({}, { env: { http_proxy: `http://${KEY}:@127.0.0.1:9` } }), `http://127.0.0.1:9 ${KEY}`);
  t.is(await found({ proxy: 'http://[::1]:8080/' }, { env: { ALTER_KEY: KEY } }), `http://[::1]:8080 ${KEY}`);
});

test("somebody else's proxy is not called, and a key beside one proxy is not for another", async (t) => {
  t.is(await found({}, { env: { HTTPS_PROXY: 'http://corp.test:3128', ALTER_KEY: KEY } }), `${DEFAULT} ${KEY}`);
  t.is(await found({}, { env: { HTTPS_PROXY: 'http://me:secret@corp.test:3128', ALTER_KEY: KEY } }), `${DEFAULT} ${KEY}`);
  t.regex(await failure({}, { env: { HTTPS_PROXY: 'http://me:secret@corp.test:3128' } }), /^usage: there is no key/);
  t.regex(
    await failure({ proxy: 'http://other.test:1' }, { env: { HTTPS_PROXY: `http://x:${KEY}@proxy.test:8080` } }),
    /^usage: there is no key/,
  );
  t.is(
    await found({ proxy: 'http://proxy.test:8080' }, { env: { HTTPS_PROXY: `http://x:${KEY}@proxy.test:8080` } }),
    `http://proxy.test:8080 ${KEY}`,
  );
});

test('what is not an address, or holds a key, is no --proxy', async (t) => {
  const env = { ALTER_KEY: KEY };
  for (const proxy of [
    '',
    'proxy.test',
    'proxy.test:8080',
    'https://proxy.test',
    'socks5://proxy.test',
    'http://proxy.test/path',
    'http://proxy.test?q',
  ])
    t.regex(await failure({ proxy }, { env }), /^usage: --proxy is not the address/, proxy);
  t.regex(await failure({ proxy: `http://x:${KEY}@proxy.test` }, { env }), /^usage: --proxy takes no key/);
  t.regex(await failure({ proxy: `http://${KEY}@proxy.test` }, { env }), /^usage: --proxy takes no key/);
});

test('what is no key is not sent, and not repeated', async (t) => {
  for (const text of ['sk-kkkk', `${KEY}k`, `alter_key_user_${'k'.repeat(43)}`, `${KEY}\n${KEY}`])
    t.regex(await failure({}, { env: { ALTER_KEY: text } }), /^usage: ALTER_KEY holds no API key/);
  t.regex(await failure({ keyFile: '-' }, { stdin: '' }), /^usage: --key-file holds no API key/);
  t.regex(await failure({ keyFile: '-' }, { tty: true }), /^usage: --key-file - reads a pipe/);
  t.regex(await failure({ keyFile: '/nowhere/at/all' }, {}), /^file_unreadable: /);
});
