/**
 * Contract: during `run`, a client that cannot send a key gets through if it belongs to the user who runs it; a client of
 * another user of the machine, or one that sends a wrong key, does not.
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { startProxy } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';
import { Secret } from '../../src/secret/secret.ts';
import { ConnectRefused, openConnect } from '../support/client.ts';
import { startScene } from '../support/scene.ts';
import { newHome } from '../support/started.ts';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const NOBODY = 65534;
const RUN_KEY = `alter_key_app_${'k'.repeat(43)}`;

test('no key from the own user, the key of the run, a wrong key, no key from another user', async (t) => {
  const scene = await startScene();
  const config = loadConfig({ home: scene.proxy.home, env: {}, flags: { requireKey: true } });
  const running = await startProxy(config, { log: createLogger('silent'), runKey: new Secret(RUN_KEY), ownUserNeedsNoKey: true });
  const proxy = { ...running.address, ca: scene.proxy.ca };
  (await openConnect(proxy, 'localhost:443')).destroy();
  (await openConnect(proxy, 'localhost:443', ['Proxy-Authorization', `Bearer ${RUN_KEY}`])).destroy();
  const wrong = await t.throwsAsync(openConnect(proxy, 'localhost:443', ['Proxy-Authorization', `Bearer ${RUN_KEY.slice(0, -1)}x`]), {
    instanceOf: ConnectRefused,
  });
  t.is(wrong.answer.status, 407);
  // Only root can become somebody else; for every other user the kernel's answer about a foreign connection is in the unit test.
  if (process.getuid?.() === 0) t.regex(await connectAs(NOBODY, running.address.port), /^HTTP\/1\.1 407 /);
  await running.stop();
  await scene.stop();
});

/** First line of what a process of user `uid` gets for CONNECT. */
async function connectAs(uid: number, port: number): Promise<string> {
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port}; printf 'CONNECT localhost:443 HTTP/1.1\\r\\nHost: localhost:443\\r\\n\\r\\n' >&3; head -1 <&3`;
  const child = spawn('/bin/bash', ['-c', script], { uid, gid: uid, cwd: '/', stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await once(child, 'close');
  return Buffer.concat(chunks).toString();
}

test('files of another user are told as such: nothing is to be restored from a backup', async (t) => {
  const cli = await newHome(t);
  chmodSync(cli.folder, 0o711);
  chmodSync(cli.home, 0o711);
  chmodSync(path.join(cli.home, 'config.yaml'), 0o644);
  const files = ['keyring.json', 'ca/ca.key'].map((name) => path.join(cli.home, name));
  // Root may read everything, and so becomes somebody else.
  const root = process.getuid?.() === 0;
  if (!root) for (const file of files) chmodSync(file, 0);
  for (const args of [
    ['secret', 'list'],
    ['ca', 'show'],
  ]) {
    const { stderr } = spawnSync(process.execPath, [MAIN, ...args, '--home', cli.home], {
      ...(root ? { uid: NOBODY, gid: NOBODY } : {}),
      cwd: '/',
      encoding: 'utf8',
    });
    t.regex(stderr, /EACCES\nhint: .*may read/, args.join(' '));
    t.notRegex(stderr, /backup/);
  }
});
