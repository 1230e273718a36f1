import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import test from 'ava';
import { parseProvider } from '../../../src/providers/parse.ts';
import { failureOf } from '../../support/refusal.ts';

const GOOD = `slug: example
name: Example
category: test
docs: https://example.com/auth
hosts:
  - api.example.com
  - '*.tenant.example.com'
  - api.example.com:8443
fields:
  api_key:
    label: API key
    example: sk-…
  user:
    label: User
    secret: false
inject:
  - header: { name: X-Key, value: 'Key {api_key}' }
  - basic: { username: '{user}', password: '' }
  - query: { name: key, value: '{api_key}' }
  - default_header: { name: Version, value: '1' }
confidence: low
note: A note.
`;

/** The good file with one line changed. */
function changed(from: string, to: string): string {
  if (!GOOD.includes(from)) throw new Error(`not in the file: ${from}`);
  return GOOD.replace(from, () => to);
}

test('a good file becomes a template', (t) => {
  t.deepEqual(parseProvider(GOOD, 'example.yaml'), {
    slug: 'example',
    name: 'Example',
    category: 'test',
    docs: 'https://example.com/auth',
    hosts: ['api.example.com', '*.tenant.example.com', 'api.example.com:8443'],
    fields: { api_key: { label: 'API key', example: 'sk-…', secret: true }, user: { label: 'User', secret: false } },
    inject: [
      { kind: 'header', name: 'X-Key', format: 'Key {api_key}' },
      { kind: 'basic', username: '{user}', password: '' },
      { kind: 'query', name: 'key', format: '{api_key}' },
      { kind: 'default_header', name: 'Version', value: '1' },
    ],
    confidence: 'low',
    note: 'A note.',
  });
});

test('bearer is a format on its own, and a secret is a secret unless told', (t) => {
  const text =
    "slug: a\nname: A\ncategory: test\nhosts: [a.example]\nfields: { k: { label: K } }\ninject: [bearer: '{k}']\nconfidence: high\n";
  const template = parseProvider(text, 'a.yaml');
  t.deepEqual(template.inject, [{ kind: 'bearer', format: '{k}' }]);
  t.true(template.fields['k']?.secret);
});

const SIGNED = `slug: s
name: S
category: test
hosts: [s.example]
fields: { id: { label: I, secret: false }, key: { label: K }, token: { label: T, optional: true }, region: { label: R, optional: true } }
inject:
  - sigv4: { access_key_id: '{id}', secret_access_key: '{key}', session_token: '{token}', region: '{region}', service: s3, max_bytes: 5 }
confidence: low
`;

test('a rule for AWS has names of its own, and fields may be optional', (t) => {
  const template = parseProvider(SIGNED, 's.yaml');
  t.deepEqual(template.inject, [
    {
      kind: 'sigv4',
      accessKeyId: '{id}',
      secretAccessKey: '{key}',
      sessionToken: '{token}',
      region: '{region}',
      service: 's3',
      maxBytes: 5,
    },
  ]);
  t.deepEqual(template.fields['token'], { label: 'T', secret: true, optional: true });
  t.deepEqual(template.fields['key'], { label: 'K', secret: true });
});

for (const [name, text, message] of [
  ['nothing left to inject', SIGNED.replace('key: { label: K }', 'key: { label: K, optional: true }'), /inject: needs a rule without/],
  [
    'a part of the host',
    SIGNED.replace('[s.example]', "['{id}.s.example']").replace('secret: false', 'secret: false, optional: true'),
    /is not for fields that a host/,
  ],
  ['no word for true', SIGNED.replace('optional: true', 'optional: maybe'), /must be true or false/],
  ['a limit of nothing', SIGNED.replace('max_bytes: 5', 'max_bytes: 0'), /max_bytes: has the wrong form/],
  ['a member of another rule', SIGNED.replace('service: s3', 'value: s3'), /value: is not known here/],
] as const) {
  test(`optional fields and rules for AWS: ${name} is refused`, (t) => {
    t.regex(failureOf(() => parseProvider(text, 's.yaml')).message, message);
  });
}

test('a template is frozen', (t) => {
  const template = parseProvider(GOOD, 'example.yaml');
  t.true(
    [template, template.hosts, template.fields, template.inject, template.inject[0], template.fields['user']].every((part) =>
      Object.isFrozen(part),
    ),
  );
});

