import { AlterError } from '../errors.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { authorizePrincipal, DELEGATION_NEEDED, needsUser } from '../principals/authorize.ts';
import type { VerifiedUser } from '../principals/user.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import type { Exchange } from './exchange.ts';
import { CONTINUE } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';

/** Says whom a user token speaks for. Throws or rejects with AlterError when it speaks for nobody. */
export interface UserSource {
  userOf(app: string, token: string | undefined): MaybePromise<VerifiedUser>;
}

/** What the principal stage needs. */
export interface PrincipalStageOptions {
  readonly users: UserSource;
  /** `agents.need_delegation`. */
  readonly needDelegation: boolean;
}

/**
 * Whether the caller, with the user who stands behind the request, is the principal of the grant. Of a delegation both must hold: the caller
 * is its agent, and the user is still the one, or still in the group, whose grant was passed on. With `needDelegation` no token opens an agent
 * what was not delegated to it.
 */
export function principalStage({ users, needDelegation }: PrincipalStageOptions): Stage {
  const requireDelegation = ({ caller }: Exchange, { grant, source }: ResolvedGrant): void => {
    if (!needDelegation || caller.type !== 'agent' || source !== undefined || !needsUser(grant.principal)) return;
    throw new AlterError('principal_mismatch', { rule: 'need_delegation', detail: DELEGATION_NEEDED });
  };
  return {
    name: 'principal',
    run(exchange) {
      const { resolved, caller, alter } = exchange;
      if (resolved === undefined) return CONTINUE;
      const { grant, source } = resolved;
      requireDelegation(exchange, resolved);
      if (exchange.user !== undefined || !needsUser((source ?? grant).principal)) return authorize(exchange, resolved);
      // An agent that is another one needs no token looked at.
      if (source !== undefined) authorizePrincipal(grant, caller);
      const user = users.userOf(caller.app, alter.userToken);
      return user instanceof Promise ? user.then((who) => withUser(exchange, resolved, who)) : withUser(exchange, resolved, user);
    },
    // A token speaks for its user at the time of the call; what it said then holds to the end of the exchange.
    stands(exchange) {
      if (exchange.resolved === undefined) return CONTINUE;
      requireDelegation(exchange, exchange.resolved);
      return authorize(exchange, exchange.resolved);
    },
  };
}

function withUser(exchange: Exchange, resolved: ResolvedGrant, user: VerifiedUser): StageAnswer {
  exchange.user = user;
  return authorize(exchange, resolved);
}

function authorize({ caller, user }: Exchange, { grant, source }: ResolvedGrant): StageAnswer {
  authorizePrincipal(grant, caller, user);
  if (source !== undefined) authorizePrincipal(source, caller, user);
  return CONTINUE;
}
