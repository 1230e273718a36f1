import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { initialised, inProcessHome } from '../../../support/cli.ts';

test('the catalogue can be looked at before there is a home', async (t) => {
  const { json, run } = inProcessHome(t);
  const found = (await json(['provider', 'list', '--search', 'OpenAI'])) as readonly { readonly slug: string; readonly custom: boolean }[];
  t.true(found.some(({ slug, custom }) => slug === 'openai' && !custom));
  t.regex((await run(['provider', 'show', 'openai'])).stdout, /Authorization: Bearer \{api_key\}/);
  t.is((await run(['provider', 'show', 'nope'])).code, 4);
});

test('a provider of your own is added from a file and takes secrets', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const text = readFileSync(new URL('../../../../../config/providers/openai.yaml', import.meta.url), 'utf8');
  const file = cli.write('mine.yaml', text.replace(/^slug: .*$/m, 'slug: mine').replaceAll('api.openai.com', 'api.mine.test'));
  t.like(await cli.json(['provider', 'add', '--file', file]), { slug: 'mine', custom: true });
  t.like(await cli.json(['provider', 'show', 'mine']), { slug: 'mine', custom: true, hosts: ['api.mine.test'] });
  const stored = await cli.run(['secret', 'add', 'mine', '--provider', 'mine'], { stdin: 'sk-1' });
  t.regex(stored.stdout, /for api\.mine\.test\n$/);
  t.is((await cli.run(['provider', 'add', '--file', join(cli.folder, 'nope.yaml')])).code, 1);
  t.is((await cli.run(['provider', 'add', '--file', cli.write('bad.yaml', 'slug: x\n')])).code, 1);
});

test('a provider is deleted with all its secrets, once its name was typed or given', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const text = readFileSync(new URL('../../../../../config/providers/openai.yaml', import.meta.url), 'utf8');
  await cli.run(['provider', 'add', '--file', cli.write('mine.yaml', text.replace(/^slug: .*$/m, 'slug: mine'))]);
  await cli.run(['secret', 'add', 'one', '--provider', 'mine'], { stdin: 'sk-1' });
  await cli.run(['secret', 'add', 'other', '--provider', 'openai'], { stdin: 'sk-1' });
  const grant = (await cli.run(['grant', 'issue', '--secret', 'one', '--label', 'x'])).stdout.trim();
  const unconfirmed = await cli.run(['provider', 'delete', 'mine'], { stdin: 'mine\n' });
  t.is(unconfirmed.code, 3);
  t.regex(unconfirmed.stderr, /hint: Pass --yes mine to confirm/);
  t.is((await cli.run(['provider', 'delete', 'mine', '--yes', 'mine2'])).code, 3);
  t.is((await cli.run(['provider', 'delete', 'nope', '--yes', 'nope'])).code, 4);
  t.like(await cli.json(['grant', 'show', grant]), { status: 'active' });
  t.like(await cli.json(['provider', 'delete', 'mine', '--yes', 'mine']), { slug: 'mine', withdrawn: true, secrets: [{ name: 'one' }] });
  t.is((await cli.run(['provider', 'show', 'mine'])).code, 4);
  t.like(await cli.json(['grant', 'show', grant]), { status: 'credential_revoked' });
  t.like(await cli.json(['secret', 'show', 'other']), { status: 'active' });
  t.like(await cli.json(['provider', 'delete', 'openai', '--yes', 'openai']), { withdrawn: false, secrets: [{ name: 'other' }] });
});

test('the list is searched and narrowed to a category', async (t) => {
  const { json, run } = inProcessHome(t);
  type Listed = readonly { readonly slug: string; readonly category: string }[];
  const all = (await json(['provider', 'list'])) as Listed;
  t.true(all.length >= 200);
  const payments = (await json(['provider', 'list', '--category', 'payments'])) as Listed;
  t.true(payments.length > 5 && payments.length < all.length);
  t.true(payments.every(({ category }) => category === 'payments'));
  t.deepEqual(((await json(['provider', 'list', '--category', 'payments', '--search', 'STRIPE'])) as Listed).map(({ slug }) => slug), ['stripe']); // prettier-ignore
  const none = await run(['provider', 'list', '--category', 'nope']);
  t.is(none.code, 4);
  t.regex(none.stderr, /hint: Categories: .*payments/);
  t.is((await run(['provider', 'list', '--search', 'no such thing'])).stdout, 'No provider matches.\n');
});

test('a provider is shown with what an operator needs: hosts, format, placeholder, warning', async (t) => {
  const { run } = inProcessHome(t);
  const zendesk = (await run(['provider', 'show', 'zendesk'])).stdout;
  t.regex(zendesk, /\{tenant\}\.zendesk\.com/);
  t.regex(zendesk, /secret add <name> --provider zendesk --tenant <tenant>/);
  t.regex(zendesk, /Test call +GET \{tenant\}\.zendesk\.com\/api\/v2\/users\/me\.json/);
  t.notRegex(zendesk, /Low confidence/);
  const telegram = (await run(['provider', 'show', 'telegram'])).stdout;
  t.regex(telegram, /in its place: +\/botalter_grant_<grant id>\/…/);
  const aws = (await run(['provider', 'show', 'aws'])).stdout;
  t.regex(aws, /in its place: +AWS_ACCESS_KEY_ID=alter_grant_<grant id> /);
  t.regex(aws, /Test call +GET sts\.\*\.amazonaws\.com\/\?Action=GetCallerIdentity\S+\n +GET sts\.amazonaws\.com\/\?Action/);
  t.regex(telegram, /must be a number, a colon/);
  t.regex((await run(['provider', 'show', 'hetzner'])).stdout, /Low confidence/);
  t.regex((await run(['provider', 'show', 'couchdb'])).stdout, /--host <your host>/);
});

test('a provider with a private host is added only when that is allowed', async (t) => {
  const cli = await initialised(inProcessHome(t));
  const text = readFileSync(new URL('../../../../../config/providers/openai.yaml', import.meta.url), 'utf8');
  for (const [index, host] of ['10.0.0.7', 'db.corp.internal', 'localhost:8443'].entries()) {
    const slug = `inside-${String(index)}`;
    const file = cli.write(`${slug}.yaml`, text.replace(/^slug: .*$/m, `slug: ${slug}`).replaceAll('api.openai.com', host));
    const refused = await cli.run(['provider', 'add', '--file', file]);
    t.is(refused.code, 3, host);
    t.true(refused.stderr.includes(`private host: ${host}`), refused.stderr);
    t.is((await cli.run(['provider', 'show', slug])).code, 4);
    const added = await cli.run(['provider', 'add', '--file', file, '--allow-private']);
    t.is(added.code, 0, added.stderr);
    t.regex(added.stderr, /upstream\.allow_private/);
  }
});