for (const [name, text, message] of [
  ['an unknown member', changed('note:', 'notes:'), /^e\.yaml:22:1 notes: is not known here\. Known: slug, name/],
  ['a missing member', changed('name: Example\n', ''), /^e\.yaml:1:1: needs name$/],
  ['a slug in upper case', changed('slug: example', 'slug: Example'), /^e\.yaml:1:7 slug: has the wrong form\. .*lower-case/],
  ['a slug that is a number', changed('slug: example', 'slug: 7'), /^e\.yaml:1:7 slug: must be text/],
  [
    'hosts that are no list',
    changed("hosts:\n  - api.example.com\n  - '*.tenant.example.com'\n  - api.example.com:8443", 'hosts: api.example.com'),
    /^e\.yaml:5:8 hosts: must be a list/,
  ],
  [
    'no hosts',
    changed("hosts:\n  - api.example.com\n  - '*.tenant.example.com'\n  - api.example.com:8443", 'hosts: []'),
    /^e\.yaml:5:8 hosts: .*custom-/,
  ],
  ['a host twice', changed('api.example.com:8443', 'api.example.com'), /hosts: has the wrong form/],
  ['a host in upper case', changed('- api.example.com\n', '- API.example.com\n'), /^e\.yaml:6:5 hosts\[0\]: must be a host/],
  ['a host with its default port', changed('- api.example.com\n', '- api.example.com:443\n'), /hosts\[0\]/],
  ['a URL for a host', changed('- api.example.com\n', '- https://api.example.com\n'), /hosts\[0\]/],
  ['a host with a path', changed('- api.example.com\n', '- api.example.com/v1\n'), /hosts\[0\]/],
  ['a wildcard for a whole top level', changed('*.tenant.example.com', '*.com'), /hosts\[1\]: a wildcard/],
  ['a wildcard for everything', changed('*.tenant.example.com', '*'), /hosts\[1\]/],
  ['a wildcard in the middle', changed('*.tenant.example.com', 'a.*.example.com'), /hosts\[1\]/],
  ['a wildcard before an address', changed('*.tenant.example.com', '*.10.0.0.1'), /hosts\[1\]/],
  ['a link that is not https', changed('https://example.com/auth', 'http://example.com/auth'), /docs: has the wrong form/],
  ['a field name in upper case', changed('  user:\n', '  User:\n'), /fields\.User: is not a good name\. .*lower-case/],
  ['a field that every object inherits', changed('  user:\n', '  __proto__:\n'), /fields/],
  ['an unknown member of a field', changed('secret: false', 'secrets: false'), /^e\.yaml:15:5 fields\.user\.secrets: is not known here/],
  ['a field without a label', changed('    label: User\n', ''), /fields\.user: needs label/],
  ['secret that is a word', changed('secret: false', 'secret: no'), /fields\.user\.secret: must be true or false/],
  ['an unused field', changed("username: '{user}'", "username: 'x'"), /^e\.yaml:13:3 fields\.user: is used by no rule/],
  [
    'a reference to nothing',
    changed("'Key {api_key}'", "'Key {apikey}'"),
    /^e\.yaml:17:5 inject\[0\]: refers to the field apikey.*known fields: api_key, user/,
  ],
  ['a misspelt reference', changed("'Key {api_key}'", "'Key {API_KEY} {api_key}'"), /inject\[0\]: has a brace/],
  ['an unquoted reference', changed("value: 'Key {api_key}' }", 'value: {api_key} }'), /inject\[0\]\.header\.value: must be text/],
  [
    'a header of the proxy',
    changed('name: X-Key', 'name: Proxy-Authorization'),
    /^e\.yaml:17:21 inject\[0\]\.header\.name: belongs to the proxy/,
  ],
  ['a header that frames', changed('name: Version', 'name: content-length'), /inject\[3\]\.default_header\.name: belongs to the proxy/],
  ['a header name with a space', changed('name: X-Key', 'name: X Key'), /inject\[0\]\.header\.name: has the wrong form/],
  ['a constant with a reference', changed("value: '1'", "value: '{api_key}'"), /inject\[3\]\.default_header\.value: is a constant/],
  [
    'a constant that is a number',
    changed("value: '1'", 'value: 1'),
    /inject\[3\]\.default_header\.value: must be text \(put it in quotes\)/,
  ],
  ['two rules for one place', changed('name: X-Key', 'name: authorization'), /^e\.yaml:18:5 inject\[1\]: writes to the same place/],
  ['two spellings of one header', changed('name: Version', 'name: x_key'), /inject\[3\]: writes to the same place/],
  ['an unknown rule', changed('  - query:', '  - body:'), /inject\[2\]\.body: is not known here\. Known: bearer, header, basic,/],
  [
    'two kinds in one rule',
    changed("  - query: { name: key, value: '{api_key}' }", "  - query: { name: key, value: '{api_key}' }\n    bearer: '{api_key}'"),
    /inject\[2\]: has the wrong form\. .*exactly one/,
  ],
  ['no rules', changed(GOOD.slice(GOOD.indexOf('inject:'), GOOD.indexOf('confidence:')), 'inject: []\n'), /inject: has the wrong form/],
  ['a name over two lines', changed('name: Example', 'name: "a\\nb"'), /name: has the wrong form/],
  ['an unknown confidence', changed('confidence: low', 'confidence: medium'), /confidence: has the wrong form/],
  [
    'a key that stands twice',
    changed('category: test', 'category: test\ncategory: two'),
    /^e\.yaml:4:1: is not valid YAML here: duplicate key$/,
  ],
  ['broken YAML', changed('hosts:', 'hosts: ['), /is not valid YAML here/],
  ['an anchor', changed('name: Example', 'name: &n Example'), /^e\.yaml:2:.*anchor/],
  ['an alias', changed('category: test', 'category: &c test\nnote2: *c'), /anchor, an alias or a tag/],
  ['a tag', changed('name: Example', 'name: !!str Example'), /anchor, an alias or a tag/],
  ['a second document', `${GOOD}---\n${GOOD}`, /is not valid YAML here: multiple docs/],
  ['nothing', '', /^e\.yaml:1:1: must be a mapping/],
  ['a list', '- a\n', /^e\.yaml:1:1: must be a mapping/],
  ['a huge file', `# ${'x'.repeat(70_000)}\n${GOOD}`, /longer than 65536/],
  ['endless nesting', '['.repeat(60_000), /^e\.yaml:/],
] as const) {
  test(`${name}: refused with its place`, (t) => {
    const failure = failureOf(() => parseProvider(text, 'e.yaml'));
    t.is(failure.code, 'config_invalid');
    t.regex(failure.message, message);
    t.false(failure.message.includes('\n'));
  });
}

