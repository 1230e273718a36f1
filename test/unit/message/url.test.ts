import test from 'ava';
import { canonicalUrl, formatTarget, queryNames } from '../../../src/message/url.ts';
import { refusalOf } from '../../support/refusal.ts';

for (const [text, path] of [
  ['/', '/'],
  ['/v1/chat/completions', '/v1/chat/completions'],
  ['//a//b/', '//a//b/'],
  ['/.well-known/x', '/.well-known/x'],
  ['/...', '/...'],
  ['/a.', '/a.'],
  ['/..a/.b', '/..a/.b'],
  ['/a;..', '/a;..'],
  ['/%61%2D%7e', '/a-~'],
  ['/%c3%bc', '/%C3%BC'],
  ['/group%2fproject', '/group%2Fproject'],
  ['/a%2F..b', '/a%2F..b'],
  ['/100%25', '/100%25'],
  ['/%2541', '/%2541'],
  ['/a%3Fb%23c', '/a%3Fb%23c'],
  ['/a%20b', '/a%20b'],
  ["/!$&'()*+,;=:@", "/!$&'()*+,;=:@"],
] as const) {
  test(`the path ${text} is ${path}`, (t) => {
    t.deepEqual(canonicalUrl(text), { path, query: undefined });
  });
}

for (const [text, detail] of [
  ['', /start with a slash/],
  ['*', /start with a slash/],
  ['a/b', /start with a slash/],
  ['http://example.com/', /start with a slash/],
  ['/a b', /visible/],
  ['/a\tb', /visible/],
  ['/a\x7f', /visible/],
  ['/ü', /visible/],
  ['/a#b', /fragment/],
  ['/a\\b', /backslash/],
  ['/..\\b', /backslash/],
  ['/a%', /two hexadecimal/],
  ['/a%4', /two hexadecimal/],
  ['/a%zz', /two hexadecimal/],
  ['/%%34%31', /two hexadecimal/],
  ['/a%00', /control/],
  ['/a%0d%0aHost:x', /control/],
  ['/a%7F', /control/],
  ['/a%5cb', /backslash/],
  ['/.', /dot segment/],
  ['/..', /dot segment/],
  ['/a/../b', /dot segment/],
  ['/a/./b', /dot segment/],
  ['/a/..;x=1/b', /dot segment/],
  ['/a/.;/b', /dot segment/],
  ['/a/..%3bx/b', /dot segment/],
  ['/a/%2e%2e/b', /dot segment/],
  ['/a/.%2E', /dot segment/],
  ['/a%2f..%2fb', /dot segment/],
  ['/a/..%2f', /dot segment/],
  ['/%2f..', /dot segment/],
  ['/a%2F.%2Fb', /dot segment/],
  ['/a/%252e%252e/b', /dot segment/],
  ['/a/%252e%252e%252fb', /dot segment/],
  ['/a/..%252fb', /dot segment/],
  ['/a/..%255cb', /dot segment/],
  ['/a/%25252e%25252e/b', /dot segment/],
  ['/a/%2525252e%2525252e/b', /three times/],
  ['/a/%c0%ae%c0%ae/b', /dot segment/],
  ['/a%c0%af..%c0%afb', /dot segment/],
  ['/a/..%3f', /dot segment/],
] as const) {
  test(`the target ${JSON.stringify(text)} is refused`, (t) => {
    const refusal = refusalOf(() => canonicalUrl(text));
    t.is(refusal.code, 'malformed_request');
    t.regex(refusal.detail, detail);
  });
}

test('the query stays byte for byte, also with escapes that are not valid and with what a path may not hold', (t) => {
  for (const query of ['', 'a=b', 'a=%', 'a=%zz', 'a=%00', 'q=../..', 'a=b\\c', 'x?y=/z', '%61=1&&b']) {
    t.deepEqual(canonicalUrl(`/p?${query}`), { path: '/p', query });
  }
});

for (const query of ['a b', 'a=\r\n', 'ü', 'a\0', 'a#b', 'a\x7f']) {
  test(`the query ${JSON.stringify(query)} is refused`, (t) => {
    t.is(refusalOf(() => canonicalUrl(`/p?${query}`)).code, 'malformed_request');
  });
}

test('a path is checked also when a query follows', (t) => {
  t.is(refusalOf(() => canonicalUrl('/a/..?b')).code, 'malformed_request');
});

test('the target is the path, and the query when there is one', (t) => {
  t.is(formatTarget({ path: '/a', query: undefined }), '/a');
  t.is(formatTarget({ path: '/a', query: '' }), '/a?');
  t.is(formatTarget({ path: '/a', query: 'b=c' }), '/a?b=c');
});

test('query names are decoded, in order, each once, without values', (t) => {
  t.deepEqual(queryNames(canonicalUrl('/?b=secret&%61=1&b=2&c+d=3&flag&&e%5B%5D=4')), ['b', 'a', 'c d', 'flag', 'e[]']);
  t.deepEqual(queryNames(canonicalUrl('/')), []);
  t.deepEqual(queryNames(canonicalUrl('/?')), []);
});

test('query names are bounded in number and length', (t) => {
  const many = Array.from({ length: 200 }, (_, i) => `n${i}=1`).join('&');
  t.is(queryNames(canonicalUrl(`/?${many}`)).length, 64);
  t.deepEqual(queryNames(canonicalUrl(`/?${'x'.repeat(500)}=1`)), ['x'.repeat(128)]);
});
