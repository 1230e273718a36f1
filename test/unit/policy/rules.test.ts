import test from 'ava';
import { parseRule } from '../../../src/policy/rules.ts';

test('a methods rule is read', (t) => {
  t.deepEqual(parseRule({ kind: 'methods', allow: ['GET', 'M-SEARCH'] }), { kind: 'methods', allow: ['GET', 'M-SEARCH'] });
  t.deepEqual(parseRule({ kind: 'methods', allow: [] }), { kind: 'methods', allow: [] });
});

for (const text of [
  'null',
  '[]',
  '"methods"',
  '{"kind":"Methods","allow":["GET"]}',
  '{"kind":"methods","allow":["get"]}',
  '{"kind":"methods","allow":["GET "]}',
  '{"kind":"methods","allow":[""]}',
  '{"kind":"methods","allow":["GET"],"deny":["POST"]}',
]) {
  test(`${text} is no rule of this version`, (t) => {
    t.is(parseRule(JSON.parse(text)), undefined);
  });
}
