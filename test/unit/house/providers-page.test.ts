/** Contract: docs/providers.md says what the catalogue says. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import test from 'ava';

const SCRIPT = fileURLToPath(new URL('../../../../scripts/providers-page.mjs', import.meta.url));

test('docs/providers.md is up to date', (t) => {
  const { status, stderr } = spawnSync(process.execPath, [SCRIPT, '--check'], { encoding: 'utf8' });
  t.is(stderr, '');
  t.is(status, 0);
});
