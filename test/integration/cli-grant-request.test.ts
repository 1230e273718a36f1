/** Contract: an agent on a machine without a home asks two workers for a grant, and uses what is printed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { requestThrough } from '../support/client.ts';
import { startOrigin } from '../support/origin.ts';
import { callOwn } from '../support/own-endpoint.ts';
import { newHome, started } from '../support/started.ts';

test('one label is one grant for both workers, and the command prints it', async (t) => {
  const cli = await newHome(t);
  const origin = await startOrigin();
  t.teardown(() => origin.close());
  const host = `localhost:${String(origin.port)}`;
  await cli.prepare(['secret', 'add', 'origin', '--provider', 'custom-bearer', '--host', host], { stdin: 'sk-1' });
  await cli.prepare(['agent', 'create', 'bot']);
  await cli.prepare(['agent', 'allow', 'bot', '--secret', 'origin']);
  const key = (await cli.prepare(['key', 'create', 'bot', '--agent', 'bot'])).trim();
  const env = { ALTER_UPSTREAM_CA_FILES: cli.write('origin.pem', origin.ca), ALTER_UPSTREAM_ALLOW_PRIVATE: 'localhost' };
  const { file } = await started(cli, env, ['--workers', '2']);
  const proxy = { host: '127.0.0.1', port: file.port, ca: readFileSync(join(cli.home, 'ca', 'ca.pem'), 'utf8') };
  const body = { secret: 'origin', label: 'both' };
  const answers = await Promise.all(Array.from({ length: 20 }, () => callOwn(proxy, { key, body })));
  t.deepEqual(answers.map(({ status }) => status).sort(), [...Array.from({ length: 19 }, () => 200), 201]);
  const made = await cli.run(['--home', '/nonexistent', 'grant', 'request', '--secret', 'origin', '--label', 'both'], {
    env: { HTTPS_PROXY: `http://x:${key}@127.0.0.1:${String(file.port)}` },
  });
  t.is(made.code, 0, made.stderr);
  const grant = made.stdout.trim();
  t.is(answers[0]?.document['id'], grant);
  t.like(JSON.parse(await cli.prepare(['grant', 'show', grant, '--json'])), {
    selfIssued: true,
    principal: { type: 'agent', agent: 'bot' },
  });
  t.regex(await cli.prepare(['grant', 'show', grant]), /Issued by\s+its agent, for itself/);
  for (let i = 0; i < 4; i++) t.is((await requestThrough(proxy, { url: `${origin.url}/echo`, grant, key })).status, 200);
  t.is((await requestThrough(proxy, { url: `${origin.url}/echo`, grant })).headers['x-alter-error'], 'principal_mismatch');
});
