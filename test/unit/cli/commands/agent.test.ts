/** Agents from the command line, and keys for them. */
import test from 'ava';
import { initialised, inProcessHome } from '../../../support/cli.ts';

type Json = Readonly<Record<string, unknown>>;

test('an agent is created, shown with its keys, paused, resumed and deleted with them', async (t) => {
  const cli = await initialised(inProcessHome(t));
  t.like(await cli.json(['agent', 'create', 'reporter', '--description', 'writes reports']), {
    name: 'reporter',
    description: 'writes reports',
    status: 'active',
  });
  const key = (await cli.run(['key', 'create', 'night', '--agent', 'reporter'])).stdout;
  t.regex(key, /^alter_key_agent_[\w-]{43}\n$/);
  const shown = (await cli.json(['agent', 'show', 'reporter'])) as { readonly keys: readonly Json[] };
  t.like(shown.keys[0], { name: 'night', status: 'active' });
  t.is(shown.keys.length, 1);
  t.like(await cli.json(['agent', 'pause', 'reporter']), { status: 'paused' });
  t.like(await cli.json(['agent', 'resume', 'reporter']), { status: 'active' });
  t.is((await cli.run(['agent', 'delete', 'reporter'])).code, 3);
  t.is((await cli.run(['agent', 'delete', 'reporter', '--yes'])).code, 0);
  t.deepEqual(await cli.json(['agent', 'list']), []);
  t.like(((await cli.json(['agent', 'list', '--all'])) as readonly Json[])[0], { name: 'reporter', status: 'deleted' });
  const keys = (await cli.json(['key', 'list', '--all'])) as readonly Json[];
  t.like(keys.find(({ name }) => name === 'night'), { agent: 'reporter', status: 'revoked' }); // prettier-ignore
  t.is((await cli.run(['agent', 'create', 'reporter'])).code, 3);
});

test('what is wrong is told in one line', async (t) => {
  const cli = await initialised(inProcessHome(t));
  t.is((await cli.run(['agent', 'create', 'Reporter'])).code, 2);
  t.is((await cli.run(['agent', 'show', 'nobody'])).code, 4);
  t.is((await cli.run(['key', 'create', 'x', '--agent', 'nobody'])).code, 4);
  t.regex((await cli.run(['agent', 'list'])).stdout, /No agents/);
});
