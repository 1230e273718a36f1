import test from 'ava';
import { checkRequestHead } from '../../../src/message/request-head.ts';
import { headers } from '../../support/headers.ts';
import { refusalOf } from '../../support/refusal.ts';

function check(lines: readonly string[], { method = 'GET', httpVersion = '1.1' } = {}): ReturnType<typeof checkRequestHead> {
  return checkRequestHead({ httpVersion, method, headers: headers(...lines) });
}

test('a plain request has one host and no body', (t) => {
  t.deepEqual(check(['Host: example.com', 'Accept: */*']), { bodyLength: { kind: 'none' }, host: 'example.com' });
});

test('Content-Length gives the length, chunked gives chunks', (t) => {
  t.deepEqual(check(['hOST: a', 'Content-Length: 12']).bodyLength, { kind: 'length', bytes: 12 });
  t.deepEqual(check(['Host: a', 'content-length: 0']).bodyLength, { kind: 'length', bytes: 0 });
  t.deepEqual(check(['Host: a', 'Content-Length: 9007199254740991']).bodyLength, { kind: 'length', bytes: Number.MAX_SAFE_INTEGER });
  t.deepEqual(check(['Host: a', 'Transfer-Encoding: Chunked']).bodyLength, { kind: 'chunked' });
});

test('HTTP/1.0 may come without Host', (t) => {
  t.is(check([], { httpVersion: '1.0' }).host, undefined);
  t.is(check(['Host: a'], { httpVersion: '1.0' }).host, 'a');
});

test('Connection may name ordinary fields', (t) => {
  t.is(check(['Host: a', 'Connection: keep-alive, X-Custom, hosts']).host, 'a');
});

for (const [name, lines, options] of [
  ['no Host', ['Accept: */*']],
  ['two Hosts', ['Host: a', 'HOST: a']],
  ['two Hosts in HTTP/1.0', ['Host: a', 'Host: b'], { httpVersion: '1.0' }],
  ['Content-Length with Transfer-Encoding', ['Host: a', 'Content-Length: 1', 'Transfer-Encoding: chunked']],
  ['two equal Content-Lengths', ['Host: a', 'Content-Length: 1', 'Content-Length: 1']],
  ['a list of Content-Lengths', ['Host: a', 'Content-Length: 1, 1']],
  ['an empty Content-Length', ['Host: a', 'Content-Length:']],
  ['a signed Content-Length', ['Host: a', 'Content-Length: +1']],
  ['a negative Content-Length', ['Host: a', 'Content-Length: -1']],
  ['a hexadecimal Content-Length', ['Host: a', 'Content-Length: 0x10']],
  ['a fractional Content-Length', ['Host: a', 'Content-Length: 1.0']],
  ['a Content-Length beyond 2^53-1', ['Host: a', 'Content-Length: 9007199254740992']],
  ['a Content-Length with a trailing space', ['Host: a', 'Content-Length: 1 ']],
  ['Content_Length', ['Host: a', 'Content_Length: 1']],
  ['Transfer_Encoding', ['Host: a', 'Transfer_Encoding: chunked']],
  ['gzip, chunked', ['Host: a', 'Transfer-Encoding: gzip, chunked']],
  ['chunked twice', ['Host: a', 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
  ['chunked, identity', ['Host: a', 'Transfer-Encoding: chunked, identity']],
  ['an unknown transfer coding', ['Host: a', 'Transfer-Encoding: xchunked']],
  ['Transfer-Encoding with a vertical tab', ['Host: a', 'Transfer-Encoding: \vchunked']],
  ['Transfer-Encoding in HTTP/1.0', ['Host: a', 'Transfer-Encoding: chunked'], { httpVersion: '1.0' }],
  ['Connection that names Host', ['Host: a', 'Connection: close, Host']],
  ['Connection that names Content-Length', ['Host: a', 'Connection: content-length', 'Content-Length: 1']],
  ['Connection that names Transfer-Encoding', ['Host: a', 'Connection: Transfer-Encoding']],
  ['a field name with a space', ['Host: a', 'X Y: 1']],
  ['a space before the colon', ['Host: a', 'Content-Length : 1']],
  ['an empty field name', ['Host: a', ': 1']],
  ['a line break in a value', ['Host: a', 'X: 1\r\nY: 2']],
  ['a folded line', ['Host: a', 'X: 1\r\n 2']],
  ['a bare line feed in a value', ['Host: a', 'X: 1\nY: 2']],
  ['a NUL in a value', ['Host: a', 'X: 1\0']],
  ['an escape character in a value', ['Host: a', 'X: \x1b[0m']],
  ['HTTP/2.0 in a version 1 line', ['Host: a'], { httpVersion: '2.0' }],
  ['HTTP/0.9', ['Host: a'], { httpVersion: '0.9' }],
  ['HTTP/1.2', ['Host: a'], { httpVersion: '1.2' }],
  ['no version', ['Host: a'], { httpVersion: '' }],
  ['a method with a space', ['Host: a'], { method: 'GET /' }],
  ['an empty method', ['Host: a'], { method: '' }],
] as const) {
  test(`${name}: refused as malformed`, (t) => {
    const refusal = refusalOf(() => check(lines, options));
    t.is(refusal.code, 'malformed_request');
    t.not(refusal.detail, '');
  });
}

test('a value may hold a tab and bytes above ASCII', (t) => {
  t.is(check(['Host: a', 'X: a\tb\xfc']).host, 'a');
});

test('TRACE and TRACK are refused in any case; methods near them are not', (t) => {
  for (const method of ['TRACE', 'TRACK', 'trace']) t.is(refusalOf(() => check(['Host: a'], { method })).code, 'method_not_supported');
  for (const method of ['TRAC', 'TRACER', 'PATCH', 'PROPFIND', 'get']) t.is(check(['Host: a'], { method }).host, 'a');
});
