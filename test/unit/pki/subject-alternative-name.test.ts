import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { toDer } from '../../../src/pki/asn1.ts';
import { generalName } from '../../../src/pki/subject-alternative-name.ts';

const DNS_TAG = 0x82;
const IP_TAG = 0x87;

const encodings: [host: string, tag: number, content: string][] = [
  ['example.com', DNS_TAG, Buffer.from('example.com').toString('hex')],
  ['localhost', DNS_TAG, Buffer.from('localhost').toString('hex')],
  ['my_service.internal', DNS_TAG, Buffer.from('my_service.internal').toString('hex')],
  ['xn--bcher-kva.example', DNS_TAG, Buffer.from('xn--bcher-kva.example').toString('hex')],
  ['1.2.3.4.example', DNS_TAG, Buffer.from('1.2.3.4.example').toString('hex')],
  ['192.0.2.1', IP_TAG, 'c0000201'],
  ['0.0.0.0', IP_TAG, '00000000'],
  ['::', IP_TAG, '00'.repeat(16)],
  ['::1', IP_TAG, `${'00'.repeat(15)}01`],
  ['2001:db8::1', IP_TAG, '20010db8000000000000000000000001'],
  ['2001:db8:1:2:3:4:5:6', IP_TAG, '20010db8000100020003000400050006'],
  ['fe80::', IP_TAG, `fe80${'00'.repeat(14)}`],
  ['::ffff:192.0.2.1', IP_TAG, '00000000000000000000ffffc0000201'],
  ['64:ff9b::192.0.2.33', IP_TAG, '0064ff9b0000000000000000c0000221'],
];

for (const [host, tag, content] of encodings) {
  test(`${host} is encoded as RFC 5280 says`, (t) => {
    const der = toDer(generalName(host));
    t.is(der[0], tag);
    t.is(der.subarray(2).toString('hex'), content);
  });
}

const refused = [
  '',
  '.',
  'example.com.',
  '.example.com',
  'exa mple.com',
  'Example.com',
  '*.example.com',
  'example.com:443',
  '[::1]',
  'fe80::1%eth0',
  '-a.example',
  'a-.example',
  'bücher.example',
  'example.com\0.evil.test',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '0x7f.1',
  '0x7f000001',
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(126)}ab`,
];

for (const host of refused) {
  test(`${JSON.stringify(host.slice(0, 40))} (${host.length.toString()} characters) is no host`, (t) => {
    const error = t.throws(() => generalName(host), { instanceOf: AlterError });
    t.is(error.code, 'malformed_request');
  });
}

test('a DNS name of 253 characters is the longest', (t) => {
  t.notThrows(() => generalName(`${'a.'.repeat(126)}a`));
});
