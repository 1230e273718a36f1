import { AlterError } from '../errors.ts';
import type { GrantRecord } from '../vault/records.ts';
import type { Caller } from './caller.ts';

/** Throws `principal_mismatch` unless `caller` is the principal of `grant`. A kind of principal that is not known here never authorises. */
export function authorizePrincipal(grant: GrantRecord, caller: Caller): void {
  const principalType: string = grant.principal.type;
  const callerType: string = caller.type;
  if (principalType === 'system' && callerType === 'app' && caller.app === grant.app) return;
  throw new AlterError('principal_mismatch');
}
