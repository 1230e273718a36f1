import test from 'ava';
import { isInNetworks, parseNetwork } from '../../../src/message/network.ts';

const isIn = (address: string, ...networks: string[]): boolean =>
  isInNetworks(
    address,
    networks.flatMap((text) => parseNetwork(text) ?? []),
  );

test('an address lies in its network and not in the next one', (t) => {
  t.true(isIn('10.255.255.255', '10.0.0.0/8'));
  t.false(isIn('11.0.0.0', '10.0.0.0/8'));
  t.true(isIn('192.0.2.7', '192.0.2.7'));
  t.false(isIn('192.0.2.8', '192.0.2.7'));
  t.true(isIn('2001:db8:ffff::1', '2001:db8::/32'));
  t.false(isIn('2001:db9::1', '2001:db8::/32'));
  t.true(isIn('192.0.2.7', '10.0.0.0/8', '192.0.2.0/24'));
});

test('IPv4 within IPv6 is IPv4, on either side', (t) => {
  t.true(isIn('::ffff:10.1.2.3', '10.0.0.0/8'));
  t.true(isIn('10.1.2.3', '::ffff:10.0.0.0/104'));
  t.false(isIn('::ffff:11.1.2.3', '10.0.0.0/8'));
  t.is(parseNetwork('::ffff:0.0.0.0/90'), undefined);
});

test('the two families do not lie in each other', (t) => {
  t.false(isIn('10.1.2.3', '::/0'));
  t.false(isIn('::1', '0.0.0.0/0'));
});

test('what others read otherwise is no network, and what is no address lies in none', (t) => {
  for (const text of [
    '',
    '10.1',
    '0x0a.0.0.1',
    '010.0.0.1',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/8/8',
    'fe80::1%eth0',
    'example.com',
    '1',
  ])
    t.is(parseNetwork(text), undefined, text);
  for (const text of ['', 'localhost', '10.1', '010.0.0.1']) t.false(isIn(text, '0.0.0.0/0'), text);
});
