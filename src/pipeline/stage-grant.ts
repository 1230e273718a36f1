import { AlterError } from '../errors.ts';
import { formatAuthority } from '../message/authority.ts';
import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { findPlaceholders } from '../message/placeholder.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import type { Exchange } from './exchange.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';

/** Finds grants. Throws or rejects with AlterError when there is none that may be used. */
export interface GrantSource {
  resolveGrant(app: string, id: string): MaybePromise<ResolvedGrant>;
}

/** What the grant stage needs. */
export interface GrantStageOptions {
  readonly grants: GrantSource;
  /** Grant id by `host` (port 443) or `host:port`. */
  readonly defaultGrants: Readonly<Record<string, string>>;
  readonly ungranted: 'forward' | 'deny';
}

/** Which grant the request names (header, then slot, then the default of the host), and what the vault knows of it. */
export function grantStage(options: GrantStageOptions): Stage {
  const defaults = new Map(Object.entries(options.defaultGrants));
  return {
    name: 'grant',
    run(exchange) {
      exchange.placeholders = findPlaceholders(exchange.outbound.headers, exchange.outbound.url);
      const named = nameGrant(exchange, defaults);
      if (named === undefined) return ungranted(options.ungranted);
      exchange.named = named;
      return chain(options.grants.resolveGrant(exchange.caller.app, named.id), (resolved) => {
        exchange.resolved = resolved;
        return CONTINUE;
      });
    },
  };
}

function nameGrant(exchange: Exchange, defaults: ReadonlyMap<string, string>): Exchange['named'] {
  const id = exchange.alter.grantId ?? exchange.placeholders[0]?.grantId;
  if (id !== undefined) {
    if (exchange.placeholders.some(({ grantId }) => grantId !== id)) throw new AlterError('ambiguous_grant');
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
