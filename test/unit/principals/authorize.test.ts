import test from 'ava';
import { AlterError } from '../../../src/errors.ts';
import { authorizePrincipal } from '../../../src/principals/authorize.ts';
import type { Caller } from '../../../src/principals/caller.ts';
import type { GrantRecord } from '../../../src/vault/records.ts';

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

function codeFor(changes: object, callerChanges: object): string {
  const error = authorizationError({ ...grant, ...changes }, { ...caller, ...callerChanges });
  return error?.code ?? 'authorised';
}

function authorizationError(some: GrantRecord, who: Caller): AlterError | undefined {
  try {
    authorizePrincipal(some, who);
    return undefined;
  } catch (error) {
    if (error instanceof AlterError) return error;
    throw error;
  }
}

test('any key of the app may use a system grant of the app', (t) => {
  t.is(codeFor({}, {}), 'authorised');
});

test("another app's key may not, however close its name", (t) => {
  for (const app of ['other', 'Default', 'default ', '']) t.is(codeFor({}, { app }), 'principal_mismatch', app);
});

test('a kind of principal or caller that is not known authorises nothing', (t) => {
  for (const type of ['user', 'group', 'agent', 'System', '']) t.is(codeFor({ principal: { type } }, {}), 'principal_mismatch', type);
  for (const type of ['agent', 'App', '']) t.is(codeFor({}, { type }), 'principal_mismatch', type);
});
