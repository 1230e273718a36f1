import test from 'ava';
import {
  isReservedField,
  strippedRequestHeaders,
  stripRequestTrailers,
  stripResponseHeaders,
  stripTrailers,
} from '../../../src/message/hop-by-hop.ts';
import { headers, lines } from '../../support/headers.ts';

test('a request loses hop-by-hop fields, what Connection names, Expect, Proxy-* and X-Alter-*, and keeps near misses', (t) => {
  const list = headers(
    'Host: a',
    'Connection: keep-alive, X-Once',
    'x-once: 1',
    'connection: x-TWICE',
    'X-Twice: 1',
    'Keep-Alive: timeout=5',
    'Proxy-Connection: keep-alive',
    'TE: trailers',
    'Trailer: x',
    'Transfer-Encoding: chunked',
    'Upgrade: h2c',
    'HTTP2-Settings: AAA',
    'Expect: 100-continue',
    'Proxy-Authorization: Basic eDp5',
    'PROXY-Anything: 1',
    'X-ALTER-Grant: 1',
    'x-alter-unknown: 1',
    'x_alter_grant: 1',
    'X_Alter-Reason: 1',
    'proxy_authorization: 1',
    'transfer_encoding: chunked',
    'Content-Length: 3',
    'X-Alternative: stays',
    'X-Proxy-Id: stays',
    'Proxies: stays',
    'TEA: stays',
    'x_custom: stays',
  );
  const stripped = strippedRequestHeaders(list);
  t.deepEqual(lines(stripped), [
    'Host: a',
    'Content-Length: 3',
    'X-Alternative: stays',
    'X-Proxy-Id: stays',
    'Proxies: stays',
    'TEA: stays',
    'x_custom: stays',
  ]);
});

test('a response loses the same, and Alt-Svc, but not Expect', (t) => {
  const list = headers(
    'Content-Type: text/plain',
    'Content-Length: 3',
    'Connection: close, x-once',
    'X-Once: 1',
    'Keep-Alive: timeout=5',
    'Transfer-Encoding: chunked',
    'Trailer: x',
    'Upgrade: h2c',
    'Alt-Svc: h3=":443"',
    'Proxy-Authenticate: Basic',
    'Proxy-Status: upstream',
    'X-Alter-Error: faked',
    'x-alter-request-id: faked',
    'Expect: stays',
  );
  stripResponseHeaders(list);
  t.deepEqual(lines(list), ['Content-Type: text/plain', 'Content-Length: 3', 'Expect: stays']);
});

test('Content-Length stays even when Connection names it', (t) => {
  const list = headers('Connection: content-length', 'Content-Length: 3');
  stripResponseHeaders(list);
  t.deepEqual(lines(list), ['Content-Length: 3']);
});

test('trailers keep what describes the content, and nothing that frames, routes or authorises', (t) => {
  const list = headers(
    'grpc-status: 0',
    'Server-Timing: a',
    'Digest: x',
    'Content-Length: 3',
    'Transfer-Encoding: chunked',
    'Host: b',
    'Authorization: Bearer x',
    'Set-Cookie: a=b',
    'Cookie: a=b',
    'Content-Type: text/html',
    'Content_Length: 3',
    'X-Alter-Error: faked',
    'Proxy-Status: faked',
  );
  stripTrailers(list);
  t.deepEqual(lines(list), ['grpc-status: 0', 'Server-Timing: a', 'Digest: x']);
});

test('trailers of a request say nothing of what it asks for', (t) => {
  const list = headers(
    'X-Sum: 42',
    'x-amz-checksum-crc32c: AAAAAA==',
    'X-HTTP-Method-Override: DELETE',
    'x_http_method: DELETE',
    'X-Method_Override: DELETE',
    'X-Amz-Target: DynamoDB_20120810.DeleteTable',
    'X-Amz-Security-Token: mine',
    'x_amz_acl: public-read',
    'Smithy-Protocol: rpc-v2-cbor',
    'Authorization: Bearer x',
    'Content-Encoding: gzip',
    'X-Method: stays',
  );
  stripRequestTrailers(list);
  t.deepEqual(lines(list), ['X-Sum: 42', 'x-amz-checksum-crc32c: AAAAAA==', 'X-Method: stays']);
});

test('framing and routing fields are reserved, credentials are not', (t) => {
  for (const name of [
    'host',
    'content-length',
    'content_length',
    'connection',
    'transfer-encoding',
    'te',
    'upgrade',
    'expect',
    'proxy-x',
    'x-alter-x',
  ]) {
    t.true(isReservedField(name), name);
  }
  for (const name of ['authorization', 'x-api-key', 'cookie', 'hosts', 'accept']) t.false(isReservedField(name), name);
});
