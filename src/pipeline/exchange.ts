import type { PlaceholderPlace } from '../inject/injector.ts';
import type { AlterHeaders } from '../message/alter-headers.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { InboundRequest, OutboundRequest } from '../message/request.ts';
import type { Caller } from '../principals/caller.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';

/** The peer of a client connection. */
export interface ClientPeer {
  readonly address: string;
  readonly port: number;
}

/** One request on its way through the pipeline. Stages fill in what they find. */
export interface Exchange {
  /** Request id, also the id of the audit event. */
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly peer: ClientPeer;
  readonly caller: Caller;
  /** Says again who is calling, as for a new request. Throws or rejects with AlterError. */
  readonly stillCalls: () => MaybePromise<Caller>;
  readonly request: InboundRequest;
  readonly alter: AlterHeaders;
  readonly outbound: OutboundRequest;
  /** Grant id that the request names, and how. */
  named?: { readonly id: string; readonly by: 'header' | 'slot' | 'default' };
  placeholders: readonly PlaceholderPlace[];
  resolved?: ResolvedGrant;
  injected: readonly string[];
  /** Names of the stages passed. */
  readonly stages: string[];
}
