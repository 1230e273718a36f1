/**
 * Contract: during `run`, a client that cannot send a key gets through if it belongs to the user who runs it; a client of
 * another user of the machine, or one that sends a wrong key, does not.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import path from 'node:path';
import test from 'ava';
import { startProxy } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';
import { Secret } from '../../src/secret/secret.ts';
import { initialised, inProcessHome } from '../support/cli.ts';
import { ConnectRefused, openConnect } from '../support/client.ts';
import { startScene } from '../support/scene.ts';

const NOBODY = 65534;
const RUN_KEY = `alter_key_app_${'k'.repeat(43)}`;

test.serial('no key from the own user, the key of the run, a wrong key, no key from another user', async (t) => {
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

test.serial('files of another user are told as such: nothing is to be restored from a backup', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const commands = [
    ['secret', 'list'],
    ['ca', 'show'],
  ];
  // What they load comes from folders that somebody else may not enter.
  for (const args of commands) t.is((await cli.run(args)).code, 0);
  chmodSync(cli.folder, 0o711);
  chmodSync(cli.home, 0o711);
  chmodSync(path.join(cli.home, 'config.yaml'), 0o644);
  for (const args of commands) {
    const { stderr } = await withoutRights(cli.home, () => cli.run(args));
    t.regex(stderr, /EACCES\nhint: .*may read/, args.join(' '));
    t.notRegex(stderr, /backup/);
  }
});

/** Root may read everything, and so becomes somebody else; every other user takes the rights of the files away. */
async function withoutRights<T>(home: string, action: () => Promise<T>): Promise<T> {
  if (process.getuid?.() !== 0) {
    for (const name of ['keyring.json', 'ca/ca.key']) chmodSync(path.join(home, name), 0);
    return action();
  }
  process.seteuid?.(NOBODY);
  try {
    return await action();
  } finally {
    process.seteuid?.(0);
  }
}
