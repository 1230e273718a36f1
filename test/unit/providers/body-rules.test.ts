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

/** A rule that signs `message`. */
const signing = (message: string): string =>
  `hmac: { algorithm: sha256, key: '{secret}', message: '${message}', encoding: hex, headers: { X-Sign: '{signature}' } }`;
const AWS = "sigv4: { access_key_id: '{id}', secret_access_key: '{secret}' }";

const LATE = /inject\[2\]: changes what a rule above it signs; write it above that rule/;
const HELD = /inject\[2\]: writes to the same member as a rule above it, or one of them holds the other/;

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
  ['a body in a header', file(HMAC.replace("'{timestamp}'", "'{body}'")), /hmac\.headers: cannot hold the body; write it into message$/],
  ['a body in the query', file(HMAC.replace("'{id}'", "'{body}'")), /hmac\.query: cannot hold the body; write it into message$/],
  [
    'no signature anywhere',
    file(HMAC.replace('{signature}', '{method}')),
    /hmac\.headers: hold no \{signature\}, and query holds none either$/,
  ],
  ['a header of the proxy', file(HMAC.replace('X-Time', 'Content-Length')), /hmac\.headers\.Content-Length: belongs to the proxy/],
  ['a place that is taken', file(HMAC.replace('X-Time', 'x-id')), /inject\[1\]: writes to the same place/],
  [
    'a rule that changes what was signed',
    file(`${signing('{body}')}\n  - form_field: { name: a, value: '{secret}' }`),
    /^a\.yaml:9:5 inject\[2\]: changes what a rule above it signs/,
  ],
  ['a query parameter below its signature', file(`${signing('{query}')}\n  - query: { name: a, value: '{secret}' }`), LATE],
  ['a path below its signature', file(`${signing('{path_and_query}')}\n  - path: { segment: '{secret}' }`), LATE],
  ['a Content-Type below its signature', file(`${signing('{content_type}')}\n  - header: { name: Content_Type, value: 'a/b' }`), LATE],
  [
    'a default Content-Type below its signature',
    file(`${signing('{content_type}')}\n  - default_header: { name: content-type, value: a/b }`),
    LATE,
  ],
  [
    'a signature in the query below one of the query',
    file(`${signing('{query}')}\n  - ${signing('x').replace("headers: { X-Sign: '{signature}' }", "query: { s: '{signature}' }")}`),
    LATE,
  ],
  ['a field of AWS below its signature', file(`${AWS}\n  - header: { name: X-Amz-Target, value: 'a{secret}' }`), LATE],
  ['a Content-Type below a signature of AWS', file(`${AWS}\n  - default_header: { name: Content-Type, value: a/b }`), LATE],
  ['a query parameter below a signature of AWS', file(`${AWS}\n  - query: { name: a, value: '{secret}' }`), LATE],
  ['a member within another', file("json_field: { path: a, value: '{id}' }\n  - json_field: { path: a.b, value: '{secret}' }"), HELD],
  ['a member around another', file("json_field: { path: /a/b, value: '{id}' }\n  - json_field: { path: a, value: '{secret}' }"), HELD],
  [
    'one member in two spellings',
    file("json_field: { path: /a/b, value: '{id}' }\n  - json_field: { path: a.b, value: '{secret}' }"),
    HELD,
  ],
  [
    'JSON and a form',
    file("json_field: { path: a, value: '{id}' }\n  - form_field: { name: b, value: '{secret}' }"),
    /inject\[2\]: writes into another kind of body than a rule above it; no body is a form and JSON/,
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

for (const [name, rules] of [
  ['a header that no signature holds', `${signing('{query}{content_type}')}\n  - default_header: { name: Version, value: '1' }`],
  ['a Content-Type that no signature holds', `${signing('{path}')}\n  - default_header: { name: Content-Type, value: a/b }`],
  ['a Content-Type above its signature', `default_header: { name: Content-Type, value: a/b }\n  - ${signing('{content_type}')}`],
  ['a header beside a signature of AWS', `${AWS}\n  - header: { name: X-Key, value: '{id}' }`],
  ['two members side by side', "json_field: { path: a.b, value: '{id}' }\n  - json_field: { path: a.bc, value: '{secret}' }"],
  ['members whose names hold dots', "json_field: { path: /a.b, value: '{id}' }\n  - json_field: { path: a, value: '{secret}' }"],
] as const) {
  test(`${name}: accepted`, (t) => {
    t.is(parseProvider(file(rules), 'a.yaml').inject.length, 3);
  });
}
