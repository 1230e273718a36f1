import test from 'ava';
import { addressesOverlap, covers, hostText, isLoopback, readHost, type HostEntry } from '../../../src/config/hosts.ts';

const entry = (text: string): HostEntry => {
  const read = readHost(text, true);
  if ('wrong' in read) throw new Error(read.wrong);
  return read;
};

test('a pattern speaks of its own hosts only', (t) => {
  const hits: readonly (readonly [string, string, number])[] = [
    ['example.com', 'example.com', 443],
    ['example.com', 'example.com', 8443],
    ['example.com:8443', 'example.com', 8443],
    ['*.example.com', 'a.example.com', 443],
    ['*.example.com', 'a.b.example.com', 443],
    ['[::1]:8443', '::1', 8443],
    ['::1', '::1', 1],
  ];
  for (const [pattern, host, port] of hits) t.true(covers(entry(pattern), host, port), `${pattern} ${host}:${port}`);
  const misses: readonly (readonly [string, string, number])[] = [
    ['example.com', 'evilexample.com', 443],
    ['example.com', 'example.com.evil.test', 443],
    ['example.com:8443', 'example.com', 443],
    ['*.example.com', 'example.com', 443],
    ['*.example.com', 'evilexample.com', 443],
    ['*.example.com:8443', 'a.example.com', 443],
  ];
  for (const [pattern, host, port] of misses) t.false(covers(entry(pattern), host, port), `${pattern} ${host}:${port}`);
});

test('entries in one spelling', (t) => {
  t.is(hostText(entry('*.Example.COM:8443'), true), '*.example.com:8443');
  t.is(hostText(entry('[::1]'), true), '[::1]');
  t.is(hostText(entry('0::1'), false), '::1');
  t.is(hostText(entry('[::1]:8443'), false), '[::1]:8443');
});

test('loopback is what only this machine reaches', (t) => {
  for (const host of ['127.0.0.1', '127.255.255.254', '::1', 'localhost']) t.true(isLoopback(host), host);
  for (const host of ['126.255.255.255', '128.0.0.1', '0.0.0.0', '::', '::2', 'localhost.test', 'mylocalhost', 'fe80::1%lo'])
    t.false(isLoopback(host), host);
});

test('addresses that get in each other’s way', (t) => {
  const overlapping: readonly (readonly [string, string])[] = [
    ['127.0.0.1', '127.0.0.1'],
    ['0.0.0.0', '127.0.0.1'],
    ['192.0.2.1', '::'],
    ['localhost', '127.0.0.1'],
    ['::1', 'localhost'],
  ];
  for (const [a, b] of overlapping) t.true(addressesOverlap(a, b), `${a} ${b}`);
  for (const [a, b] of [
    ['127.0.0.1', '127.0.0.2'],
    ['127.0.0.1', '192.0.2.1'],
    ['localhost', '192.0.2.1'],
  ] as const)
    t.false(addressesOverlap(a, b), `${a} ${b}`);
});
