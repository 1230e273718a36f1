import test from 'ava';
import { homePaths } from '../../../src/config/home.ts';
import { configTemplate } from '../../../src/config/template.ts';
import { configHome } from '../../support/config-home.ts';

test('what init writes loads as it stands, and says nothing but the app and the key beside the defaults', (t) => {
  const { home, load, write } = configHome(t);
  const defaults = load();
  write('key', 'alter_key_app_abc\n');
  write('config.yaml', configTemplate({ app: 'billing' }));
  const { key, app, file, ...rest } = load();
  const { key: _key, app: _app, file: _file, ...usual } = defaults;
  t.is(app, 'billing');
  t.is(file, homePaths(home).config);
  t.not(key, undefined);
  t.deepEqual(rest, usual);
});

test('names that YAML would read as something else stay names', (t) => {
  const { load, write } = configHome(t);
  write('key', 'alter_key_app_abc\n');
  for (const app of ['true', '123', '1e3', 'null']) {
    write('config.yaml', configTemplate({ app, name: `a: "b" #${app}`.replaceAll(' ', '_') }));
    t.like(load(), { app, name: `a:_"b"_#${app}` });
  }
});

test('its Redis example loads, too', (t) => {
  const { load, write } = configHome(t);
  write('key', 'alter_key_app_abc\n');
  write('redis-password', 'x\n');
  const example = configTemplate({ app: 'billing' })
    .replace('store:\n  kind: embedded\n', '')
    .replaceAll(/^# {3}(store:| {2}\w+:)/gm, '$1');
  write('config.yaml', example);
  t.like(load().store, { kind: 'redis', url: 'rediss://redis.example.com:6379', username: 'alter' });
});
