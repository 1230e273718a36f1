import test from 'ava';
import { parseAbsoluteTarget, parseConnectTarget } from '../../../src/message/target.ts';
import { refusalOf } from '../../support/refusal.ts';

test('an absolute target gives origin and URL', (t) => {
  t.deepEqual(parseAbsoluteTarget('http://API.example.com/a?b'), {
    origin: { scheme: 'http', host: 'api.example.com', port: 80 },
    url: { path: '/a', query: 'b' },
  });
  t.deepEqual(parseAbsoluteTarget('HTTP://[::1]:8080/').origin, { scheme: 'http', host: '::1', port: 8080 });
});

test('an empty path means the root', (t) => {
  t.deepEqual(parseAbsoluteTarget('http://example.com').url, { path: '/', query: undefined });
  t.deepEqual(parseAbsoluteTarget('http://example.com?q').url, { path: '/', query: 'q' });
});

for (const [target, detail] of [
  ['https://example.com/', /CONNECT/],
  ['ftp://example.com/', /scheme/],
  ['/path', /absolute/],
  ['example.com:80', /absolute/],
  ['http:///path', /empty/],
  ['http://user:pw@example.com/', /userinfo/],
  ['http://example.com@evil.test/', /userinfo/],
  ['http://example.com\\@evil.test/', /userinfo/],
  ['http://example.com/a/../b', /dot segment/],
  ['http://example.com#f', /fragment/],
  ['http://0x7f.1/', /IPv4/],
] as const) {
  test(`the absolute target ${target} is refused`, (t) => {
    const refusal = refusalOf(() => parseAbsoluteTarget(target));
    t.is(refusal.code, 'malformed_request');
    t.regex(refusal.detail, detail);
  });
}

test('a CONNECT target is a host and a port, nothing else', (t) => {
  t.deepEqual(parseConnectTarget('api.example.com:443'), { host: 'api.example.com', port: 443 });
  for (const target of ['api.example.com', 'https://api.example.com:443', 'api.example.com:443/', 'u@api.example.com:443', '']) {
    t.is(refusalOf(() => parseConnectTarget(target)).code, 'malformed_request', target);
  }
});
