import { rmSync } from 'node:fs';
import test from 'ava';
import type { Config } from '../../../src/config/config.ts';
import { createConfigHolder } from '../../../src/config/reload.ts';
import { CommandError } from '../../../src/errors.ts';
import { configHome, type ConfigHome } from '../../support/config-home.ts';

interface Line {
  readonly level: string;
  readonly fields: object;
  readonly message: string;
}

function recordingLog() {
  const lines: Line[] = [];
  const at = (level: string) => (fields: object, message: string) => void lines.push({ level, fields, message });
  return { lines, info: at('info'), warn: at('warn'), error: at('error') };
}

function holderOf({ load }: ConfigHome, onChange: (next: Config, previous: Config) => void | Promise<void> = () => {}) {
  const log = recordingLog();
  return { holder: createConfigHolder(() => load(), onChange, log), log };
}

test('a changed file is applied, and what changed is named as in the file', async (t) => {
  const home = configHome(t);
  const applied: [number, number][] = [];
  const { holder, log } = holderOf(
    home,
    (next, previous) => void applied.push([next.upstream.maxConnections, previous.upstream.maxConnections]),
  );
  home.write('config.yaml', 'upstream: {max_connections: 5, allow_private: [localhost]}\nlog: {level: warn}\n');
  t.deepEqual(await holder.reload(), {
    ok: true,
    changed: ['upstream.allow_private', 'upstream.max_connections', 'log.level'],
    restartNeeded: [],
  });
  t.deepEqual(applied, [[5, 256]]);
  t.is(holder.current().upstream.maxConnections, 5);
  t.is(holder.current().file, home.file);
  t.true(Object.isFrozen(holder.current().upstream));
  t.deepEqual(
    log.lines.map(({ level, message }) => `${level} ${message}`),
    ['info configuration reloaded'],
  );
});

test('a bad file keeps the old configuration and says so', async (t) => {
  const home = configHome(t);
  home.write('config.yaml', 'upstream: {max_connections: 5}\n');
  let calls = 0;
  const { holder, log } = holderOf(home, () => {
    calls++;
  });
  const before = holder.current();
  home.write('config.yaml', 'upstream: {max_connections: 6}\nlisten: {prot: 1}\n');
  const result = await holder.reload();
  t.false(result.ok);
  t.is(result.ok ? '' : result.error.message, `${home.file}:2:10: listen.prot: is not a known setting; did you mean "port"?`);
  t.is(holder.current(), before);
  t.is(calls, 0);
  t.is(log.lines.length, 1);
  t.like(log.lines[0], { level: 'error', message: 'configuration not reloaded, the old one stays in force' });
  t.is((log.lines[0]?.fields as { err: unknown }).err, result.ok ? undefined : result.error);
});

test('a configuration that cannot be applied keeps the old one, and the next good one is applied', async (t) => {
  const home = configHome(t);
  let fails = true;
  const { holder, log } = holderOf(home, async () => {
    await Promise.resolve();
    if (fails) throw new Error('no such catalogue');
  });
  const before = holder.current();
  home.write('config.yaml', 'ungranted: deny\n');
  const refused = await holder.reload();
  t.is(refused.ok ? undefined : refused.error.code, 'internal');
  t.is(holder.current(), before);
  t.is(log.lines.at(-1)?.level, 'error');
  fails = false;
  t.like(await holder.reload(), { ok: true, changed: ['ungranted'] });
  t.is(holder.current().ungranted, 'deny');
});

test('the error of a refusal is the one that was thrown when it is a CommandError', async (t) => {
  const home = configHome(t);
  const thrown = new CommandError('file_unreadable', 'catalogue');
  const { holder } = holderOf(home, () => {
    throw thrown;
  });
  home.write('config.yaml', 'ungranted: deny\n');
  t.deepEqual(await holder.reload(), { ok: false, error: thrown });
});

