import test from 'ava';
import { decodeComponent, parameterName } from '../../../src/message/query.ts';

test('a component is decoded as forms are', (t) => {
  t.is(decodeComponent('a+b%20c'), 'a b c');
  t.is(decodeComponent('%C3%BC'), 'ü');
  t.is(decodeComponent('plain'), 'plain');
});

test('what does not decode stays', (t) => {
  t.is(decodeComponent('100%'), '100%');
  t.is(decodeComponent('%zz%41'), '%zzA');
});

test('the name ends at the first equals sign', (t) => {
  t.is(parameterName('a=b=c'), 'a');
  t.is(parameterName('%61%3D=b'), 'a=');
  t.is(parameterName('flag'), 'flag');
  t.is(parameterName('=b'), '');
});
