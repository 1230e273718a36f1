import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { prepareInjection } from '../../../src/inject/registry.ts';
import { loadCatalogue } from '../../../src/providers/catalogue.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { failureOf } from '../../support/refusal.ts';

const FILE = (slug: string): string =>
  `slug: ${slug}\nname: Own\ncategory: test\nhosts: [api.example.com]\nfields: { k: { label: K } }\ninject: [bearer: '{k}']\nconfidence: low\n`;

function folder(t: ExecutionContext, files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(tmpdir(), 'alter-catalogue-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

const shipped = loadCatalogue([]);

test('the shipped catalogue is sorted, and found by slug', (t) => {
  const slugs = shipped.all().map(({ slug }) => slug);
  t.true(slugs.length >= 24);
  t.deepEqual(slugs, [...slugs].sort());
  for (const template of shipped.all()) t.is(shipped.get(template.slug), template);
  t.is(shipped.get('no-such-provider'), undefined);
  t.is(shipped.get('constructor'), undefined);
});

test('each shipped file is named after its slug', (t) => {
  for (const { slug } of shipped.all()) {
    t.regex(
      readFileSync(new URL(`../../../../config/providers/${slug}.yaml`, import.meta.url), 'utf8'),
      new RegExp(`^slug: ${slug}$`, 'm'),
    );
  }
});

test('each shipped provider can be prepared, hides at least one field and writes at least once', (t) => {
  for (const template of shipped.all()) {
    const values = Object.fromEntries(Object.keys(template.fields).map((name) => [name, new Secret(`value-of-${name}`)]));
    t.true(prepareInjection(template, values).writes.length > 0, template.slug);
    t.true(
      Object.values(template.fields).some(({ secret }) => secret),
      template.slug,
    );
  }
});

test('only custom providers leave their hosts open', (t) => {
  for (const { slug, hosts } of shipped.all()) t.is(hosts.length === 0, slug.startsWith('custom-'), slug);
});

test('well-known providers write where their documentation says', (t) => {
  const places = (slug: string): readonly string[] => {
    const template = shipped.get(slug);
    if (template === undefined) return [];
    return prepareInjection(template, Object.fromEntries(Object.keys(template.fields).map((name) => [name, new Secret('value')]))).writes;
  };
  t.deepEqual(places('openai'), ['header:authorization']);
  t.deepEqual(places('anthropic'), ['header:x-api-key']);
  t.deepEqual(places('datadog'), ['header:dd-api-key', 'header:dd-application-key']);
  t.deepEqual(places('trello'), ['query:key', 'query:token']);
  t.deepEqual(places('twilio'), ['header:authorization']);
});

test('folders of the operator add providers; other files in them are left alone', (t) => {
  const dir = folder(t, { 'one.yaml': FILE('own-one'), 'two.yml': FILE('own-two'), 'README.md': 'no provider', '.hidden.yaml': '[' });
  const catalogue = loadCatalogue([dir]);
  t.is(catalogue.get('own-one')?.name, 'Own');
  t.is(catalogue.get('own-two')?.slug, 'own-two');
  t.is(catalogue.all().length, shipped.all().length + 2);
});

test('a slug belongs to one file', (t) => {
  const dir = folder(t, { 'a.yaml': FILE('own'), 'b.yaml': FILE('own') });
  const failure = failureOf(() => loadCatalogue([dir]));
  t.is(failure.code, 'config_invalid');
  t.regex(failure.message, /b\.yaml: the slug own is taken by .*a\.yaml/);
  const taken = failureOf(() => loadCatalogue([folder(t, { 'openai.yaml': FILE('openai') })]));
  t.regex(taken.message, /the slug openai is taken/);
});

test('a wrong file is named with its folder, line and column', (t) => {
  const dir = folder(t, { 'bad.yaml': FILE('own').replace('category', 'kategory') });
  const { message } = failureOf(() => loadCatalogue([dir]));
  t.true(message.startsWith(join(dir, 'bad.yaml:')), message);
});

test('a folder that is not there is an error', (t) => {
  const failure = failureOf(() => loadCatalogue([join(tmpdir(), 'alter-no-such-folder')]));
  t.is(failure.code, 'file_unreadable');
  t.regex(failure.message, /ENOENT/);
});
