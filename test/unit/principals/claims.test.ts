import test from 'ava';
import { claimAt, groupsAt } from '../../../src/principals/claims.ts';

const CLAIMS = {
  sub: 'alice',
  realm_access: { roles: ['admin', 'user'], deep: { er: 'x' } },
  'https://example.com/groups': ['a', 'b'],
  'a.b': 'whole',
  a: { b: 'nested' },
  list: [{ name: 'x' }],
};

test('a claim is found by its name or along its path', (t) => {
  t.is(claimAt(CLAIMS, 'sub'), 'alice');
  t.is(claimAt(CLAIMS, 'realm_access.deep.er'), 'x');
  t.deepEqual(claimAt(CLAIMS, 'https://example.com/groups'), ['a', 'b']);
  t.is(claimAt(CLAIMS, 'a.b'), 'whole');
});

test('what is not there is not found in what every object has, nor in arrays and texts', (t) => {
  for (const path of [
    'none',
    'realm_access.none',
    'sub.length',
    'list.0',
    'list.length',
    'constructor',
    '__proto__',
    'realm_access.toString',
  ]) {
    t.is(claimAt(CLAIMS, path), undefined, path);
  }
});

test('groups are the texts of an array, or one text as a whole', (t) => {
  const groups = (groups: unknown): string[] => [...groupsAt({ groups }, 'groups')];
  t.deepEqual(groups(['sales', 'emea', 'sales']), ['sales', 'emea']);
  t.deepEqual(groups('Domain Admins'), ['Domain Admins']);
  t.deepEqual(groups('CN=sales,OU=emea'), ['CN=sales,OU=emea']);
  t.deepEqual(groups(['ok', 7, null, '', ['nested'], { name: 'x' }]), ['ok']);
  for (const none of [undefined, null, 7, {}, [], '']) t.deepEqual(groups(none), []);
});
