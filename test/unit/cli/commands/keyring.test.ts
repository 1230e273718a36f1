/** Master keys rotate without losing a record. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { initialised, inProcessHome, type CliHome } from '../../../support/cli.ts';

type Json = Readonly<Record<string, unknown>>;

async function rows(cli: CliHome, ...args: string[]): Promise<readonly Json[]> {
  return (await cli.json(args)) as readonly Json[];
}

test('master keys rotate: add, rewrap, drop', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  const [old] = await rows(cli, 'keyring', 'list');
  const oldKid = String(old?.['kid']);
  const added = (await cli.json(['keyring', 'add'])) as Json;
  t.like(added, { active: true });
  t.is((await cli.run(['keyring', 'drop', String(added['kid']), '--yes'])).code, 3);
  t.is((await cli.run(['keyring', 'drop', oldKid, '--yes'])).code, 3);
  t.like(await cli.json(['keyring', 'rewrap']), { unreadable: 0 });
  t.is((await cli.run(['keyring', 'drop', oldKid])).code, 3);
  t.is((await cli.run(['keyring', 'drop', oldKid, '--yes'])).code, 0);
  t.deepEqual((await rows(cli, 'keyring', 'list')).map(({ kid }) => kid), [added['kid']]); // prettier-ignore
  t.like(await cli.json(['secret', 'show', 'openai']), { status: 'active' });
});

test('a master key may be added for later', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const added = (await cli.json(['keyring', 'add', '--no-activate'])) as Json;
  t.like(added, { active: false });
  t.like(await cli.json(['keyring', 'activate', String(added['kid'])]), { active: true });
  t.is((await cli.run(['keyring', 'activate', 'nope'])).code, 4);
  const shown = (await cli.run(['keyring', 'list'])).stdout;
  const keys = (JSON.parse(readFileSync(join(cli.home, 'keyring.json'), 'utf8')) as { keys: { k: string }[] }).keys;
  for (const { k } of keys) t.false(shown.includes(k));
});
