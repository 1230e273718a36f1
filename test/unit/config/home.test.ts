import os from 'node:os';
import path from 'node:path';
import test from 'ava';
import { homePaths, resolveHome } from '../../../src/config/home.ts';

test('the flag wins over ALTER_HOME, and that over the folder of the user', (t) => {
  const env = { ALTER_HOME: '/srv/alter', HOME: '/home/ann' };
  t.is(resolveHome('/opt/alter', env), '/opt/alter');
  t.is(resolveHome(undefined, env), '/srv/alter');
  t.is(resolveHome(undefined, { HOME: '/home/ann' }), '/home/ann/.alter-proxy');
});

test('an empty name is none, and a relative one starts at the current folder', (t) => {
  t.is(resolveHome('', { ALTER_HOME: '', HOME: '/home/ann' }), '/home/ann/.alter-proxy');
  t.is(resolveHome('here', {}), path.resolve('here'));
  t.is(resolveHome(undefined, { ALTER_HOME: './there' }), path.resolve('there'));
});

test.serial('without HOME, or with an empty one, the operating system knows the folder of the user', (t) => {
  const { HOME } = process.env;
  t.teardown(() => (process.env['HOME'] = HOME));
  process.env['HOME'] = '';
  const expected = path.join(os.userInfo().homedir, '.alter-proxy');
  t.is(resolveHome(undefined, {}), expected);
  t.is(resolveHome(undefined, { HOME: '' }), expected);
});

test('where things stand in a home', (t) => {
  t.deepEqual(homePaths('/srv/alter'), {
    config: '/srv/alter/config.yaml',
    keyring: '/srv/alter/keyring.json',
    ca: '/srv/alter/ca',
    store: '/srv/alter/store',
    key: '/srv/alter/key',
    run: '/srv/alter/run',
  });
});
