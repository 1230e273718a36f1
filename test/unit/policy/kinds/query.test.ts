import test from 'ava';
import { verdict } from '../../../support/policy-facts.ts';

const judge = (rule: object, query: string | undefined) => verdict({ kind: 'query', ...rule }, { query });

test('only the allowed parameters', (t) => {
  const rule = { allow: ['page', 'limit'] };
  for (const query of [undefined, '', 'page=1', 'limit=5&page=2', 'page', 'page=1&page=2', '&&page=1', 'p%61ge=1'])
    t.is(judge(rule, query), 'allow', query);
  for (const query of ['pages=1', 'page=1&admin=1', 'Page=1', 'page[]=1', 'page=1;admin=1', '=1', 'page%20=1'])
    t.is(judge(rule, query), 'deny', query);
  t.is(judge({ allow: [] }, 'a=1'), 'deny');
  t.is(judge({ allow: [] }, ''), 'allow');
});

test('parameters that must be there', (t) => {
  t.is(judge({ require: ['tenant'] }, 'tenant='), 'allow');
  t.is(judge({ require: ['tenant'] }, 'x=tenant'), 'deny');
  t.is(judge({ require: ['tenant'] }, undefined), 'deny');
});

test('parameters that must not, however they are encoded or separated', (t) => {
  for (const query of ['debug', 'debug=0', 'a=1&debug=1', 'a=1;debug=1', '%64ebug=1', 'deb%75g'])
    t.is(judge({ forbid: ['debug'] }, query), 'deny', query);
  for (const query of [undefined, 'debugger=1', 'a=debug', 'a=1%26debug=1']) t.is(judge({ forbid: ['debug'] }, query), 'allow', query);
});

test('values, each time the parameter occurs', (t) => {
  const rule = { values: { model: ['small', 'a b'] } };
  for (const query of ['model=small', 'model=a+b', 'model=a%20b', 'other=large', undefined]) t.is(judge(rule, query), 'allow', query);
  for (const query of ['model=large', 'model=small&model=large', 'model=', 'model', 'model=Small', 'model=small%00'])
    t.is(judge(rule, query), 'deny', query);
});
