import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { prepareInjection } from '../../../src/inject/registry.ts';
import { coversHost } from '../../../src/providers/host-template.ts';
import { fitsPattern, patternFault } from '../../../src/providers/pattern.ts';
import { parseProvider } from '../../../src/providers/parse.ts';
import type { ProviderTemplate } from '../../../src/providers/template.ts';
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

/** Pairs of providers that have a host in common without both saying so. */
function overlaps(templates: readonly ProviderTemplate[]): string[] {
  return templates.flatMap((a, index) =>
    templates
      .slice(index + 1)
      .filter((b) => a.sharesHosts !== true || b.sharesHosts !== true)
      .filter((b) => a.hosts.some((own) => b.hosts.some((other) => meets(a, own, b, other))))
      .map((b) => `${a.slug} ${b.slug}`),
  );
}

/** Whether some host fits both patterns: one stands for the other with an `x` where it is open. */
function meets(a: ProviderTemplate, own: string, b: ProviderTemplate, other: string): boolean {
  const sample = (host: string): string =>
    host
      .replace(/:[0-9]+$/, '')
      .replace(/^\*/, 'x')
      .replace(/\{[^}]*\}/g, 'x');
  return coversHost(own, sample(other), a.fields) || coversHost(other, sample(own), b.fields);
}

const shipped = loadCatalogue([]);

test('the shipped catalogue is sorted, and found by slug', (t) => {
  const slugs = shipped.all().map(({ slug }) => slug);
  t.true(slugs.length >= 200);
  t.deepEqual(slugs, [...slugs].sort());
  for (const template of shipped.all()) t.is(shipped.get(template.slug), template);
  t.is(shipped.get('no-such-provider'), undefined);
  t.is(shipped.get('constructor'), undefined);
});

test('what was prepared when building is what the files say, each named after its slug', (t) => {
  const dir = new URL('../../../../config/providers/', import.meta.url);
  const read = readdirSync(dir).map((name) => [name, parseProvider(readFileSync(new URL(name, dir), 'utf8'), name)] as const);
  t.deepEqual(
    read.map(([name]) => name),
    read.map(([, { slug }]) => `${slug}.yaml`),
  );
  t.deepEqual(
    read.map(([, template]) => template).sort((a, b) => (a.slug < b.slug ? -1 : 1)),
    [...shipped.all()],
  );
  t.true(
    shipped.all().every((template) => Object.isFrozen(template) && Object.isFrozen(template.fields) && Object.isFrozen(template.inject[0])),
  );
});

test('names are unique, and hosts belong to one provider unless all that have them say so', (t) => {
  const names = shipped.all().map(({ name }) => name);
  t.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
  t.deepEqual(overlaps(shipped.all()), []);
});

test('an overlap of hosts is found, whatever the spelling, and near misses are none', (t) => {
  const provider = (slug: string, ...hosts: string[]): ProviderTemplate => ({
    ...shipped.get('custom-bearer')!,
    slug,
    hosts,
    fields: { tenant: { label: 'T', secret: false } },
  });
  for (const [a, b] of [
    ['api.example.com', 'api.example.com'],
    ['api.example.com', '*.example.com'],
    ['{tenant}.example.com', 'api.example.com:8443'],
    ['api-{tenant}.example.com', '*.example.com'],
    ['{tenant}.example.com', '{tenant}.example.com'],
  ] as const) {
    t.deepEqual(overlaps([provider('a', a), provider('b', b)]), ['a b'], `${a} ${b}`);
  }
  for (const [a, b] of [
    ['example.com', '*.example.com'],
    ['api.example.com', 'api.example.org'],
    ['{tenant}.example.com', 'a.b.example.com'],
    ['api-{tenant}.example.com', 'api.example.com'],
  ] as const) {
    t.deepEqual(overlaps([provider('a', a), provider('b', b)]), [], `${a} ${b}`);
  }
  const shared = (slug: string) => ({ ...provider(slug, 'x.example.com'), sharesHosts: true as const });
  t.deepEqual(overlaps([shared('a'), shared('b')]), []);
  t.deepEqual(overlaps([shared('a'), provider('b', 'x.example.com')]), ['a b']);
});

test('every shipped provider tells where its documentation is, and a test call goes to a host of its own', (t) => {
  for (const { slug, docs, test: call, hosts, fields } of shipped.all()) {
    if (!slug.startsWith('custom-')) t.regex(docs ?? '', /^https:\/\//, slug);
    if (call?.host !== undefined) t.true(hosts.includes(call.host), slug);
    for (const { pattern, example } of Object.values(fields)) {
      if (pattern !== undefined) t.is(patternFault(pattern), undefined, slug);
      if (pattern !== undefined) t.true(example !== undefined && fitsPattern(pattern, example), slug);
    }
  }
  t.true(shipped.all().filter((template) => template.test !== undefined).length > 120);
});

test('each shipped provider can be prepared, hides at least one field and writes at least once', (t) => {
  for (const template of shipped.all()) {
    const value = Buffer.from('user:password').toString('base64');
    const values = Object.fromEntries(Object.keys(template.fields).map((name) => [name, new Secret(value)]));
    t.true(prepareInjection(template, values).writes.length > 0, template.slug);
    t.true(
      Object.values(template.fields).some(({ secret }) => secret),
      template.slug,
    );
  }
});

test('only custom providers, and those that everybody runs for themselves, leave their hosts open', (t) => {
  for (const { slug, hosts, selfHosted } of shipped.all())
    t.is(hosts.length === 0, slug.startsWith('custom-') || selfHosted === true, slug);
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
  t.deepEqual(places('telegram'), ['path']);
  t.deepEqual(places('copper'), ['header:x-pw-accesstoken', 'header:x-pw-application', 'header:x-pw-useremail']);
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
