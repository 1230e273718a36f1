import { AlterError } from '../errors.ts';
import { formatAuthority } from '../message/authority.ts';
import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { findPlaceholders } from '../message/placeholder.ts';
import { DELEGATION_NEEDED } from '../principals/authorize.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import type { Exchange } from './exchange.ts';
import { findHeld } from './find-held.ts';
import type { HeldGrantSource } from './find-held.ts';
import type { UserSource } from './stage-principal.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';

/** What the grant stage needs. */
export interface GrantStageOptions {
  readonly grants: HeldGrantSource;
  readonly users: UserSource;
  /** Grant id by `host` (port 443) or `host:port`. */
  readonly defaultGrants: Readonly<Record<string, string>>;
  readonly ungranted: 'forward' | 'deny';
  /** `agents.need_delegation`. */
  readonly needDelegation: boolean;
}

/**
 * Which grant the request names (header, then slot, then the default of the host; or by the provider and the user), and what the vault knows
 * of it.
 */
export function grantStage(options: GrantStageOptions): Stage {
  const defaults = new Map(Object.entries(options.defaultGrants));
  return {
    name: 'grant',
    run(exchange) {
      exchange.placeholders = findPlaceholders(exchange.outbound.headers, exchange.outbound.url);
      if (exchange.alter.provider !== undefined) return byProvider(options, exchange, exchange.alter.provider);
      const named = nameGrant(exchange, defaults);
      if (named === undefined) return ungranted(options.ungranted);
      exchange.named = named;
      const resolved = options.grants.resolveGrant(exchange.caller.app, named.id);
      if (resolved instanceof Promise) return resolvedLater(exchange, resolved);
      exchange.resolved = resolved;
      return CONTINUE;
    },
  };
}

function resolvedLater(exchange: Exchange, resolved: Promise<ResolvedGrant>): Promise<StageAnswer> {
  return resolved.then((grant) => {
    exchange.resolved = grant;
    return CONTINUE;
  });
}

/** The grant that the user, or a group of the user, holds for this provider. Delegations are found by their id only. */
function byProvider(options: GrantStageOptions, exchange: Exchange, provider: string): MaybePromise<StageAnswer> {
  const { users, grants, needDelegation } = options;
  const { alter, caller, placeholders } = exchange;
  if (placeholders.length > 0) throw new AlterError('ambiguous_grant');
  if (needDelegation && caller.type === 'agent')
    throw new AlterError('grant_not_found', { rule: 'need_delegation', detail: `${DELEGATION_NEEDED}, which it names by its id` });
  return chain(users.userOf(caller.app, alter.userToken), (user) => {
    exchange.user = user;
    return chain(findHeld(grants, user, provider), (resolved) => {
      exchange.named = { id: resolved.grant.id, by: 'provider' };
      exchange.resolved = resolved;
      return CONTINUE;
    });
  });
}

function nameGrant(exchange: Exchange, defaults: ReadonlyMap<string, string>): Exchange['named'] {
  const id = exchange.alter.grantId ?? exchange.placeholders[0]?.grantId;
  if (id !== undefined) {
    for (const { grantId } of exchange.placeholders) if (grantId !== id) throw new AlterError('ambiguous_grant');
    return { id, by: exchange.alter.grantId === undefined ? 'slot' : 'header' };
  }
  if (defaults.size === 0) return undefined;
  const { origin } = exchange.request;
  const byDefault = defaults.get(formatAuthority(origin)) ?? (origin.port === 443 ? defaults.get(origin.host) : undefined);
  return byDefault === undefined ? undefined : { id: byDefault, by: 'default' };
}

function ungranted(mode: 'forward' | 'deny'): StageAnswer {
  if (mode === 'forward') return CONTINUE;
  return reject(new AlterError('policy_violation', { rule: 'ungranted', detail: 'the request names no grant' }));
}
