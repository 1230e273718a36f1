import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { describeEndpoint } from '../../../src/aws/endpoint.ts';
import { ENDPOINT_SUFFIXES } from '../../../src/aws/partitions.ts';
import { prepareInjection } from '../../../src/inject/registry.ts';
import { derivedFields } from '../../../src/providers/derived-fields.ts';
import { coversHost, isHostTemplate } from '../../../src/providers/host-template.ts';
import { fitsPattern, patternFault } from '../../../src/providers/pattern.ts';
import { parseProvider } from '../../../src/providers/parse.ts';
import type { ProviderTemplate } from '../../../src/providers/template.ts';
import { isTestHost, testRequest } from '../../../src/providers/test-request.ts';
import { loadCatalogue } from '../../../src/providers/catalogue.ts';
import { Secret } from '../../../src/secret/secret.ts';
import { FakeEndpoint, rsaPair, secrets, sentBy } from '../../support/derived.ts';
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

/** For each provider whose hosts are open, hosts of the form that its own documentation shows. */
const REAL_HOSTS: Readonly<Record<string, readonly string[]>> = {
  activecampaign: ['acme.api-us1.com'],
  algolia: ['b1g2gm9ng0.algolia.net', 'b1g2gm9ng0-dsn.algolia.net', 'b1g2gm9ng0-1.algolianet.com'],
  artifactory: ['acme.jfrog.io'],
  'astra-db': ['d341d349-e5db-46d2-9c90-bb9ebaa6f0fc-us-east-2.apps.astra.datastax.com'],
  auth0: ['acme.auth0.com', 'dev-abc123.us.auth0.com'],
  'auth0-m2m': ['acme.auth0.com', 'dev-abc123.us.auth0.com'],
  'azure-openai': ['my-resource.openai.azure.com'],
  'backblaze-b2': ['s3.us-west-004.backblazeb2.com'],
  braze: ['rest.iad-01.braze.com'],
  chargebee: ['acme-test.chargebee.com'],
  clickhouse: ['abc123def4.us-east-1.aws.clickhouse.cloud'],
  'cloudflare-r2': ['0123456789abcdef0123456789abcdef.r2.cloudflarestorage.com'],
  confluence: ['acme.atlassian.net'],
  'digitalocean-spaces': ['nyc3.digitaloceanspaces.com'],
  dynatrace: ['abc12345.live.dynatrace.com'],
  elasticsearch: [
    'abc.us-east-1.aws.found.io',
    'abc.eastus2.azure.elastic-cloud.com',
    'abc.us-central1.gcp.cloud.es.io',
    'abc.es.us-east-1.aws.elastic.cloud',
  ],
  freshdesk: ['acme.freshdesk.com'],
  freshservice: ['acme.freshservice.com'],
  gorgias: ['acme.gorgias.com'],
  grafana: ['acme.grafana.net'],
  influxdb: ['us-east-1-1.aws.cloud2.influxdata.com'],
  jira: ['acme.atlassian.net'],
  'linode-objects': ['us-east-1.linodeobjects.com'],
  mailchimp: ['us6.api.mailchimp.com'],
  meilisearch: ['ms-0123456789ab-1234.sfo.meilisearch.io'],
  neo4j: ['abcd1234.databases.neo4j.io'],
  okta: ['dev-123456.okta.com'],
  qdrant: ['xyz-example.us-east4-0.gcp.cloud.qdrant.io'],
  salesforce: ['acme.my.salesforce.com', 'acme--uat.sandbox.my.salesforce.com'],
  'scaleway-object-storage': ['s3.fr-par.scw.cloud'],
  sendbird: ['api-01234567-89ab-cdef-0123-456789abcdef.sendbird.com'],
  shopify: ['acme.myshopify.com'],
  snowflake: ['xy12345.snowflakecomputing.com', 'xy12345.us-east-2.aws.snowflakecomputing.com'],
  supabase: ['abcdefghijklmnopqrst.supabase.co'],
  turso: ['my-db-acme.turso.io', 'my-db-acme.aws-us-east-1.turso.io'],
  typesense: ['abc123xyz.a1.typesense.net'],
  upstash: ['us1-merry-cat-32748.upstash.io'],
  wasabi: ['s3.us-east-2.wasabisys.com'],
  zendesk: ['acme.zendesk.com'],
  zilliz: [
    'in01-0123456789abcde.aws-us-west-2.vectordb.zillizcloud.com',
    'in03-0123456789abcde.serverless.gcp-us-west1.cloud.zilliz.com',
    'api.cloud.zilliz.com',
  ],
};

test('the hosts that vendors document fit the providers whose hosts are open', (t) => {
  const open = shipped.all().filter(({ hosts }) => hosts.some(isHostTemplate));
  for (const { slug } of open) t.true(Object.hasOwn(REAL_HOSTS, slug), slug);
  for (const [slug, real] of Object.entries(REAL_HOSTS)) {
    const { hosts, fields } = shipped.get(slug)!;
    for (const host of real)
      t.true(
        hosts.some((pattern) => coversHost(pattern, host, fields)),
        host,
      );
  }
});

