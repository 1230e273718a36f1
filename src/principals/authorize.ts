import { AlterError } from '../errors.ts';
import type { GrantPrincipal, GrantRecord } from '../vault/records.ts';
import type { Caller } from './caller.ts';
import type { VerifiedUser } from './user.ts';

/** Whether a grant for this principal asks who stands behind the request. */
export function needsUser(principal: GrantPrincipal): boolean {
  return principal.type === 'user' || principal.type === 'group';
}

/** What an agent is told that would use the grant of a user or a group itself, where `agents.need_delegation` forbids it. */
export const DELEGATION_NEEDED = 'agents.need_delegation is on: an agent uses the grants of users and groups only by a delegation to it';

/**
 * Throws `principal_mismatch` unless the caller, with the user who stands behind the request, is the principal of `grant`. A kind of
 * principal that is not known here never authorises.
 */
export function authorizePrincipal(grant: Pick<GrantRecord, 'app' | 'principal'>, caller: Caller, user?: VerifiedUser): void {
  if (caller.app === grant.app && isPrincipal(grant.principal, caller, user?.app === grant.app ? user : undefined)) return;
  throw new AlterError('principal_mismatch');
}

function isPrincipal(principal: GrantPrincipal, caller: Caller, user: VerifiedUser | undefined): boolean {
  switch (principal.type) {
    case 'system':
      return caller.type === 'app';
    case 'user':
      return user?.idp === principal.idp && user.subject === principal.subject;
    case 'group':
      return user?.idp === principal.idp && user.groups.has(principal.group);
    case 'agent':
      return caller.type === 'agent' && caller.agent === principal.agent;
    default:
      return unknownKind(principal);
  }
}

/** A record of a newer version may hold what the types of this one exclude. */
function unknownKind(_principal: never): false {
  return false;
}