test('what a running proxy cannot exchange keeps its old value until a restart', async (t) => {
  const home = configHome(t);
  home.write('config.yaml', 'app: one\nintercept: {max_leaves: 10}\n');
  const { holder, log } = holderOf(home);
  home.write('key', 'alter_key_app_a');
  home.write(
    'config.yaml',
    `app: two
key_file: key
listen: {port: 1, require_key: true}
admin: false
store: {url: "redis://localhost"}
keyring_file: other.json
ca_dir: other
intercept: {max_leaves: 11, pass_through: [example.com]}
`,
  );
  t.deepEqual(await holder.reload(), {
    ok: true,
    changed: ['intercept.pass_through'],
    restartNeeded: [
      ...['app', 'key', 'listen.port', 'listen.require_key', 'admin'],
      ...['store.kind', 'store.path', 'store.url', 'store.namespace', 'store.connect_timeout_ms', 'store.command_timeout_ms'],
      ...['keyring_file', 'ca_dir', 'intercept.max_leaves'],
    ],
  });
  t.like(holder.current(), {
    app: 'one',
    key: undefined,
    listen: { port: 7890, requireKey: false },
    admin: { port: 7891 },
    store: { kind: 'embedded' },
    intercept: { maxLeaves: 10, passThrough: ['example.com'] },
  });
  t.deepEqual(log.lines.at(-1)?.level, 'warn');
});

test('secrets are compared by what they hold', async (t) => {
  const home = configHome(t);
  home.write('key', 'alter_key_app_a');
  home.write('config.yaml', 'key_file: key\n');
  const { holder } = holderOf(home);
  t.deepEqual(await holder.reload(), { ok: true, changed: [], restartNeeded: [] });
  home.write('key', 'alter_key_app_b');
  t.deepEqual(await holder.reload(), { ok: true, changed: [], restartNeeded: ['key'] });
});

test('nothing is applied when nothing changed', async (t) => {
  const home = configHome(t);
  let calls = 0;
  const { holder } = holderOf(home, () => {
    calls++;
  });
  home.write('config.yaml', 'log: {level: info}\n');
  t.deepEqual(await holder.reload(), { ok: true, changed: [], restartNeeded: [] });
  t.is(calls, 0);
});

test('two reloads at once run one after the other', async (t) => {
  const home = configHome(t);
  const steps: string[] = [];
  const { holder } = holderOf(home, async (next, previous) => {
    steps.push(`from ${previous.upstream.maxConnections} to ${next.upstream.maxConnections}`);
    if (next.upstream.maxConnections === 1) home.write('config.yaml', 'upstream: {max_connections: 2}\n');
    await new Promise((resolve) => setImmediate(resolve));
    steps.push('done');
  });
  home.write('config.yaml', 'upstream: {max_connections: 1}\n');
  await Promise.all([holder.reload(), holder.reload()]);
  t.deepEqual(steps, ['from 256 to 1', 'done', 'from 1 to 2', 'done']);
  t.is(holder.current().upstream.maxConnections, 2);
});

test('a file that was in force must still be there, and say something if it did', async (t) => {
  const home = configHome(t);
  home.write('config.yaml', 'ungranted: deny\n');
  const { holder, log } = holderOf(home);
  const error = async (): Promise<string> => {
    const result = await holder.reload();
    t.is(holder.current().ungranted, 'deny');
    return result.ok ? 'reloaded' : `${result.error.code} ${result.error.message.replace(home.file, 'config.yaml')}`;
  };
  rmSync(home.file);
  t.is(await error(), 'file_unreadable config.yaml: is gone; put it back, or restart the proxy to run without it');
  t.like(log.lines.at(-1), { level: 'error', message: 'configuration not reloaded, the old one stays in force' });
  for (const text of ['', '\n', '# all gone\n', '---\n', '{}\n']) {
    home.write('config.yaml', text);
    t.is(
      await error(),
      'config_invalid config.yaml:1:1: holds no setting any more; write them again, or restart the proxy to run without them',
    );
  }
  home.write('config.yaml', 'ungranted: deny\n');
  t.is(await error(), 'reloaded');
});

test('without a file, or with one that says nothing, a reload goes on as before', async (t) => {
  const home = configHome(t);
  const { holder } = holderOf(home);
  t.true((await holder.reload()).ok);
  for (const text of ['# later\n', '', 'ungranted: deny\n']) {
    home.write('config.yaml', text);
    t.true((await holder.reload()).ok, JSON.stringify(text));
  }
  rmSync(home.file);
  t.false((await holder.reload()).ok);
  t.is(holder.current().ungranted, 'deny');
});
