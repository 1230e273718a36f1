import test from 'ava';
import { initialised, inProcessHome } from '../../../support/cli.ts';

test('an agent is allowed to issue grants on a secret, and no longer', async (t) => {
  const cli = await initialised(inProcessHome(t));
  await cli.run(['secret', 'add', 'openai', '--provider', 'openai'], { stdin: 'sk-1' });
  await cli.run(['agent', 'create', 'bot']);
  const { id } = (await cli.json(['secret', 'show', 'openai'])) as { readonly id: string };
  t.deepEqual(await cli.json(['agent', 'allow', 'bot', '--secret', 'openai']), { agent: 'bot', mayIssue: [id] });
  t.like(await cli.json(['agent', 'show', 'bot']), { mayIssue: [id] });
  t.deepEqual(await cli.json(['agent', 'disallow', 'bot', '--secret', id]), { agent: 'bot', mayIssue: [] });
  t.is((await cli.run(['agent', 'allow', 'bot', '--secret', 'nope'])).code, 4);
  t.is((await cli.run(['agent', 'allow', 'nobody', '--secret', 'openai'])).code, 4);
  t.is((await cli.run(['agent', 'allow', 'bot'])).code, 2);
});
