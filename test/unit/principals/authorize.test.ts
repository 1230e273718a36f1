import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { authorizePrincipal, needsUser } from '../../../src/principals/authorize.ts';
import type { VerifiedUser } from '../../../src/principals/user.ts';
import type { Caller } from '../../../src/principals/caller.ts';
import type { GrantPrincipal, GrantRecord } from '../../../src/vault/records.ts';

const grant: GrantRecord = {
  v: 1,
  id: '11111111-1111-4111-8111-111111111111',
  app: 'default',
  secretId: `ms_${'0'.repeat(26)}`,
  label: 'x',
  principal: { type: 'system' },
  policy: [],
  status: 'active',
  createdAt: 0,
  updatedAt: 0,
};
const caller: Caller = { app: 'default', type: 'app', keyId: 'config' };
const alice: VerifiedUser = { app: 'default', idp: 'corp', subject: 'alice', groups: new Set(['sales', 'emea']) };

function codeFor(changes: object, callerChanges: object, user?: VerifiedUser): string {
  try {
    authorizePrincipal({ ...grant, ...changes }, { ...caller, ...callerChanges }, user);
    return 'authorised';
  } catch (error) {
    if (error instanceof AlterError) return error.code;
    throw error;
  }
}

test('any key of the app may use a system grant of the app, and no key of an agent', (t) => {
  t.is(codeFor({}, {}), 'authorised');
  t.is(codeFor({}, { type: 'agent', agent: 'reporter' }), 'principal_mismatch');
});

test("another app's key may not, however close its name", (t) => {
  for (const app of ['other', 'Default', 'default ', '']) t.is(codeFor({}, { app }), 'principal_mismatch', app);
});

test('a user grant is for one subject of one identity provider of the app', (t) => {
  const principal: GrantPrincipal = { type: 'user', idp: 'corp', subject: 'alice' };
  t.is(codeFor({ principal }, {}, alice), 'authorised');
  t.is(codeFor({ principal }, { type: 'agent', agent: 'reporter' }, alice), 'authorised');
  t.is(codeFor({ principal }, {}), 'principal_mismatch');
  const others: Partial<VerifiedUser>[] = [
    { subject: 'Alice' },
    { subject: 'alice ' },
    { subject: 'bob' },
    { idp: 'corp2' },
    { app: 'other' },
  ];
  for (const other of others) t.is(codeFor({ principal }, {}, { ...alice, ...other }), 'principal_mismatch', JSON.stringify(other));
});

test('a group grant is for whoever is a member now', (t) => {
  const principal: GrantPrincipal = { type: 'group', idp: 'corp', group: 'sales' };
  t.is(codeFor({ principal }, {}, alice), 'authorised');
  t.is(codeFor({ principal }, {}), 'principal_mismatch');
  for (const groups of [[], ['sale'], ['Sales'], ['sales '], ['emea']]) {
    t.is(codeFor({ principal }, {}, { ...alice, groups: new Set(groups) }), 'principal_mismatch', groups.join());
  }
  t.is(codeFor({ principal }, {}, { ...alice, idp: 'other' }), 'principal_mismatch');
  t.is(codeFor({ principal: { ...principal, group: 'alice' } }, {}, alice), 'principal_mismatch');
});

test('an agent grant is for the key of that agent', (t) => {
  const principal: GrantPrincipal = { type: 'agent', agent: 'reporter' };
  t.is(codeFor({ principal }, { type: 'agent', agent: 'reporter' }), 'authorised');
  t.is(codeFor({ principal }, { type: 'agent', agent: 'reporter2' }), 'principal_mismatch');
  t.is(codeFor({ principal }, { type: 'agent' }), 'principal_mismatch');
  t.is(codeFor({ principal }, {}), 'principal_mismatch');
  t.is(codeFor({ principal }, { agent: 'reporter' }), 'principal_mismatch');
  t.is(codeFor({ principal }, { app: 'other', type: 'agent', agent: 'reporter' }), 'principal_mismatch');
});

test('a kind of principal or caller that is not known authorises nothing', (t) => {
  for (const type of ['User', 'robot', 'System', '']) t.is(codeFor({ principal: { type } }, {}, alice), 'principal_mismatch', type);
  for (const type of ['App', 'user', '']) t.is(codeFor({}, { type }), 'principal_mismatch', type);
});

test('only grants of users and groups ask who stands behind the request', (t) => {
  t.true(needsUser({ type: 'user', idp: 'corp', subject: 'alice' }));
  t.true(needsUser({ type: 'group', idp: 'corp', group: 'sales' }));
  t.false(needsUser({ type: 'system' }));
  t.false(needsUser({ type: 'agent', agent: 'reporter' }));
});
