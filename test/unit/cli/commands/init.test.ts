/** `init` makes a home once and whole, or not at all. */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { inProcessHome } from '../../../support/cli.ts';

test('init makes a home that only its owner can enter, and makes it once', async (t) => {
  const { home, run, json } = inProcessHome(t);
  const made = await run(['init', '--app', 'billing']);
  t.is(made.code, 0, made.stderr);
  t.regex(made.stdout, /^✓ Created .*home\n/);
  t.is(statSync(home).mode & 0o777, 0o700);
  for (const name of ['config.yaml', 'keyring.json', 'key', 'ca/ca.pem', 'ca/ca.key'])
    t.is(statSync(join(home, name)).mode & 0o777, 0o600, name);
  t.like(await json(['config', 'check']), { ok: true, app: 'billing', file: join(home, 'config.yaml') });

  const before = readFileSync(join(home, 'keyring.json'), 'utf8');
  const again = await run(['init']);
  t.is(again.code, 3);
  t.is(again.stdout, '');
  t.regex(again.stderr, /^error: .*home exists and is not empty\nhint: .*\n$/);
  t.is(readFileSync(join(home, 'keyring.json'), 'utf8'), before);
});

test("the proxy's own key is a stored key and is printed nowhere", async (t) => {
  const { home, run, json } = inProcessHome(t);
  const { stdout, stderr } = await run(['init', '--json']);
  const key = readFileSync(join(home, 'key'), 'utf8').trim();
  t.regex(key, /^alter_key_app_[\w-]{43}$/);
  t.false((stdout + stderr).includes(key));
  const [stored] = (await json(['key', 'list'])) as readonly { readonly prefix: string; readonly name: string }[];
  t.true(key.startsWith(stored?.prefix ?? 'nothing'));
});

test('init takes an empty folder, and leaves a folder with anything in it alone', async (t) => {
  const empty = inProcessHome(t);
  mkdirSync(empty.home, { mode: 0o755 });
  t.is((await empty.run(['init'])).code, 0);
  t.is(statSync(empty.home).mode & 0o777, 0o700);

  const used = inProcessHome(t);
  mkdirSync(used.home);
  used.write('home/notes.txt', 'mine');
  t.is((await used.run(['init'])).code, 3);
  t.deepEqual(readdirSync(used.home), ['notes.txt']);
});

function nested(folder: string, length: number): string {
  let path = join(folder, 'deep');
  while (path.length < length - 201) path = join(path, 'd'.repeat(Math.min(200, length - path.length - 1)));
  return join(path, 'd'.repeat(length - path.length - 1));
}

// The keyring and the CA still have room within the longest path of the system (4095 octets); the files of the store have not.
const TOO_DEEP = 4095 - '/keyring.json'.length;

test('init that fails midway removes what it made, and nothing else', async (t) => {
  const { folder, run } = inProcessHome(t);
  const home = nested(folder, TOO_DEEP);
  const failed = await run(['init', '--home', home]);
  t.is(failed.code, 1);
  t.is(failed.stdout, '');
  t.deepEqual(readdirSync(folder), []);

  mkdirSync(home, { recursive: true, mode: 0o755 });
  t.is((await run(['init', '--home', home])).code, 1);
  t.deepEqual(readdirSync(home), []);
  t.is(statSync(home).mode & 0o777, 0o755);
});

test('what cannot name an app is refused before anything is made', async (t) => {
  const { home, run } = inProcessHome(t);
  t.is((await run(['init', '--app', 'no such app'])).code, 2);
  t.false(existsSync(home));
});

test('init says what an app may be called before it makes anything', async (t) => {
  const { home, run } = inProcessHome(t);
  for (const app of ['key', 'a'.repeat(64), 'a b', '']) {
    const { code, stderr } = await run(['init', '--app', app]);
    t.is(code, 2, app);
    t.regex(stderr, /--app takes .*63 at most/);
    t.false(existsSync(home));
  }
  t.is((await run(['init', '--app', 'a'.repeat(63)])).code, 0);
});
