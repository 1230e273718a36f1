import test from 'ava';
import { shortOrigin, shortOrigins } from '../../../src/cli/origin-text.ts';

test('the usual scheme and port are left out', (t) => {
  t.is(shortOrigin('https://api.example.com:443'), 'api.example.com');
  t.is(shortOrigin('https://[::1]:443'), '[::1]');
});

test('what is not usual stays', (t) => {
  t.is(shortOrigin('https://api.example.com:8443'), 'https://api.example.com:8443');
  t.is(shortOrigin('http://api.example.com:80'), 'http://api.example.com');
  t.is(shortOrigin('http://api.example.com:443'), 'http://api.example.com:443');
  t.is(shortOrigin('https://api.example.com:80'), 'https://api.example.com:80');
});

test('of many origins two are shown', (t) => {
  const origins = ['a', 'b', 'c', 'd'].map((name) => `https://${name}.test:443`);
  t.is(shortOrigins(origins.slice(0, 2)), 'a.test, b.test');
  t.is(shortOrigins(origins), 'a.test, b.test +2');
});
