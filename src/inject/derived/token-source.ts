import { AlterError } from '../../errors.ts';
import type { MaybePromise } from '../../message/maybe-promise.ts';
import type { Secret } from '../../secret/reveal.ts';
import type { PreparedInjection } from '../injector.ts';
import { asUnavailable, unavailable } from './failure.ts';
import { isRefusal } from './oauth2-answer.ts';
import type { DerivedToken, TokenAnswer, TokenExchange, TokenMaker } from './token.ts';

/** Bounds of one exchange with a token endpoint. */
const LIMITS = { timeoutMs: 10_000, maxBytes: 64 * 1024 };
/** For endpoints that do not say how long a token lasts. */
const UNSAID_LIFE_MS = 10 * 60_000;
/** Whatever an endpoint says, a token is renewed after a day. */
const MAX_LIFE_MS = 24 * 3_600_000;
/** So long before its end a token is used no more: the request has to arrive, too. */
const MARGIN_MS = 60_000;
const BACK_OFF_MIN_MS = 1000;
/** An endpoint that has refused for good is left alone for longer. */
const BACK_OFF_REFUSED_MS = 5000;
const BACK_OFF_MAX_MS = 60_000;
const MAX_WAITING = 1000;
/** Answers of requests that left with the token before may come in for so long after it was replaced. */
const STRAGGLERS_MS = 2000;
const FORCED_MIN_MS = 5000;
const FORCED_MAX_MS = 5 * 60_000;
/** Tokens that were replaced and are still looked for in answers. */
const MAX_FORMER = 8;

/** Does `work` with the refresh token as it stands in the record now, alone among all proxies, and stores what it resolves with. */
export type Renew = (work: (current: Secret) => Promise<Secret | undefined>) => Promise<void>;

/** What a {@link TokenSource} is made from. */
export interface TokenSourceOptions {
  readonly maker: TokenMaker;
  readonly exchange: TokenExchange;
  /** Fills the inject rules with the values of a token. */
  readonly prepare: (token: DerivedToken['values']) => PreparedInjection;
  /** For a maker that renews. */
  readonly renew: Renew;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** 0 to 1, so that many proxies do not ask at the same moment. */
  readonly random: () => number;
  /** Is told why a token could not be had. */
  readonly failed: (error: AlterError) => void;
}

/** A token in use. */
interface Held {
  readonly injection: PreparedInjection;
  /** When it was asked for. */
  readonly obtainedAt: number;
  /** When requests began to leave with it. */
  readonly usedFrom: number;
  /** From here on the next request has it renewed in the background. */
  readonly refreshAt: number;
  /** From here on it is used no more. */
  readonly usableUntil: number;
  /** Its real end: until then an answer may repeat it. */
  readonly endsAt: number;
}

interface Asked {
  readonly answer: TokenAnswer;
  readonly at: number;
}

interface Failure {
  readonly error: AlterError;
  readonly count: number;
  readonly until: number;
}

/** The tokens of one secret: got when the first request needs one, shared by all, renewed ahead of their end by the traffic itself. */
export class TokenSource {
  readonly #options: TokenSourceOptions;
  #held: Held | undefined;
  #former: readonly Held[] = [];
  #pending: Promise<Held> | undefined;
  #waiting = 0;
  #failure: Failure | undefined;
  #forcedAt = -Infinity;
  #forcedPauseMs = FORCED_MIN_MS;

  constructor(options: TokenSourceOptions) {
    this.#options = options;
  }

