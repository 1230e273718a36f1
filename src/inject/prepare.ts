import { isDeepStrictEqual } from 'node:util';
import { LRUCache } from 'lru-cache';
import type { AlterError } from '../errors.ts';
import type { ProviderTemplate } from '../providers/template.ts';
import type { Secret } from '../secret/reveal.ts';
import { DerivedInjection, outlineOf } from './derived/derived-injection.ts';
import { unavailable } from './derived/failure.ts';
import { tokenMaker } from './derived/makers.ts';
import type { Renew } from './derived/token-source.ts';
import type { TokenExchange } from './derived/token.ts';
import type { PreparedInjection } from './injector.ts';
import { prepareInjection } from './registry.ts';
import { ProviderClock } from './sigv4/clock.ts';

/** The secret to which values belong. */
export interface CredentialOwner {
  readonly app: string;
  /** Id of the secret. */
  readonly id: string;
  /** Is another one after each change by an operator, and the same after a refresh token was renewed. */
  readonly lineage: string;
}

/** Compiles the injection of one secret. Throws `record_invalid` when the values do not fit the provider. */
export type Prepare = (template: ProviderTemplate, fields: Readonly<Record<string, Secret>>, owner?: CredentialOwner) => PreparedInjection;

/** What the derived credentials of a proxy need. */
export interface DerivationOptions {
  readonly exchange: TokenExchange;
  /** Does work with the refresh token of a secret, alone among all proxies, and stores the new one. */
  readonly renew: (owner: CredentialOwner, field: string, ...work: Parameters<Renew>) => ReturnType<Renew>;
  /** Is told why a token could not be had. */
  readonly failed: (owner: CredentialOwner, error: AlterError) => void;
  readonly maxEntries: number;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
  readonly random?: () => number;
}

/**
 * For whoever only checks that values fit their provider: nothing is asked of a token endpoint, and the injection of a derived credential
 * injects nothing.
 */
export const prepareOffline: Prepare = (template, fields) => {
  if (template.derive === undefined) return prepareInjection(template, fields);
  tokenMaker(template, fields, new ProviderClock(Date.now));
  const { writes } = outlineOf(template, fields);
  return {
    writes,
    scrub: () => undefined,
    apply: () => {
      throw unavailable('not_exchanged', 'no token is asked for here');
    },
  };
};

interface Known {
  readonly lineage: string;
  readonly template: ProviderTemplate;
  readonly injection: DerivedInjection;
}

/** {@link Prepare} for a proxy: the tokens of one secret are kept for as long as no operator changes it or its provider. */
export function prepareOnline(options: DerivationOptions): Prepare {
  const { exchange, renew, failed, now = Date.now, random = Math.random } = options;
  const known = new LRUCache<string, Known>({ max: Math.max(1, options.maxEntries) });
  return (template, fields, owner) => {
    if (template.derive === undefined) return prepareInjection(template, fields);
    if (owner === undefined) return prepareOffline(template, fields);
    const key = `${owner.app}:${owner.id}`;
    const before = known.get(key);
    if (before?.lineage === owner.lineage && isDeepStrictEqual(before.template, template)) {
      before.injection.update(fields);
      return before.injection;
    }
    const clock = new ProviderClock(now);
    const maker = tokenMaker(template, fields, clock);
    const injection = new DerivedInjection(template, fields, {
      maker,
      clock,
      exchange,
      renew: (work) => renew(owner, maker.renews?.field ?? '', work),
      now,
      random,
      failed: (error) => {
        failed(owner, error);
      },
    });
    known.set(key, { lineage: owner.lineage, template, injection });
    return injection;
  };
}
