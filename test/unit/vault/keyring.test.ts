import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from 'node:util';
import test from 'ava';
import { CommandError } from '../../../src/errors.ts';
import { createKeyring, loadKeyring } from '../../../src/vault/keyring.ts';
import { codeOf } from '../../support/vault-fixture.ts';

const withFolder = test.macro(async (t, run: (folder: string, t: import('ava').ExecutionContext) => unknown) => {
  const folder = fs.mkdtempSync(join(tmpdir(), 'alter-keyring-'));
  t.teardown(() => {
    fs.rmSync(folder, { recursive: true, force: true });
  });
  await run(folder, t);
});

interface StoredKey {
  kid: string;
  k: string;
  alter_active: boolean;
  [member: string]: unknown;
}

function keysIn(file: string): StoredKey[] {
  return (JSON.parse(fs.readFileSync(file, 'utf8')) as { keys: StoredKey[] }).keys;
}

test('a new keyring is a JWKS with one active 256-bit key, mode 0600 in a folder of mode 0700', withFolder, (folder: string, t) => {
  const file = join(folder, 'home', 'keyring.json');
  const keyring = createKeyring(file, 'default');
  t.is(fs.statSync(file).mode & 0o777, 0o600);
  t.is(fs.statSync(dirname(file)).mode & 0o777, 0o700);
  const [key, ...others] = keysIn(file);
  t.deepEqual(others, []);
  t.like(key, { kty: 'oct', alg: 'A256GCMKW', use: 'enc', alter_app: 'default', alter_active: true, kid: keyring.activeKid('default') });
  t.is(Buffer.from(key?.k ?? '', 'base64url').length, 32);
  t.like(keyring.list()[0], { app: 'default', active: true });
});

test('an existing file is never overwritten', withFolder, async (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  createKeyring(file, 'default');
  const before = fs.readFileSync(file);
  t.is(await codeOf(() => createKeyring(file, 'default')), 'home_exists');
  t.deepEqual(fs.readFileSync(file), before);
});

test('a keyring is not created in a folder that is open to others', withFolder, async (folder: string, t) => {
  fs.chmodSync(folder, 0o750);
  t.is(await codeOf(() => createKeyring(join(folder, 'keyring.json'), 'default')), 'key_file_exposed');
  t.deepEqual(fs.readdirSync(folder), []);
});

test('a name that could break a store key is not an app', withFolder, async (folder: string, t) => {
  for (const app of ['', 'a:b', 'a b', '.a', 'a'.repeat(65)])
    t.is(await codeOf(() => createKeyring(join(folder, 'k'), app)), 'record_invalid', app);
  t.is(await codeOf(() => createKeyring(join(folder, 'k'), 'a.b-c_D9')), 'none');
});

test('a file that group or others can read is refused, a stricter one is not', withFolder, async (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  createKeyring(file, 'default');
  for (const mode of [0o640, 0o604, 0o620, 0o644]) {
    fs.chmodSync(file, mode);
    t.is(await codeOf(() => loadKeyring(file)), 'key_file_exposed', mode.toString(8));
  }
  fs.chmodSync(file, 0o400);
  t.is(await codeOf(() => loadKeyring(file)), 'none');
});

test('a broken file is unreadable, and the message holds nothing of it', withFolder, (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  createKeyring(file, 'default');
  const [key] = keysIn(file);
  const good = { ...key };
  const k = key?.k ?? '';
  const broken: unknown[] = [
    `{"keys":[{"k":"${k}"`,
    [],
    { keys: {} },
    { keys: [] },
    { keys: [k] },
    { keys: [{ ...good, k: k.slice(1) }] },
    { keys: [{ ...good, k: `${k.slice(1)}=` }] },
    { keys: [{ ...good, kty: 'RSA' }] },
    { keys: [{ ...good, alg: 'A128KW' }] },
    { keys: [{ ...good, use: 'sig' }] },
    { keys: [{ ...good, kid: '' }] },
    { keys: [{ ...good, alter_app: 'a:b' }] },
    { keys: [{ ...good, alter_active: 'yes' }] },
    { keys: [{ ...good, alter_created: '1' }] },
    { keys: [good, good] },
    { keys: [good, { ...good, kid: 'another' }] },
  ];
  for (const content of broken) {
    fs.writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    const error = t.throws(() => loadKeyring(file), { instanceOf: CommandError });
    t.is(error.code, 'keyring_unreadable', JSON.stringify(content));
    t.false(inspect(error).includes(k.slice(1, 20)));
  }
  t.is(t.throws(() => loadKeyring(join(folder, 'none.json')), { instanceOf: CommandError }).code, 'keyring_unreadable');
});

test('keys are added, activated and dropped; one of an app is active; unknown members stay', withFolder, async (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  const keyring = createKeyring(file, 'default');
  const first = keyring.activeKid('default');
  fs.writeFileSync(file, JSON.stringify({ keys: keysIn(file).map((key) => ({ ...key, x_note: 'mine' })) }));

  const second = keyring.add('default', { activate: false });
  t.is(keyring.activeKid('default'), first);
  const other = keyring.add('other');
  t.is(keyring.activeKid('default'), first);
  t.is(keyring.activeKid('other'), other);
  keyring.activate(second);
  t.is(loadKeyring(file).activeKid('default'), second);
  t.is(loadKeyring(file).activeKid('other'), other);
  t.is(keysIn(file)[0]?.['x_note'], 'mine');

  t.is(
    await codeOf(() => {
      keyring.drop(second);
    }),
    'keyring_key_in_use',
  );
  t.is(
    await codeOf(() => {
      keyring.drop('nobody');
    }),
    'not_found',
  );
  t.is(
    await codeOf(() => {
      keyring.activate('nobody');
    }),
    'not_found',
  );
  t.is(await codeOf(() => keyring.activeKid('third')), 'not_found');
  keyring.drop(first);
  t.deepEqual(
    keyring.list().map(({ kid }) => kid),
    [second, other],
  );
  t.is(fs.statSync(file).mode & 0o777, 0o600);
  t.deepEqual(fs.readdirSync(folder), ['keyring.json']);
});

