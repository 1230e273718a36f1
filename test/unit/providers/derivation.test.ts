/** Contract: a provider file says how its credential is derived, and what cannot work is refused at the place where it stands. */
import test from 'ava';
import { derivedFields, neededFields, tenantFields, usedFields } from '../../../src/providers/derived-fields.ts';
import { parseProvider } from '../../../src/providers/parse.ts';
import { privateHosts } from '../../../src/providers/private-hosts.ts';
import { renderUrl, urlFault } from '../../../src/providers/url-template.ts';
import { parseTemplate } from '../../../src/vault/template-shape.ts';
import { failureOf } from '../../support/refusal.ts';

const FIELDS = `
  client_id: { label: Id, secret: false }
  client_secret: { label: Secret }
  tenant: { label: Tenant, secret: false }
  scope: { label: Scope, secret: false, optional: true }`;

/** A file whose derivation is `derive`. */
const file = (derive: string, { fields = FIELDS, inject = "- bearer: '{access_token}'" } = {}): string =>
  `slug: own\nname: Own\ncategory: test\nhosts: [api.example.com]\nfields:${fields}\nderive:\n  ${derive}\ninject:\n  ${inject}\nconfidence: low\n`;

const OAUTH = (more = '', url = 'https://{tenant}.auth.example.com/token'): string =>
  `oauth2_client_credentials: { token_url: '${url}', client_id: '{client_id}', client_secret: '{client_secret}', scope: 'a {scope}'${more} }`;

const read = (text: string) => parseProvider(text, 'own.yaml');
const faultOf = (text: string): string => failureOf(() => read(text)).message.replace(/^own\.yaml:\d+:\d+ /, '');

test('a derivation is read, stored and read again as it is; names inside of a mapping stay', (t) => {
  const template = read(file(OAUTH(", auth: body, parameters: { account_id: '{client_id}', grant_type: account_credentials }")));
  t.deepEqual(template.derive, {
    kind: 'oauth2_client_credentials',
    tokenUrl: 'https://{tenant}.auth.example.com/token',
    ...{ clientId: '{client_id}', clientSecret: '{client_secret}', scope: 'a {scope}', auth: 'body' },
    parameters: { account_id: '{client_id}', grant_type: 'account_credentials' },
  });
  t.deepEqual(parseTemplate(JSON.parse(JSON.stringify(template)), 'provider'), template);
  t.deepEqual(derivedFields(template.derive), ['access_token']);
  t.deepEqual(usedFields(template).sort(), ['client_id', 'client_secret', 'scope', 'tenant']);
  t.deepEqual(neededFields(template).sort(), ['client_id', 'client_secret', 'tenant']);
  t.deepEqual(tenantFields(template), ['tenant']);
});

test('each kind is read and stored', (t) => {
  const one = (name: string): string => `\n  ${name}: { label: Field, multiline: true }`;
  for (const [derive, fields, inject, yields] of [
    [
      "oauth2_refresh_token: { token_url: 'https://a.example.com/t', client_id: x, refresh_token: '{rt}' }",
      one('rt'),
      undefined,
      ['access_token'],
    ],
    [
      "github_app: { app_id: '1', private_key: '{key}', installation_id: '2', permissions: { contents: read } }",
      one('key'),
      undefined,
      ['access_token'],
    ],
    ["google_service_account: { service_account: '{file}', scope: s }", one('file'), undefined, ['access_token']],
    ["google_service_account: { service_account: '{file}', target_audience: s }", one('file'), "- bearer: '{id_token}'", ['id_token']],
    [
      "sts_assume_role: { access_key_id: A, secret_access_key: '{key}', role_arn: r, region: r, duration: 900, tags: { Project: p } }",
      one('key'),
      "- bearer: '{session_token}'",
      ['access_key_id', 'secret_access_key', 'session_token'],
    ],
  ] as const) {
    const template = read(file(derive, { fields, ...(inject === undefined ? {} : { inject }) }));
    t.deepEqual(derivedFields(template.derive), yields);
    t.deepEqual(parseTemplate(JSON.parse(JSON.stringify(template)), 'provider'), template);
  }
});

