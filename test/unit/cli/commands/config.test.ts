import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { initialised, inProcessHome } from '../../../support/cli.ts';

test('a wrong configuration is told with its line and stops the start', async (t) => {
  const { home, run, write } = await initialised(inProcessHome(t));
  write('home/config.yaml', `${readFileSync(join(home, 'config.yaml'), 'utf8')}\nlisten_port: 1\n`);
  for (const args of [['config', 'check'], ['start'], ['secret', 'list']]) {
    const { code, stderr } = await run(args);
    t.is(code, 1, args.join(' '));
    t.regex(stderr, /^error: .*config\.yaml:\d+:1: listen_port: is not a known setting/);
  }
});

test('config show prints what is in force, without the key', async (t) => {
  const { home, run } = await initialised(inProcessHome(t));
  const { stdout } = await run(['config', 'show'], { env: { ALTER_LISTEN_PORT: '7999' } });
  t.regex(stdout, /^listen\.port +7999$/m);
  t.regex(stdout, /^key +\[redacted\]$/m);
  t.false(stdout.includes(readFileSync(join(home, 'key'), 'utf8').trim()));
});