test('a change starts from the file as it is now: the key of another process is not lost', withFolder, (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  const mine = createKeyring(file, 'default');
  const theirs = loadKeyring(file);
  const added = [theirs.add('default'), mine.add('default')];
  const kids = loadKeyring(file)
    .list()
    .map(({ kid }) => kid);
  t.true(added.every((kid) => kids.includes(kid)));
});

test(
  'while another process changes the file nobody else does; a lock that a crash left does not stay',
  withFolder,
  async (folder: string, t) => {
    const file = join(folder, 'keyring.json');
    const keyring = createKeyring(file, 'default');
    fs.writeFileSync(`${file}.lock`, '');
    t.is(await codeOf(() => keyring.add('default')), 'record_conflict');
    t.is(keyring.list().length, 1);
    const longAgo = new Date(Date.now() - 60_000);
    fs.utimesSync(`${file}.lock`, longAgo, longAgo);
    keyring.add('default');
    t.is(loadKeyring(file).list().length, 2);
    t.false(fs.existsSync(`${file}.lock`));
  },
);

test('a link to the keyring stays a link', withFolder, (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  createKeyring(file, 'default');
  fs.symlinkSync(file, join(folder, 'link.json'));
  loadKeyring(join(folder, 'link.json')).add('default');
  t.true(fs.lstatSync(join(folder, 'link.json')).isSymbolicLink());
  t.is(loadKeyring(file).list().length, 2);
});

test('when the file system takes no more bytes the old file stays whole', withFolder, (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  const keyring = createKeyring(file, 'default');
  for (let i = 0; i < 4; i++) keyring.add('default');
  const before = fs.readFileSync(file);
  t.true(before.length > 1024);
  // One block: the write succeeds in part and then fails, as on a disk that fills up (Node ignores SIGXFSZ, so it is an error and no signal).
  const module = new URL('../../../src/vault/keyring.js', import.meta.url).href;
  const script = `import { createKeyring, loadKeyring } from ${JSON.stringify(module)};
    const attempt = (action) => { try { action(); return 'none'; } catch (error) { return error.code; } };
    console.log(attempt(() => loadKeyring(process.argv[1]).add('default')));`;
  const run = spawnSync('sh', ['-c', 'ulimit -f 1 && exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script, file], {
    encoding: 'utf8',
  });
  t.is(run.stdout.trim(), 'file_unwritable', run.stderr);
  t.deepEqual(fs.readFileSync(file), before);
  t.deepEqual(fs.readdirSync(folder), ['keyring.json']);
});

test('a keyring that cannot be written whole is not left behind', withFolder, (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  const module = new URL('../../../src/vault/keyring.js', import.meta.url).href;
  const script = `import { createKeyring } from ${JSON.stringify(module)};
    try { createKeyring(process.argv[1], 'default'); } catch (error) { console.log(error.code); }`;
  const run = spawnSync('sh', ['-c', 'ulimit -f 0 && exec "$0" "$@"', process.execPath, '--input-type=module', '-e', script, file], {
    encoding: 'utf8',
  });
  t.is(run.stdout.trim(), 'file_unwritable', run.stderr);
  t.deepEqual(fs.readdirSync(folder), []);
});

test(
  'a running keyring finds the key that another process added, however soon after the last look',
  withFolder,
  async (folder: string, t) => {
    const file = join(folder, 'keyring.json');
    const operator = createKeyring(file, 'default');
    const proxy = loadKeyring(file);
    t.is(await proxy.openingKey('nobody'), undefined);
    for (let i = 0; i < 3; i++) {
      const kid = operator.add('default');
      t.is((await proxy.openingKey(kid))?.kid, kid);
    }
  },
);

test('a kid that is nowhere costs one look at the file in 200 ms, however many ask', withFolder, async (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  const keyring = createKeyring(file, 'default');
  const looks = Array.from({ length: 50 }, async () => keyring.openingKey('nobody'));
  const begun = performance.now();
  await Promise.all(looks);
  await keyring.openingKey('nobody');
  const ms = performance.now() - begun;
  t.true(ms >= 150, 'the second look waits for its turn');
  t.true(ms < 50 * 200, 'those who ask together share a look');
});

test('the key that seals is the one that the file names now', withFolder, async (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  const operator = createKeyring(file, 'default');
  const proxy = loadKeyring(file);
  const kid = operator.add('default');
  t.is(proxy.sealingKey('default').kid, kid);
  fs.chmodSync(file, 0o644);
  t.is(await codeOf(() => proxy.openingKey('nobody')), 'key_file_exposed');
});

test('a keyring prints no key', withFolder, (folder: string, t) => {
  const file = join(folder, 'keyring.json');
  const keyring = createKeyring(file, 'default');
  const k = keysIn(file)[0]?.k ?? '';
  const bytes = inspect(Buffer.from(k, 'base64url')).slice(8, 30);
  for (const shown of [
    inspect(keyring, { depth: 9, showHidden: true }),
    JSON.stringify(keyring),
    inspect(keyring.sealingKey('default'), { depth: 9 }),
  ]) {
    t.false(shown.includes(k) || shown.includes(bytes), shown);
  }
});