  /** The injection of a token that can be used now. Throws or rejects with AlterError `credential_unavailable`. */
  current(): MaybePromise<PreparedInjection> {
    const now = this.#options.now();
    const held = this.#held;
    // A clock that was put back says nothing about the age of a token.
    if (held === undefined || now >= held.usableUntil || now < held.obtainedAt) return this.#wait(now);
    if (now >= held.refreshAt && this.#pending === undefined && !this.#backsOff(now)) this.#obtain().catch(() => undefined);
    return held.injection;
  }

  /** The injections of tokens that a provider may still take, the newest first. */
  inUse(): readonly PreparedInjection[] {
    const now = this.#options.now();
    const held = this.#held === undefined ? [] : [this.#held];
    return [...held, ...this.#former.filter(({ endsAt }) => now < endsAt)].map(({ injection }) => injection);
  }

  /** The provider has refused a request with a token, at `at`. True: there is a newer one now than that request had. */
  async replaced(at: number): Promise<boolean> {
    const now = this.#options.now();
    if (this.#pending === undefined) {
      const age = at - (this.#held?.usedFrom ?? -Infinity);
      const afterForced = this.#forcedAt > -Infinity && this.#held !== undefined && this.#held.obtainedAt >= this.#forcedAt;
      if (afterForced && age < STRAGGLERS_MS) return true;
      if (now - this.#forcedAt < this.#forcedPauseMs || age < STRAGGLERS_MS || this.#backsOff(now)) return false;
      // A provider that answers 401 to good tokens, too, must not make the proxy ask without end.
      if (this.#forcedAt > -Infinity) this.#forcedPauseMs = Math.min(this.#forcedPauseMs * 2, FORCED_MAX_MS);
      this.#forcedAt = now;
    }
    const before = this.#held;
    try {
      return (await (this.#pending ?? this.#obtain())) !== before;
    } catch {
      return false;
    }
  }

  /** The provider has taken a request: its token was good. */
  accepted(): void {
    this.#forcedPauseMs = FORCED_MIN_MS;
  }

  #backsOff(now: number): boolean {
    const failure = this.#failure;
    return failure !== undefined && now < failure.until && now >= failure.until - FORCED_MAX_MS;
  }

  async #wait(now: number): Promise<PreparedInjection> {
    const failure = this.#failure;
    if (this.#pending === undefined && failure !== undefined && this.#backsOff(now)) throw again(failure, now);
    if (this.#waiting >= MAX_WAITING) throw unavailable('too_many_waiting', 'too many requests wait for a token', { retryAfterS: 1 });
    this.#waiting += 1;
    try {
      return (await (this.#pending ?? this.#obtain())).injection;
    } finally {
      this.#waiting -= 1;
    }
  }

  #obtain(): Promise<Held> {
    const pending = this.#obtainNow().finally(() => {
      this.#pending = undefined;
    });
    this.#pending = pending;
    return pending;
  }

  async #obtainNow(): Promise<Held> {
    const { maker, now, failed } = this.#options;
    try {
      const held = this.#hold(await this.#exchange());
      this.#failure = undefined;
      return held;
    } catch (cause) {
      const error = asUnavailable(cause, maker.endpoint);
      this.#failure = failureAfter(this.#failure, error, now());
      failed(error);
      throw again(this.#failure, now());
    }
  }

  async #exchange(): Promise<{ readonly token: DerivedToken; readonly at: number }> {
    const { maker, exchange, renew, now } = this.#options;
    const { renews } = maker;
    const ask = async (current: Secret | undefined): Promise<Asked> => {
      const at = now();
      return { answer: await exchange(await maker.request(at, current), LIMITS), at };
    };
    const read = ({ answer, at }: Asked) => ({ token: maker.read(answer, at), at });
    if (renews === undefined) return read(await ask(undefined));
    let asked: Asked | undefined;
    await renew(async (current) => renews.read((asked = await ask(current)).answer));
    if (asked === undefined) throw unavailable('not_exchanged', 'no token was asked for');
    // Read last: the refresh token beside it is stored also when this token is good for nothing.
    return read(asked);
  }

  /** The life of a token counts from when it was asked for: the answer may have been on its way for long. */
  #hold({ token, at }: { readonly token: DerivedToken; readonly at: number }): Held {
    const { prepare, now, random } = this.#options;
    const lifeMs = Math.min(token.lifeMs ?? UNSAID_LIFE_MS, MAX_LIFE_MS);
    const usableUntil = at + lifeMs - Math.min(MARGIN_MS, lifeMs / 4);
    const refreshAt = Math.min(usableUntil, at + lifeMs * (0.8 - 0.1 * random()));
    const held: Held = {
      injection: prepare(token.values),
      obtainedAt: at,
      usedFrom: now(),
      refreshAt,
      usableUntil,
      endsAt: at + (token.lifeMs ?? MAX_LIFE_MS),
    };
    if (this.#held !== undefined) this.#former = [this.#held, ...this.#former].slice(0, MAX_FORMER);
    this.#held = held;
    return held;
  }
}

function failureAfter(before: Failure | undefined, error: AlterError, now: number): Failure {
  const count = (before?.count ?? 0) + 1;
  const least = isRefusal(error) ? BACK_OFF_REFUSED_MS : BACK_OFF_MIN_MS;
  const pause = Math.max(Math.min(BACK_OFF_MAX_MS, least * 2 ** Math.min(count - 1, 10)), (error.retryAfterS ?? 0) * 1000);
  return { error, count, until: now + pause };
}

/** The failure as it is told to whoever comes while it is remembered. */
function again({ error, until }: Failure, now: number): AlterError {
  const { code, detail, rule, cause } = error;
  const retryAfterS = Math.max(1, Math.ceil((until - now) / 1000));
  return new AlterError(code, { ...(detail === undefined ? {} : { detail }), ...(rule === undefined ? {} : { rule }), retryAfterS, cause });
}
