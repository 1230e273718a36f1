import test from 'ava';
import { createHostMatcher } from '../../../src/message/host-pattern.ts';

/** Which of these authorities, `host port`, are on the list. */
function matched(patterns: readonly string[], authorities: readonly string[]): readonly string[] {
  const matcher = createHostMatcher(patterns);
  return authorities.filter((authority) => {
    const [host = '', port] = authority.split(' ');
    return matcher.matches({ host, port: Number(port) });
  });
}

test('a host without a port is meant on every port, with one only there, also when it is listed several times', (t) => {
  const asked = ['a.test 443', 'a.test 8443', 'b.test 443', 'b.test 8443', 'b.test 9443', 'c.test 443', 'c.test 1', 'd.test 443'];
  t.deepEqual(
    matched(['A.test', 'b.test:8443', 'b.test:9443', 'c.test:443', 'c.test'], asked),
    asked.filter((authority) => authority !== 'b.test 443' && authority !== 'd.test 443'),
  );
  t.deepEqual(matched([], asked), []);
});

test('a star stands for any name below, not for the name itself, and takes a port as well', (t) => {
  const asked = ['x.a.test 443', 'y.x.a.test 443', 'a.test 443', 'xa.test 443', 'x.b.test 8443', 'x.b.test 443'];
  t.deepEqual(matched(['*.a.test', '*.b.test:8443'], asked), ['x.a.test 443', 'y.x.a.test 443', 'x.b.test 8443']);
});

test('an IPv6 address stands in brackets', (t) => {
  t.deepEqual(matched(['[::1]:8443', '[2001:db8::1]'], ['::1 8443', '::1 443', '2001:db8::1 443']), ['::1 8443', '2001:db8::1 443']);
});
