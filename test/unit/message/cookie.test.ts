import test from 'ava';
import { cookieNames } from '../../../src/message/cookie.ts';

for (const [pair, names] of [
  ['session=1', ['session']],
  [' Session =1', ['session']],
  ['%73ession=1', ['session']],
  ['"session"=1', ['session']],
  ['my.session=1', ['my_session']],
  ['my session=1', ['my_session']],
  ['my[session=1', ['my_session']],
  ['session', ['session']],
  ['a=1,session=2', ['a', 'session']],
  ['sessions=1', ['sessions']],
  ['a=session', ['a']],
  ['', ['']],
] as const) {
  test(`${JSON.stringify(pair)} may be read as ${names.join(' and ')}`, (t) => {
    t.deepEqual(cookieNames(pair), [...names]);
  });
}