test('hosts that name the tenant, formats, a test call, and what is told about hosts', (t) => {
  const text = `slug: example
name: Example
category: test
hosts: ['{tenant}.api.example.com', 'api-{tenant}.example.com:8443']
shares_hosts: true
self_hosted: false
fields:
  tenant: { label: Subdomain, example: acme.eu, secret: false, labels: 2 }
  token: { label: Token, example: tok_1, pattern: '^tok_[0-9]+$', format: be tok_ and digits }
inject:
  - path: { segment: 'bot{token}', under: /file }
  - cookie: { name: session, value: '{token}' }
  - basic_encoded: '{token}'
test: { method: POST, path: '/me?a=1', host: 'api-{tenant}.example.com:8443', body: '{}' }
confidence: high
`;
  const template = parseProvider(text, 'e.yaml');
  t.deepEqual(template, {
    slug: 'example',
    name: 'Example',
    category: 'test',
    hosts: ['{tenant}.api.example.com', 'api-{tenant}.example.com:8443'],
    sharesHosts: true,
    fields: {
      tenant: { label: 'Subdomain', example: 'acme.eu', secret: false, labels: 2 },
      token: { label: 'Token', example: 'tok_1', secret: true, pattern: '^tok_[0-9]+$', format: 'be tok_ and digits' },
    },
    inject: [
      { kind: 'path', format: 'bot{token}', under: '/file' },
      { kind: 'cookie', name: 'session', format: '{token}' },
      { kind: 'basic_encoded', format: '{token}' },
    ],
    test: { method: 'POST', path: '/me?a=1', host: 'api-{tenant}.example.com:8443', body: '{}' },
    confidence: 'high',
  });
  for (const [from, to, message] of [
    ['acme.eu', 'acme.eu.x', /fields\.tenant\.example: cannot stand in a host: it must be 1 to 2 DNS labels/],
    ['labels: 2', 'labels: 0', /fields\.tenant\.labels: has the wrong form/],
    ['labels: 2', "labels: '2'", /fields\.tenant\.labels: must be a whole number/],
    ['example: tok_1', 'example: tok_x', /fields\.token\.example: does not match the pattern/],
    [', format: be tok_ and digits', '', /fields\.token: needs format beside pattern/],
    ['^tok_[0-9]+$', '^(tok_[0-9]+)+$', /fields\.token\.pattern: repeats a repetition/],
    ['secret: false, labels', 'labels', /hosts\[0\]: refers to the field tenant, which is a secret/],
    ['{tenant}.api.example.com', '{tenant}.com', /hosts\[0\]: needs at least two labels behind/],
    ['{tenant}.api.example.com', '*.{tenant}.example.com', /hosts\[0\]: has a wildcard and a reference/],
    ['{tenant}.api.example.com', '{other}.example.com', /hosts\[0\]: refers to the field other, which does not exist/],
    ['segment: ', 'segment: a/', /inject\[0\]\.path\.segment: |is not valid YAML/],
    ["'bot{token}'", "'a/{token}'", /inject\[0\]\.path\.segment: has the wrong form/],
    ['under: /file', 'under: /../file', /inject\[0\]\.path\.under: has the wrong form/],
    ['name: session', 'name: a=b', /inject\[1\]\.cookie\.name: has the wrong form/],
    ["- basic_encoded: '{token}'", "- header: { name: cookie, value: '{token}' }", /inject\[2\]: writes to the same place/],
    ["path: '/me?a=1'", "path: '/a/../me'", /test\.path: is not a path in its plain spelling/],
    ["path: '/me?a=1'", "path: 'me'", /test\.path: has the wrong form/],
    ["path: '/me?a=1'", "path: '/{tenant}/me'", /test\.path: is sent as it stands and holds no \{field\}/],
    ["path: '/me?a=1'", "path: '/me?a={'", /test\.path: is sent as it stands/],
    ["host: 'api-{tenant}.example.com:8443', body", "host: 'api.example.com', body", /test\.host: is none of the hosts/],
    [
      "host: 'api-{tenant}.example.com:8443', body",
      "host: ['{tenant}.api.example.com', 'api.example.com'], body",
      /test\.host\[1\]: is none of/,
    ],
    ["host: 'api-{tenant}.example.com:8443', body", 'host: [], body', /test\.host: has the wrong form/],
    ["host: 'api-{tenant}.example.com:8443', body", 'host: 7, body', /test\.host: must be text or a list of texts/],
    ["host: 'api-{tenant}.example.com:8443', body", 'host: [7], body', /test\.host\[0\]: must be text/],
    ['method: POST', 'method: GET', /test: has a body with POST, and only then/],
    ['method: POST', 'method: DELETE', /test\.method: has the wrong form/],
  ] as const) {
    t.true(text.includes(from), from);
    t.regex(
      failureOf(() =>
        parseProvider(
          text.replace(from, () => to),
          'e.yaml',
        ),
      ).message,
      message,
      `${from} → ${to}`,
    );
  }
});

