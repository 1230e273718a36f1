/** The kinds of rules that may read the body, as a file spells them. */
import test from 'ava';
import { parseProvider } from '../../../src/providers/parse.ts';
import { failureOf } from '../../support/refusal.ts';

const HMAC = `hmac:
      algorithm: sha256
      key: '{secret}'
      key_encoding: base64
      message: "{timestamp}\\n{method}{path}"
      encoding: base64
      headers: { X-Sign: 'v1 {signature}', X-Time: '{timestamp}' }
      query: { key: '{id}' }
      max_bytes: 5`;

const file = (rule: string, fields = '{ secret: { label: S }, id: { label: I } }'): string =>
  `slug: a\nname: A\ncategory: test\nhosts: [a.example]\nfields: ${fields}\ninject:\n  - header: { name: X-Id, value: '{id}{secret}' }\n  - ${rule}\nconfidence: high\n`;

test('fields of the body', (t) => {
  t.deepEqual(parseProvider(file("form_field: { name: client_secret, value: '{secret}' }"), 'a.yaml').inject[1], {
    kind: 'form_field',
    name: 'client_secret',
    format: '{secret}',
  });
  t.deepEqual(parseProvider(file("json_field: { path: /auth/key, value: 'v {secret}', max_bytes: 10 }"), 'a.yaml').inject[1], {
    kind: 'json_field',
    path: '/auth/key',
    format: 'v {secret}',
    maxBytes: 10,
  });
});

test('a signature', (t) => {
  t.deepEqual(parseProvider(file(HMAC), 'a.yaml').inject[1], {
    kind: 'hmac',
    algorithm: 'sha256',
    key: '{secret}',
    keyEncoding: 'base64',
    message: '{timestamp}\n{method}{path}',
    encoding: 'base64',
    headers: { 'X-Sign': 'v1 {signature}', 'X-Time': '{timestamp}' },
    query: { key: '{id}' },
    maxBytes: 5,
  });
  const short = "hmac: { algorithm: sha1, key: '{secret}', message: '{body}', encoding: hex, query: { s: '{signature}' } }";
  t.like(parseProvider(file(short), 'a.yaml').inject[1], { keyEncoding: 'raw', headers: {}, query: { s: '{signature}' } });
});

for (const [name, text, message] of [
  ['a path to nothing', file("json_field: { path: a..b, value: '{secret}' }"), /inject\[1\]\.json_field\.path: names no member/],
  ['a cap that is none', file("form_field: { name: a, value: '{secret}', max_bytes: 0 }"), /inject\[1\]\.form_field\.max_bytes/],
  ['a form field without a name', file("form_field: { name: '', value: '{secret}' }"), /inject\[1\]\.form_field\.name/],
  ['an unknown algorithm', file(HMAC.replace('sha256', 'md5')), /inject\[1\]\.hmac\.algorithm: .*sha256/],
  ['an unknown encoding', file(HMAC.replace('encoding: base64\n      headers', 'encoding: base32\n      headers')), /hmac\.encoding/],
  ['a variable that is none', file(HMAC.replace('{path}', '{pth}')), /inject\[1\]: refers to the field pth/],
  ['a key made of the request', file(HMAC.replace("'{secret}'", "'{method}{secret}'")), /hmac\.key: is made of fields only/],
  ['a message with its signature', file(HMAC.replace('{path}', '{signature}')), /hmac\.message: cannot hold its own/],
  ['a body in a header', file(HMAC.replace("'{timestamp}'", "'{body}'")), /hmac\.headers: and query cannot hold the body/],
  ['no signature anywhere', file(HMAC.replace('{signature}', '{method}')), /hmac\.headers: and query write no/],
  ['a header of the proxy', file(HMAC.replace('X-Time', 'Content-Length')), /hmac\.headers\.Content-Length: belongs to the proxy/],
  ['a place that is taken', file(HMAC.replace('X-Time', 'x-id')), /inject\[1\]: writes to the same place/],
  [
    'a rule that changes what was signed',
    file(`${HMAC}\n  - form_field: { name: a, value: '{secret}' }`),
    /^a\.yaml:17:5 inject\[2\]: changes what a rule above it signs/,
  ],
  [
    'a field with the name of a variable',
    file(HMAC, '{ secret: { label: S }, id: { label: I }, path: { label: P } }').replace('{id}{secret}', '{id}{secret}{path}'),
    /fields\.path: has the name of something that a rule signs/,
  ],
] as const) {
  test(`${name}: refused with its place`, (t) => {
    const failure = failureOf(() => parseProvider(text, 'a.yaml'));
    t.is(failure.code, 'config_invalid');
    t.regex(failure.message, message);
  });
}