test('the providers of AWS have the hosts of every partition', (t) => {
  const every = ENDPOINT_SUFFIXES.map((suffix) => `*${suffix}`).sort();
  for (const slug of ['aws', 'aws-assume-role']) t.deepEqual([...shipped.get(slug)!.hosts].sort(), every, slug);
});

test('every shipped provider tells where its documentation is, and a test call goes to a host of its own', (t) => {
  for (const { slug, docs, test: call, hosts, fields } of shipped.all()) {
    if (!slug.startsWith('custom-')) t.regex(docs ?? '', /^https:\/\//, slug);
    for (const host of [call?.host ?? []].flat()) t.true(isTestHost(host, hosts), host);
    for (const { pattern, example } of Object.values(fields)) {
      if (pattern !== undefined) t.is(patternFault(pattern), undefined, slug);
      if (pattern !== undefined) t.true(example !== undefined && fitsPattern(pattern, example), slug);
    }
  }
  t.true(shipped.all().filter((template) => template.test !== undefined).length > 120);
});

test('a key of AWS is tested with whatever endpoint of STS it was stored for', (t) => {
  for (const host of [
    ...['sts.amazonaws.com', 'sts.eu-central-1.amazonaws.com', 'sts-fips.us-east-1.amazonaws.com', 'sts.us-gov-west-1.amazonaws.com'],
    ...[
      'sts.us-east-1.api.aws',
      'sts-fips.us-east-1.api.aws',
      'sts.eusc-de-east-1.amazonaws.eu',
      'sts.eusc-de-east-1.api.amazonwebservices.eu',
    ],
    ...['sts.cn-north-1.amazonaws.com.cn', 'sts.cn-north-1.api.amazonwebservices.com.cn', 'sts.us-iso-east-1.c2s.ic.gov'],
    ...['sts.us-isob-east-1.sc2s.sgov.gov', 'sts.eu-isoe-west-1.cloud.adc-e.uk', 'sts.us-isof-south-1.csp.hci.ic.gov'],
  ]) {
    t.like(
      testRequest(shipped.get('aws')!, ['https://s3.eu-central-1.amazonaws.com:443', `https://${host}:443`]),
      { origin: { host } },
      host,
    );
    t.truthy(describeEndpoint(host)?.region, host);
  }
  t.is(testRequest(shipped.get('aws')!, ['https://s3.eu-central-1.amazonaws.com:443']), 'no_host');
});

test('each shipped provider can be prepared, hides at least one field and writes at least once', (t) => {
  for (const template of shipped.all()) {
    const value = Buffer.from('user:password').toString('base64');
    const names = [...Object.keys(template.fields), ...derivedFields(template.derive)];
    const values = Object.fromEntries(names.map((name) => [name, new Secret(value)]));
    t.true(prepareInjection(template, values).writes.length > 0, template.slug);
    t.true(
      Object.values(template.fields).some(({ secret }) => secret),
      template.slug,
    );
  }
});

test('each shipped provider that derives its credential asks the endpoint of its documentation', async (t) => {
  const { pkcs8 } = rsaPair();
  const files: Readonly<Record<string, string>> = {
    private_key: pkcs8,
    service_account: JSON.stringify({ type: 'service_account', client_email: 'a@b', private_key: pkcs8 }),
    session_policy: '{}',
  };
  const asked: Record<string, string> = {};
  for (const template of shipped.all().filter(({ derive }) => derive !== undefined)) {
    const endpoint = new FakeEndpoint();
    const values = Object.entries(template.fields).map(([name, { example }]) => [name, files[name] ?? example ?? 'value'] as const);
    const prepared = endpoint.prepare()(template, secrets(Object.fromEntries(values)), endpoint.owner);
    await sentBy(prepared);
    asked[template.slug] = endpoint.requests[0]?.url ?? '';
  }
  t.deepEqual(asked, {
    'auth0-m2m': 'https://acme.eu.auth0.com/oauth/token',
    'aws-assume-role': 'https://sts.us-east-1.amazonaws.com/',
    box: 'https://api.box.com/oauth2/token',
    dropbox: 'https://api.dropboxapi.com/oauth2/token',
    'github-app': 'https://api.github.com/app/installations/9876543/access_tokens',
    'google-service-account': 'https://oauth2.googleapis.com/token',
    'google-user': 'https://oauth2.googleapis.com/token',
    'microsoft-graph': 'https://login.microsoftonline.com/8f1a2b3c-0000-4000-8000-123456789abc/oauth2/v2.0/token',
    paypal: 'https://api-m.paypal.com/v1/oauth2/token',
    'paypal-sandbox': 'https://api-m.sandbox.paypal.com/v1/oauth2/token',
    quickbooks: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
    salesforce: 'https://acme.my.salesforce.com/services/oauth2/token',
    spotify: 'https://accounts.spotify.com/api/token',
    twitch: 'https://id.twitch.tv/oauth2/token',
    xero: 'https://identity.xero.com/connect/token',
    zoom: 'https://zoom.us/oauth/token',
  });
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
