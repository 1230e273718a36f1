import test from 'ava';
import { fieldName, fieldNameAt, hashOctet } from '../../../src/message/field-name.ts';

test('a name is described once for each spelling', (t) => {
  t.deepEqual(fieldName('X_Api-Key'), {
    spelling: 'X_Api-Key',
    prefix: 'X_Api-Key: ',
    isToken: true,
    lower: 'x_api-key',
    folded: 'x-api-key',
    ofProxy: false,
    hopByHop: false,
    framing: undefined,
  });
  t.is(fieldName('X_Api-Key'), fieldName('X_Api-Key'));
  t.false(fieldName('a b').isToken);
  t.false(fieldName('').isToken);
});

test('the fields of the proxy are known by their prefix', (t) => {
  for (const name of ['x-alter-grant', 'X_Alter_Grant', 'Proxy-Authorization', 'proxy_status']) t.true(fieldName(name).ofProxy, name);
  for (const name of ['x-alter', 'x-alternate', 'proxy', 'x-proxy-y']) t.false(fieldName(name).ofProxy, name);
});

test('the fields of one connection are known in every spelling', (t) => {
  for (const name of ['Connection', 'keep-alive', 'TE', 'Trailer', 'transfer_encoding', 'Proxy-Connection', 'HTTP2-Settings', 'upgrade'])
    t.true(fieldName(name).hopByHop, name);
  for (const name of ['content-length', 'te-x', 'trailers', 'x-connection', 'upgrade-insecure-requests'])
    t.false(fieldName(name).hopByHop, name);
});

test('names without end are described as well, and not kept', (t) => {
  const long = 'A'.repeat(1000);
  t.is(fieldName(long).lower, 'a'.repeat(1000));
  t.not(fieldName(long), fieldName(long));
  for (let i = 0; i < 10_000; i += 1) t.is(fieldName(`X-Invented-${String(i)}`).lower, `x-invented-${String(i)}`);
});

test('the fields of framing are told in every case, and their underscored spellings apart', (t) => {
  for (const name of ['Host', 'EXPECT', 'upgrade', 'Connection', 'content-Length', 'Transfer-Encoding'])
    t.true(fieldName(name).framing === name.toLowerCase());
  for (const name of ['Content_Length', 'TRANSFER_ENCODING']) t.is(fieldName(name).framing, 'underscored', name);
  for (const name of ['hosts', 'x-host', 'content-lengths', 'contentlength', 'connections']) t.is(fieldName(name).framing, undefined, name);
});

test('a name is found by its octets, whatever stands around it', (t) => {
  const at = (text: string) => {
    const octets = Buffer.from(`Y: ${text}: z`, 'latin1');
    const hash = [...text].reduce((sum, character) => hashOctet(sum, character.charCodeAt(0)), 0);
    return fieldNameAt(octets, 3, 3 + text.length, hash);
  };
  for (const text of ['Accept', 'accept', 'A', 'B'.repeat(500)]) {
    t.is(at(text).spelling, text);
    t.deepEqual(at(text), fieldName(text));
  }
});

test('names with one hash stay apart, also where there are more of them than places', (t) => {
  const names = Array.from({ length: 9 }, (_, i) => `X-Collides-${String(i)}`);
  for (let round = 0; round < 3; round += 1) {
    for (const name of names) t.is(fieldNameAt(Buffer.from(name), 0, name.length, 12_345).spelling, name);
  }
});
