import test from 'ava';
import { formatAuthority, isIpLiteral, originKey, parseAuthority, parseOrigin, sameAuthority } from '../../../src/message/authority.ts';
import { refusalOf } from '../../support/refusal.ts';

const LABEL = 'a'.repeat(63);

for (const [text, host, port] of [
  ['api.example.com:443', 'api.example.com', 443],
  ['API.Example.COM:1', 'api.example.com', 1],
  ['localhost:65535', 'localhost', 65535],
  ['_dmarc.example.com:443', '_dmarc.example.com', 443],
  ['xn--bcher-kva.example:443', 'xn--bcher-kva.example', 443],
  ['xn--.example:443', 'xn--.example', 443],
  ['3com.com:80', '3com.com', 80],
  ['1.2.3.4.example:80', '1.2.3.4.example', 80],
  ['host.0xyz:80', 'host.0xyz', 80],
  ['127.0.0.1:80', '127.0.0.1', 80],
  ['255.255.255.255:80', '255.255.255.255', 80],
  [`${LABEL}.example:80`, `${LABEL}.example`, 80],
  ['[::1]:80', '::1', 80],
  ['[2001:DB8:0:0:0:0:0:1]:80', '2001:db8::1', 80],
  ['[2001:db8::1:0:0:1]:80', '2001:db8::1:0:0:1', 80],
  ['[1:0:0:2:0:0:0:3]:80', '1:0:0:2::3', 80],
  ['[64:ff9b::192.0.2.1]:80', '64:ff9b::c000:201', 80],
] as const) {
  test(`${text} is one host and one port`, (t) => {
    t.deepEqual(parseAuthority(text), { host, port });
  });
}

for (const [text, detail] of [
  ['', /empty/],
  [':443', /empty/],
  ['example.com', /needs a port/],
  ['example.com:', /port/],
  ['example.com:0', /port/],
  ['example.com:0443', /port/],
  ['example.com:+443', /port/],
  ['example.com:65536', /port/],
  ['example.com:443:443', /brackets/],
  ['example.com:443/', /port/],
  ['example.com.:443', /trailing dot/],
  ['.:443', /trailing dot/],
  ['.example.com:443', /empty label/],
  ['a..b:443', /empty label/],
  [`${LABEL}a.example:443`, /63/],
  [`${`${LABEL}.`.repeat(4)}example:443`, /253/],
  ['user@example.com:443', /userinfo/],
  ['user:pw@example.com:443', /userinfo/],
  ['bücher.example:443', /xn--/],
  ['example。com:443', /xn--/],
  ['exa%6dple.com:443', /percent/],
  ['exam ple.com:443', /space/],
  ['example.com\t:443', /space/],
  ['example.com\0:443', /control/],
  ['exa*mple.com:443', /letters/],
  ['example.com/x:443', /letters/],
  ['127.1:80', /IPv4/],
  ['0x7f.0.0.1:80', /IPv4/],
  ['0x7f000001:80', /IPv4/],
  ['1.2.3.0x4:80', /IPv4/],
  ['1.2.3.0x:80', /IPv4/],
  ['2130706433:80', /IPv4/],
  ['0177.0.0.1:80', /IPv4/],
  ['127.0.0.01:80', /IPv4/],
  ['256.0.0.1:80', /IPv4/],
  ['1.2.3.4.5:80', /IPv4/],
  ['example.1:80', /IPv4/],
  ['127.0.0.1.:80', /trailing dot/],
  ['::1', /brackets/],
  ['[::1:80', /closing/],
  ['[::1]80', /only a port/],
  ['[::1]:', /port/],
  ['[]:80', /IPv6/],
  ['[fe80::1%25eth0]:80', /zone/],
  ['[fe80::1%eth0]:80', /zone/],
  ['[::ffff:127.0.0.1]:80', /IPv4/],
  ['[::ffff:7f00:1]:80', /IPv4/],
  ['[::0177.0.0.1]:80', /IPv6/],
  ['[1::2::3]:80', /IPv6/],
  ['[12345::1]:80', /IPv6/],
  ['[127.0.0.1]:80', /IPv6/],
  ['[v1.x]:80', /IPv6/],
] as const) {
  test(`${JSON.stringify(text)} is refused as malformed`, (t) => {
    const refusal = refusalOf(() => parseAuthority(text));
    t.is(refusal.code, 'malformed_request');
    t.regex(refusal.detail, detail);
  });
}

test('a missing port takes the default, a given one does not', (t) => {
  t.deepEqual(parseAuthority('example.com', 443), { host: 'example.com', port: 443 });
  t.deepEqual(parseAuthority('[::1]', 443), { host: '::1', port: 443 });
  t.deepEqual(parseAuthority('example.com:80', 443), { host: 'example.com', port: 80 });
});

test('an origin is https and the scheme has its port unless the text says otherwise', (t) => {
  t.deepEqual(parseOrigin('API.example.com'), { scheme: 'https', host: 'api.example.com', port: 443 });
  t.deepEqual(parseOrigin('api.example.com:8443'), { scheme: 'https', host: 'api.example.com', port: 8443 });
  t.deepEqual(parseOrigin('https://api.example.com'), { scheme: 'https', host: 'api.example.com', port: 443 });
  t.deepEqual(parseOrigin('HTTP://[::1]'), { scheme: 'http', host: '::1', port: 80 });
});

for (const text of [
  '',
  'https://',
  'ftp://example.com',
  'https://example.com/',
  'example.com/path',
  'https://example.com?q',
  'https://u@example.com',
  'https://example.com#f',
]) {
  test(`${JSON.stringify(text)} is no origin`, (t) => {
    t.is(refusalOf(() => parseOrigin(text)).code, 'malformed_request');
  });
}

test('an origin has one key, whatever spelling it came in', (t) => {
  t.is(originKey(parseOrigin('API.example.com')), 'https://api.example.com:443');
  t.is(originKey(parseOrigin('https://api.example.com:443')), 'https://api.example.com:443');
  t.is(originKey(parseOrigin('http://[0:0:0:0:0:0:0:1]')), 'http://[::1]:80');
});

test('a Host header leaves out the port of its scheme only', (t) => {
  t.is(formatAuthority({ host: 'example.com', port: 443 }, 'https'), 'example.com');
  t.is(formatAuthority({ host: 'example.com', port: 443 }, 'http'), 'example.com:443');
  t.is(formatAuthority({ host: 'example.com', port: 443 }), 'example.com:443');
  t.is(formatAuthority({ host: '::1', port: 80 }, 'http'), '[::1]');
  t.is(formatAuthority({ host: '::1', port: 81 }, 'http'), '[::1]:81');
});

test('authorities are the same when host and port are', (t) => {
  t.true(sameAuthority({ host: 'a', port: 1 }, { host: 'a', port: 1 }));
  t.false(sameAuthority({ host: 'a', port: 1 }, { host: 'a', port: 2 }));
  t.false(sameAuthority({ host: 'a', port: 1 }, { host: 'b', port: 1 }));
});

test('an IP literal is told from a name', (t) => {
  t.true(isIpLiteral('127.0.0.1'));
  t.true(isIpLiteral('2001:db8::1'));
  t.false(isIpLiteral('127.0.0.1.example'));
  t.false(isIpLiteral('example.com'));
});
