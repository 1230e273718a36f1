/** Contract: at the hosts of a provider whose credential stands in the path it is not recorded; every other path stays as it is. */
import test from 'ava';
import { createCallerPathRedaction } from '../../../src/inject/caller-paths.ts';
import { loadCatalogue } from '../../../src/providers/catalogue.ts';
import type { ProviderTemplate } from '../../../src/providers/template.ts';

const TOKEN = '123456789:AAF-own_token';

function template(hosts: readonly string[]): ProviderTemplate {
  const fields = { token: { label: 'Token', secret: true } };
  return { slug: 'x', name: 'X', category: 'other', hosts, fields, inject: [{ kind: 'path', format: 'k-{token}' }], confidence: 'high' };
}

test('the token of Telegram is not recorded, wherever its host expects it', (t) => {
  const redact = createCallerPathRedaction(() => loadCatalogue([]).all());
  const telegram = { host: 'api.telegram.org', port: 443 };
  t.is(redact(telegram, `/bot${TOKEN}/getMe`), '/bot{bot_token}/getMe');
  t.is(redact(telegram, `/file/bot${TOKEN}/photos/1.jpg`), '/file/bot{bot_token}/photos/1.jpg');
  t.is(redact({ ...telegram, port: 8443 }, `/bot${TOKEN}/getMe`), '/bot{bot_token}/getMe');
  t.is(redact(telegram, '/getMe'), '/getMe');
  for (const host of ['api.telegram.org.evil.test', 'xapi.telegram.org', 'telegram.org', 'api.openai.com'])
    t.is(redact({ host, port: 443 }, `/bot${TOKEN}/getMe`), `/bot${TOKEN}/getMe`, host);
});

test('hosts that name the tenant, and wildcards, count whoever the tenant is', (t) => {
  const redact = createCallerPathRedaction(() => [template(['{tenant}.a.test', 'eu-{tenant}.b.test', '*.c.test', 'd.test:8443'])]);
  for (const host of ['acme.a.test', 'eu-acme.b.test', 'acme.c.test']) t.is(redact({ host, port: 443 }, '/k-1/x'), '/k-{token}/x', host);
  t.is(redact({ host: 'd.test', port: 8443 }, '/k-1/x'), '/k-{token}/x');
  for (const host of ['a.test', 'c.test', 'd.test', 'acme.a.test.evil']) t.is(redact({ host, port: 443 }, '/k-1/x'), '/k-1/x', host);
});

test('the templates are read once, and not before they are needed', (t) => {
  let reads = 0;
  const redact = createCallerPathRedaction(() => {
    reads += 1;
    return [template(['a.test'])];
  });
  t.is(reads, 0);
  for (let i = 0; i < 3; i++) redact({ host: 'other.test', port: 443 }, '/');
  t.is(reads, 1);
});