test('what cannot work is refused where it stands', (t) => {
  const secretTenant = FIELDS.replace('tenant: { label: Tenant, secret: false }', 'tenant: { label: Tenant }');
  for (const [text, fault] of [
    [file('oauth9: {}'), /^derive\.oauth9: is not known here/],
    [file("oauth2_client_credentials: { token_url: 'https://a.example.com/t' }"), /needs client_/],
    [file(OAUTH(', realm: x')), /^derive\.oauth2_client_credentials\.realm: is not known here/],
    [file(OAUTH(', auth: jwt')), /^derive\.oauth2_client_credentials\.auth: has the wrong form/],
    [file(OAUTH(', duration: 7')), /duration: is not known here/],
    [file(OAUTH('', 'http://auth.example.com/token')), /token_url: has the wrong form/],
    [file(OAUTH('', 'https://*.example.com/token')), /token_url: has a wildcard/],
    [file(OAUTH('', 'https://{tenant}/token')), /token_url: its host needs at least two labels/],
    [file(OAUTH('', 'https://{tenant}.com/token')), /token_url: its host needs at least two labels/],
    [file(OAUTH('', 'https://me@auth.example.com/token')), /token_url: (has the wrong form|must be an https URL)/],
    [file(OAUTH('', 'https://auth.example.com/../token')), /token_url: is not in its plain spelling/],
    [file(OAUTH('', 'https://auth.example.com/{nobody}')), /token_url: refers to nobody/],
    [file(OAUTH(), { fields: secretTenant }), /token_url: its host refers to the field tenant, which is a secret/],
    [file(OAUTH('', 'https://auth.example.com/{tenant}'), { fields: secretTenant }), /token_url: refers to tenant; a URL may show only/],
    [file(OAUTH().replace("'{client_secret}'", "'{secret}'")), /client_secret: refers to the field secret, which does not exist/],
    [file(OAUTH().replace("'{client_secret}'", "'{access_token}'")), /client_secret: refers to the field access_token/],
    [file(OAUTH().replace("'{client_secret}'", "'{scope}'")), /client_secret: refers to scope, which is optional/],
    [file(OAUTH(), { inject: "- bearer: '{client_id}'" }), /is used by no rule; write \{access_token\}/],
    [file(OAUTH(), { inject: "- bearer: '{id_token}'" }), /refers to the field id_token/],
    [
      file(OAUTH(), { inject: "- bearer: '{access_token}{scope}'", fields: FIELDS.replace('optional', 'multiline') }),
      /refers to scope, which has several lines/,
    ],
    [file(OAUTH(), { fields: `${FIELDS}\n  more: { label: M }` }), /fields\.more: is used by no rule/],
    [file(OAUTH(), { fields: FIELDS.replace('Tenant, secret: false', 'Tenant, secret: false, optional: true') }), /optional/],
    [
      file(OAUTH(", audience: '{access_token}'"), { fields: `${FIELDS}\n  access_token: { label: M }` }),
      /yields access_token, which is the name/,
    ],
    [
      file("oauth2_refresh_token: { token_url: 'https://a.example.com/t', client_id: x, refresh_token: 'v{rt}' }", {
        fields: '\n  rt: { label: R }',
      }),
      /refresh_token: must be one field/,
    ],
    [file("google_service_account: { scope: s, client_email: '{k}' }", { fields: '\n  k: { label: R }' }), /needs either service_account/],
    [
      file("google_service_account: { service_account: '{k}' }", { fields: '\n  k: { label: R }' }),
      /needs either scope or target_audience/,
    ],
  ] as const) {
    t.regex(faultOf(text), fault, text);
  }
});

test('a token endpoint inside a private network is named like a private host', (t) => {
  t.deepEqual(privateHosts(read(file(OAUTH()))), []);
  t.deepEqual(privateHosts(read(file(OAUTH('', 'https://sso.corp.internal:8443/{tenant}')))), ['sso.corp.internal:8443']);
  t.deepEqual(privateHosts(read(file(OAUTH('', 'https://10.0.0.1/t').replace("'a {scope}'", "'{scope} {tenant}'")))), ['10.0.0.1']);
});

test('a URL is filled with values that fit their place, and stays one URL', (t) => {
  const fields = { a: { secret: false }, s: { secret: true } };
  t.is(urlFault('https://{a}.x.example.com:8443/{a}/t', fields), undefined);
  t.deepEqual(
    renderUrl('https://{a}.x.example.com:8443/{a}/t', fields, () => 'Ab'),
    { url: 'https://ab.x.example.com:8443/Ab/t' },
  );
  for (const value of ['a/b', '..', 'a?b', 'a#b', 'a@b', 'a:b', '%2e', '']) {
    t.true('fault' in renderUrl('https://{a}.x.example.com/', fields, () => value), value);
    t.true('fault' in renderUrl('https://x.example.com/{a}', fields, () => value), value);
  }
  for (const url of [
    'https://x.example.com/?q',
    'https://x.example.com/#f',
    'https://x.example.com/{',
    'https://',
    'ftp://x.example.com/',
    'https://x.example.com/{s}',
  ]) {
    t.not(urlFault(url, fields), undefined, url);
  }
});
