import test from 'ava';
import { verdict } from '../../../support/policy-facts.ts';

const allows = (rule: object, clientAddress: string) => verdict({ kind: 'ip', ...rule }, { clientAddress });

test('IPv4 networks, at their edges', (t) => {
  const rule = { allow: ['10.1.0.0/16', '192.0.2.7'] };
  for (const address of ['10.1.0.0', '10.1.255.255', '192.0.2.7']) t.is(allows(rule, address), 'allow', address);
  for (const address of ['10.0.255.255', '10.2.0.0', '192.0.2.8', '::1']) t.is(allows(rule, address), 'deny', address);
});

test('IPv6 networks, at their edges, in any spelling', (t) => {
  const rule = { allow: ['2001:db8:1::/48'] };
  for (const address of ['2001:db8:1::', '2001:DB8:1:ffff:ffff:ffff:ffff:ffff', '2001:0db8:0001:0:0:0:0:1'])
    t.is(allows(rule, address), 'allow');
  for (const address of ['2001:db8:2::', '2001:db8::1', '10.0.0.1']) t.is(allows(rule, address), 'deny', address);
});

test('IPv4 in IPv6 is IPv4, in the rule and in the address', (t) => {
  t.is(allows({ allow: ['10.0.0.0/8'] }, '::ffff:10.1.2.3'), 'allow');
  t.is(allows({ allow: ['::ffff:10.0.0.0/104'] }, '10.1.2.3'), 'allow');
  t.is(allows({ deny: ['10.0.0.0/8'] }, '::ffff:10.1.2.3'), 'deny');
  t.is(allows({ allow: ['::ffff:10.0.0.0/104'] }, '11.0.0.1'), 'deny');
});

test('deny wins over allow, and alone lets all others pass', (t) => {
  const rule = { allow: ['10.0.0.0/8'], deny: ['10.6.6.6'] };
  t.is(allows(rule, '10.6.6.7'), 'allow');
  t.is(allows(rule, '10.6.6.6'), 'deny');
  t.is(allows({ deny: ['10.6.6.6'] }, '192.0.2.1'), 'allow');
  t.is(allows({ allow: [] }, '10.0.0.1'), 'deny');
});

test('what is no address never passes, not even a deny list', (t) => {
  for (const address of ['', 'unknown', 'localhost', '10.1', '10.0.0.0/8', '1.2.3.4.5', '0x0a000001']) {
    t.is(allows({ allow: ['0.0.0.0/0', '::/0'] }, address), 'deny', address);
    t.is(allows({ deny: ['10.6.6.6'] }, address), 'deny', address);
  }
});
