import test from 'ava';
import { HeaderList } from '../../../../src/message/header-list.ts';
import { verdict } from '../../../support/policy-facts.ts';

const GET = { kind: 'methods', allow: ['GET', 'HEAD'] };

test('a method on the list passes, any other does not', (t) => {
  t.is(verdict(GET), 'allow');
  t.is(verdict(GET, { method: 'HEAD' }), 'allow');
  for (const method of ['POST', 'get', 'GETS', 'GE', '']) t.is(verdict(GET, { method }), 'deny', method);
});

test('an empty list allows no method', (t) => {
  t.is(verdict({ kind: 'methods', allow: [] }), 'deny');
});

test('a request that asks to be taken for another method is refused, whatever it asks for', (t) => {
  for (const name of ['X-HTTP-Method-Override', 'x-http-method', 'X-METHOD-OVERRIDE', 'X_HTTP_Method_Override', 'x-http_method']) {
    t.is(verdict(GET, { headers: new HeaderList([name, 'DELETE']) }), 'deny', name);
    t.is(verdict(GET, { headers: new HeaderList([name, 'GET']) }), 'deny', name);
  }
  t.is(verdict(GET, { headers: new HeaderList(['X-HTTP-Methods', 'DELETE', 'X-Method', 'DELETE']) }), 'allow');
});

test('so is one whose query has _method, however it is spelled', (t) => {
  for (const query of [
    '_method=DELETE',
    'a=1&_method=DELETE',
    'a=1;_method=PUT',
    '%5Fmethod=DELETE',
    '_%6Dethod=x',
    '_METHOD=x',
    '_method',
  ])
    t.is(verdict(GET, { query }), 'deny', query);
  for (const query of ['', 'method=DELETE', 'a=_method', 'x_method=DELETE', '_methods=1', 'a=%5Fmethod'])
    t.is(verdict(GET, { query }), 'allow', query);
});
