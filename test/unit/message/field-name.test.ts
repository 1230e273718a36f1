import test from 'ava';
import { fieldName } from '../../../src/message/field-name.ts';

test('a name is described once for each spelling', (t) => {
  t.deepEqual(fieldName('X_Api-Key'), { isToken: true, lower: 'x_api-key', folded: 'x-api-key', ofProxy: false });
  t.is(fieldName('X_Api-Key'), fieldName('X_Api-Key'));
  t.false(fieldName('a b').isToken);
  t.false(fieldName('').isToken);
});

test('the fields of the proxy are known by their prefix', (t) => {
  for (const name of ['x-alter-grant', 'X_Alter_Grant', 'Proxy-Authorization', 'proxy_status']) t.true(fieldName(name).ofProxy, name);
  for (const name of ['x-alter', 'x-alternate', 'proxy', 'x-proxy-y']) t.false(fieldName(name).ofProxy, name);
});

test('names without end are described as well, and not kept', (t) => {
  const long = 'A'.repeat(1000);
  t.is(fieldName(long).lower, 'a'.repeat(1000));
  t.not(fieldName(long), fieldName(long));
  for (let i = 0; i < 10_000; i += 1) t.is(fieldName(`X-Invented-${String(i)}`).lower, `x-invented-${String(i)}`);
});
