import type { HeaderList } from '../../message/header-list.ts';
import type { MaybePromise } from '../../message/maybe-promise.ts';
import type { Secret } from '../../secret/reveal.ts';

/** What is sent to a token endpoint. It holds secrets: it goes nowhere else. */
export interface TokenRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  readonly body?: string;
}

/** What a token endpoint answered. */
export interface TokenAnswer {
  readonly status: number;
  readonly headers: Pick<HeaderList, 'get'>;
  readonly body: string;
}

/**
 * Asks a token endpoint, over verified TLS and where the proxy may connect to. Rejects with AlterError when there is no whole answer of at
 * most `maxBytes` after `timeoutMs`, and for a redirect.
 */
export type TokenExchange = (
  request: TokenRequest,
  limits: { readonly timeoutMs: number; readonly maxBytes: number },
) => Promise<TokenAnswer>;

/** A short-lived credential, as an endpoint gave it. */
export interface DerivedToken {
  /** By the name under which inject rules know it. */
  readonly values: Readonly<Record<string, Secret>>;
  /** How long it is good from when it was given; undefined when the endpoint did not say. */
  readonly lifeMs: number | undefined;
}

/** How the answers of an endpoint renew what is stored. */
export interface Renewing {
  /** The field that a new refresh token replaces. */
  readonly field: string;
  /**
   * The new refresh token; undefined: the one before stays good. It says nothing of the token beside it: whatever is wrong with that one, the
   * refresh token before may have ended. Throws AlterError `credential_unavailable` for an answer without success.
   */
  readonly read: (answer: TokenAnswer) => Secret | undefined;
}

/** How one secret gets its tokens: functions of values. */
export interface TokenMaker {
  /** The host of the endpoint, for messages. */
  readonly endpoint: string;
  /** Undefined when nothing that is stored changes. */
  readonly renews: Renewing | undefined;
  /** `at`: milliseconds since the epoch. `refreshToken`: with `renews` only, as it stands in the record now. */
  readonly request: (at: number, refreshToken: Secret | undefined) => MaybePromise<TokenRequest>;
  /** Throws AlterError `credential_unavailable` for an answer that gives no token that can be used. */
  readonly read: (answer: TokenAnswer, at: number) => DerivedToken;
  /** Whether an answer of the provider says that the token is not good any more. */
  readonly refuses: (head: { readonly status: number; readonly headers: Pick<HeaderList, 'get'> }) => boolean;
  /** Where an answer of the endpoint, which came at `at`, shows how the request should have been: the better one. */
  readonly corrected?: (answer: TokenAnswer, at: number) => TokenRequest | undefined;
}
