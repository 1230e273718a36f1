import { AlterError } from '../errors.ts';
import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Placed } from '../message/placed-list.ts';
import type { Caller } from '../principals/caller.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import { NOTHING_YET } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { prepareRun } from './run.ts';
import type { Run } from './run.ts';
import type { HeldGrantSource } from './find-held.ts';
import type { Stage } from './stage.ts';

/** An exchange that waits or has been let through, or a pass-through tunnel, and goes on. */
export interface Use extends Placed {
  readonly caller: Caller;
  readonly clientAddress: string;
  /** Says again who is calling, as for a new request. Throws or rejects with AlterError. */
  readonly stillCalls: () => MaybePromise<Caller>;
  /** Undefined: a tunnel, which uses no grant. */
  readonly exchange: Exchange | undefined;
  /** Ends it; the audit event tells the code. */
  interrupt(error: AlterError): void;
}

/** Why a use must end. Else its grant as it is now; undefined: it has none, or the store cannot tell. */
export type Verdict = AlterError | ResolvedGrant | undefined;

/** Judges a use. Answers that were found once in a round are shared in it. */
export type Standing = (use: Use, round: Round) => MaybePromise<Verdict>;

/** What one look at everything under way has found so far. */
export class Round {
  readonly callers = new Map<Caller, Map<string, MaybePromise<Caller | AlterError>>>();
  readonly grants = new Map<string, MaybePromise<ResolvedGrant | AlterError>>();
}

/** What a {@link Standing} needs. */
export interface StandingOptions {
  readonly grants: Pick<HeldGrantSource, 'resolveGrant'>;
  /** Those that have `stands` are asked again. */
  readonly stages: readonly Stage[];
  readonly now: () => number;
}

/**
 * Makes the function that judges what is under way. Key and grant are looked up as for a new request, so from the cache while that may be
 * used; the stages that have `stands`, and were passed, judge again by what the grant is now. While the store cannot tell, only the known
 * expiry ends a use.
 */
export function createStanding({ grants, stages, now }: StandingOptions): Standing {
  const lasting = stages.flatMap(({ name, stands }) => (stands === undefined ? [] : [{ name, run: stands }]));
  const runLasting = prepareRun(lasting);

  /** The caller as he is now, or why he must end. An outage leaves him as he was. */
  const callerNow = (use: Use, round: Round): MaybePromise<Caller | AlterError> => {
    const byAddress = round.callers.get(use.caller) ?? new Map<string, MaybePromise<Caller | AlterError>>();
    round.callers.set(use.caller, byAddress);
    let found = byAddress.get(use.clientAddress);
    if (found === undefined) {
      found = chain(
        attempt(() => use.stillCalls()),
        (answer) => (answer instanceof AlterError ? (endIn(answer, use.caller.expiresAt, 'key_expired', now()) ?? use.caller) : answer),
      );
      byAddress.set(use.clientAddress, found);
    }
    return found;
  };

  const grantNow = ({ grant }: ResolvedGrant, round: Round): MaybePromise<ResolvedGrant | AlterError> => {
    const key = `${grant.app} ${grant.id}`;
    let answer = round.grants.get(key);
    if (answer === undefined) round.grants.set(key, (answer = attempt(() => grants.resolveGrant(grant.app, grant.id))));
    return answer;
  };

  /** What a stage needs that is still waited for, or comes later, may not be there yet. */
  const runPassed = ({ waitsIn, stages: begun }: Exchange): Run =>
    waitsIn === undefined ? runLasting : prepareRun(lasting.filter(({ name }) => name !== waitsIn && begun.includes(name)));

  const ofGrant = (exchange: Exchange, caller: Caller, known: ResolvedGrant, round: Round): MaybePromise<Verdict> =>
    chain(grantNow(known, round), (resolved) => {
      if (resolved instanceof AlterError) return endIn(resolved, known.grant.expiresAt, 'grant_expired', now());
      const end = runPassed(exchange)({ ...exchange, caller, resolved, stages: NOTHING_YET });
      return chain(end, (error): Verdict => error ?? resolved);
    });

  return (use, round) =>
    chain(callerNow(use, round), (caller) => {
      if (caller instanceof AlterError) return caller;
      const known = use.exchange?.resolved;
      return use.exchange === undefined || known === undefined ? undefined : ofGrant(use.exchange, caller, known, round);
    });
}

/** The value, or the refusal. */
function attempt<T>(call: () => MaybePromise<T>): MaybePromise<T | AlterError> {
  try {
    const answer = call();
    return answer instanceof Promise ? answer.catch(refusal) : answer;
  } catch (error) {
    return refusal(error);
  }
}

function refusal(error: unknown): AlterError {
  return error instanceof AlterError ? error : new AlterError('internal_error', { cause: error });
}

/** An outage says nothing of a key or a grant, and breaks nothing that is under way; its expiry is known without the store. */
function endIn(
  answer: AlterError,
  expiresAt: number | undefined,
  expired: 'key_expired' | 'grant_expired',
  now: number,
): AlterError | undefined {
  if (answer.code !== 'store_unavailable' && answer.code !== 'internal_error') return answer;
  return expiresAt !== undefined && now >= expiresAt ? new AlterError(expired) : undefined;
}
