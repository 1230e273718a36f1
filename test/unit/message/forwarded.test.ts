import test from 'ava';
import { forwardedAddress } from '../../../src/message/forwarded.ts';
import { HeaderList } from '../../../src/message/header-list.ts';
import { parseNetwork } from '../../../src/message/network.ts';

const TRUSTED = ['10.0.0.0/8', '2001:db8:aaaa::/48'].flatMap((text) => parseNetwork(text) ?? []);
const from = (peer: string, ...flat: string[]) => forwardedAddress(peer, new HeaderList(flat), TRUSTED);
const usual = (...values: string[]) => from('10.0.0.1', ...values.flatMap((value) => ['X-Forwarded-For', value]));
const standard = (...values: string[]) => from('10.0.0.1', ...values.flatMap((value) => ['Forwarded', value]));

test('a peer that is not a trusted proxy speaks for itself only', (t) => {
  t.is(from('192.0.2.1', 'X-Forwarded-For', '198.51.100.7'), '192.0.2.1');
  t.is(from('11.0.0.1', 'Forwarded', 'for=198.51.100.7'), '11.0.0.1');
  t.is(forwardedAddress('10.0.0.1', new HeaderList(['X-Forwarded-For', '198.51.100.7']), []), '10.0.0.1');
});

test('a trusted proxy that says nothing is the client itself', (t) => {
  t.is(from('10.0.0.1'), '10.0.0.1');
});

test('the right-most address that is no trusted proxy is the client; what stands left of it may be made up', (t) => {
  t.is(usual('198.51.100.7'), '198.51.100.7');
  t.is(usual('1.1.1.1, 198.51.100.7'), '198.51.100.7');
  t.is(usual('1.1.1.1, 198.51.100.7, 10.2.3.4'), '198.51.100.7');
  t.is(usual('1.1.1.1', '198.51.100.7 , 10.2.3.4'), '198.51.100.7');
  t.is(usual('10.9.9.9, 198.51.100.7'), '198.51.100.7', 'a client that claims to be a trusted proxy');
  t.is(usual('10.9.9.9, 10.2.3.4'), '10.9.9.9', 'a client within the trusted network');
  t.is(usual('1.1.1.1,2001:db8::7,2001:db8:aaaa::1'), '2001:db8::7');
});

test('ports and brackets are not part of an address', (t) => {
  t.is(usual('198.51.100.7:4711'), '198.51.100.7');
  t.is(usual('[2001:db8::7]:4711'), '2001:db8::7');
  t.is(usual('::ffff:198.51.100.7'), '::ffff:198.51.100.7');
});

test('Forwarded is read with its quoting', (t) => {
  t.is(standard('for=1.1.1.1, for=198.51.100.7;proto=https'), '198.51.100.7');
  t.is(standard('proto=http; For="[2001:db8::7]:80"'), '2001:db8::7');
  t.is(standard('for=198.51.100.7;by="a,for=1.1.1.1"'), '198.51.100.7');
  t.is(standard('for=198.51.100.7', 'for=10.2.3.4'), '198.51.100.7');
});

test('what is not an address is nobody', (t) => {
  for (const value of ['', 'unknown', '_hidden', '198.51.100', '198.51.100.7.9', '10.0.0.0/8', 'localhost', '198.51.100.7,'])
    t.is(usual(value), 'unknown', value);
  for (const value of ['', 'by=10.0.0.1', 'for=_x', 'for="198.51.100.7']) t.is(standard(value), 'unknown', value);
});

test('one hop with two addresses has none', (t) => {
  for (const value of ['for=198.51.100.7;for=1.1.1.1', 'For=198.51.100.7;by=10.0.0.1;for="198.51.100.7"'])
    t.is(standard(value), 'unknown', value);
  t.is(standard('for=1.1.1.1;for=1.1.1.2, for=198.51.100.7'), '198.51.100.7');
});

test('two fields that say it are one too many', (t) => {
  t.is(from('10.0.0.1', 'X-Forwarded-For', '198.51.100.7', 'Forwarded', 'for=198.51.100.7'), 'unknown');
});
