import type { PlaceholderPlace } from '../inject/injector.ts';
import type { AlterHeaders } from '../message/alter-headers.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { InboundRequest, OutboundRequest } from '../message/request.ts';
import type { Caller } from '../principals/caller.ts';
import type { VerifiedUser } from '../principals/user.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import type { OutboundDraft } from './draft-body.ts';
import type { RequestBody } from './request-body.ts';

/** The peer of a client connection. */
export interface ClientPeer {
  readonly address: string;
  readonly port: number;
}

/**
 * One request on its way through the pipeline. Stages fill in what they find; every member is there from the start, so that all exchanges
 * have one shape.
 */
export interface Exchange {
  /** Request id, also the id of the audit event. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly peer: ClientPeer;
  /** Address of the client that a trusted proxy in front gives; that of the peer, when it is undefined. */
  readonly clientAddress: string | undefined;
  readonly caller: Caller;
  /** Says again who is calling, as for a new request. Throws or rejects with AlterError. */
  readonly stillCalls: () => MaybePromise<Caller>;
  readonly request: InboundRequest;
  readonly alter: AlterHeaders;
  /** The request as it leaves. */
  outbound: OutboundDraft;
  /** As it was before injection; kept only where it may be injected anew. */
  uninjected: OutboundRequest | undefined;
  /** Body of the request, if it has one. A stage may read it. */
  body: RequestBody | undefined;
  /** Text of the body, where it is a form and a rule asked for it. */
  form: string | undefined;
  /** Grant id that the request names, and how. */
  named: { readonly id: string; readonly by: 'header' | 'slot' | 'default' | 'provider' } | undefined;
  placeholders: readonly PlaceholderPlace[];
  resolved: ResolvedGrant | undefined;
  /** Who stands behind the request; known only where the grant asks for it. */
  user: VerifiedUser | undefined;
  /** Rules in mode `warn` that would have denied: `secret:methods`. */
  warnings: readonly string[];
  /** The rule that refused, with where it is attached: `secret:methods`. */
  refusedBy: string | undefined;
  /** Fields that the answer carries besides those of the provider: name, value, name, value … */
  answerHeaders: readonly string[] | undefined;
  /** Gives back what the exchange holds while it is under way. May be called again. */
  release: (() => void) | undefined;
  injected: readonly string[];
  /** Names of the stages passed. The list is shared with other exchanges. */
  stages: readonly string[];
  /** The one of them that has not answered yet. */
  waitsIn: string | undefined;
  /** A stage could not answer at once, so what was found before it may be out of date. */
  waited: boolean;
}

/** Of an exchange for which nothing is listed yet. */
export const NOTHING_YET: readonly never[] = Object.freeze([]);

/** What is known of an exchange when it begins. */
export type ExchangeBeginning = Pick<
  Exchange,
  'id' | 'startedAt' | 'peer' | 'clientAddress' | 'caller' | 'stillCalls' | 'request' | 'alter' | 'outbound'
>;

/** An exchange through which no stage has passed. */
export function beginExchange(beginning: ExchangeBeginning): Exchange {
  const { id, startedAt, peer, clientAddress, caller, stillCalls, request, alter, outbound } = beginning;
  return {
    id,
    startedAt,
    peer,
    clientAddress,
    caller,
    stillCalls,
    request,
    alter,
    outbound,
    uninjected: undefined,
    body: undefined,
    form: undefined,
    named: undefined,
    placeholders: NOTHING_YET,
    resolved: undefined,
    user: undefined,
    warnings: NOTHING_YET,
    refusedBy: undefined,
    answerHeaders: undefined,
    release: undefined,
    injected: NOTHING_YET,
    stages: NOTHING_YET,
    waitsIn: undefined,
    waited: false,
  };
}
