import test from 'ava';
import { nearest } from '../../../src/config/nearest.ts';

const KNOWN = ['host', 'port', 'require_key', 'max_connections', 'max_header_bytes'];

test('a slip of the hand finds what was meant', (t) => {
  const slips: readonly (readonly [string, string])[] = [
    ['prot', 'port'],
    ['hosts', 'host'],
    ['PORT', 'port'],
    ['requirekey', 'require_key'],
    ['require-key', 'require_key'],
    ['max_conections', 'max_connections'],
    ['max_headers_bytes', 'max_header_bytes'],
  ];
  for (const [word, meant] of slips) t.is(nearest(word, KNOWN), meant, word);
});

test('another word finds nothing', (t) => {
  for (const word of ['', 'x', 'tls', 'timeout', 'proxy', 'a'.repeat(1000)]) t.is(nearest(word, KNOWN), undefined, word);
  t.is(nearest('port', []), undefined);
});