test('a test call may name several hosts', (t) => {
  const host = ['{tenant}.example.com', 'api.example.com'];
  const fields = 'tenant: { label: T, secret: false }\n  api_key:';
  const text = GOOD.replace(/hosts:\n(?: {2}- .*\n)+/, `hosts: ${JSON.stringify(host)}\n`).replace('api_key:', fields);
  t.deepEqual(parseProvider(`${text}test: { method: GET, path: /me, host: ${JSON.stringify(host)} }\n`, 'e.yaml').test?.host, host);
});

test('only an API that everybody runs for themselves may have no hosts', (t) => {
  const none = GOOD.replace(/hosts:\n(?: {2}- .*\n)+/, 'hosts: []\n');
  t.true(parseProvider(`${none}self_hosted: true\n`, 'e.yaml').selfHosted);
  t.regex(failureOf(() => parseProvider(`${none}self_hosted: false\n`, 'e.yaml')).message, /hosts: .*At least one host/);
});

test('a custom provider may leave its hosts to the operator', (t) => {
  const text = GOOD.replace('slug: example', 'slug: custom-example').replace(/hosts:\n(?: {2}- .*\n)+/, 'hosts: []\n');
  t.deepEqual(parseProvider(text, 'e.yaml').hosts, []);
});

test('the schema of a provider file is a valid JSON Schema 2020-12', (t) => {
  const schema = JSON.parse(readFileSync(new URL('../../../../config/provider.schema.json', import.meta.url), 'utf8')) as object;
  const ajv = new Ajv2020({ strictRequired: false, strictTypes: false });
  t.true(ajv.validateSchema(schema), ajv.errorsText());
  t.false(ajv.validateSchema({ ...schema, additionalProperties: 'no' }));
});
