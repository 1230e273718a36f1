import type { SecureContext } from 'node:tls';
import type { EarlyRefusal, TunnelEnding } from '../pipeline/describe.ts';
import type { Authority } from '../message/authority.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Network } from '../message/network.ts';
import type { OpenTunnel } from '../message/tunnel.ts';
import type { Caller } from '../principals/caller.ts';
import type { Secret } from '../secret/secret.ts';
import type { ConnectionPeer } from './connection.ts';
import type { Serve } from '../pipeline/serve.ts';
import type { UnderWay } from '../pipeline/under-way.ts';

/** What the edge is given; it knows nothing of what stands behind. */
export interface EdgeServices {
  /** Who presents this key, or no key, from this peer. Throws or rejects with AlterError. */
  authenticate(key: Secret | undefined, peer: ConnectionPeer): MaybePromise<Caller>;
  /** TLS context with a leaf certificate for `host`. Called only for authenticated clients. */
  contextFor(host: string): SecureContext;
  /** Whether the destination is tunnelled untouched. */
  isPassThrough(authority: Authority): boolean;
  readonly serve: Serve;
  readonly openTunnel: OpenTunnel;
  /** Answers a request to the proxy itself. Rejects with AlterError. */
  own(request: OwnRequest): Promise<OwnAnswer>;
  /** What goes on stands here, and is ended when its key is. */
  readonly underWay: Pick<UnderWay, 'enter' | 'leave'>;
  /** Records what was refused before it became an exchange. */
  refused(refusal: EarlyRefusal): void;
  /** Records a tunnel when it has ended. */
  tunnelled(tunnel: TunnelEnding): void;
  /** Proxies in front of this one, whose word on the address of a client counts. */
  readonly trustedProxies: readonly Network[];
  readonly now: () => number;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** A request to the proxy itself, from a caller who is known. */
export interface OwnRequest {
  readonly method: string;
  /** Target in origin form, as it stood on the wire. */
  readonly target: string;
  readonly contentType: string | undefined;
  readonly caller: Caller;
  /** Rejects with AlterError beyond `maxBytes`. May be called once. */
  readBody(maxBytes: number): Promise<Buffer>;
}

/** What the proxy answers for itself. */
export interface OwnAnswer {
  readonly status: number;
  /** Becomes JSON. */
  readonly document: object;
}

/** Limits of the client side. Times are milliseconds, sizes bytes. */
export interface EdgeLimits {
  readonly maxHeaderBytes: number;
  readonly headTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Longest pause within the body of a request, or in reading an answer. */
  readonly stallTimeoutMs: number;
  readonly maxConnections: number;
}
