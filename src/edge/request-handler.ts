import { AlterError } from '../errors.ts';
import { NO_ALTER_HEADERS, parseAlterHeaders, parseProxyAuthorization } from '../message/alter-headers.ts';
import type { AlterHeaders } from '../message/alter-headers.ts';
import type { FieldName } from '../message/field-name.ts';
import { forwardedAddress } from '../message/forwarded.ts';
import type { H1RequestHead } from '../message/h1/request-parser.ts';
import type { HeaderList } from '../message/header-list.ts';
import { hostField } from '../message/host-field.ts';
import { strippedRequestHeaders } from '../message/hop-by-hop.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { InboundRequest, OutboundRequest } from '../message/request.ts';
import { beginExchange } from '../pipeline/exchange.ts';
import type { Caller } from '../principals/caller.ts';
import { Secret } from '../secret/secret.ts';
import type { Connection, ConnectionPeer } from './connection.ts';
import type { H1Stream } from './h1-stream.ts';
import { readRequest } from './read-request.ts';
import { recordRefusal } from './record-refusal.ts';
import { newRequestId } from '../message/request-id.ts';
import type { EdgeServices } from './services.ts';

/** A request before it is an exchange, as far as it is understood. */
interface Arrival {
  readonly id: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly head: H1RequestHead;
  readonly stream: H1Stream;
  readonly connection: Connection;
  request: InboundRequest | undefined;
  caller: Caller | undefined;
}

type Authenticate = () => MaybePromise<Caller>;

/** Turns requests that have been read into exchanges. */
export class RequestHandler {
  readonly #services: EdgeServices;
  readonly #draining: () => boolean;

  constructor(services: EdgeServices, draining: () => boolean) {
    this.#services = services;
    this.#draining = draining;
  }

  /** Takes one request. Every path ends in an answer and an audit event. */
  handle(head: H1RequestHead, stream: H1Stream, connection: Connection): void {
    const id = newRequestId();
    const startedAt = this.#services.now();
    const arrival: Arrival = { id, startedAt, head, stream, connection, request: undefined, caller: undefined };
    try {
      if (this.#draining()) throw new AlterError('shutting_down');
      const request = (arrival.request = readRequest(head, connection.inner));
      const alter = alterHeadersOf(connection, head.headers);
      const authenticate = this.#authentication(keyOf(connection, head.headers), connection.peer);
      const caller = authenticate();
      if (caller instanceof Promise) this.#serveLater(arrival, request, alter, authenticate, caller);
      else this.#serve(arrival, request, alter, authenticate, caller);
    } catch (error) {
      this.#refuse(arrival, error);
    }
  }

  #authentication(key: Secret | undefined, peer: ConnectionPeer): Authenticate {
    return () => this.#services.authenticate(key, peer);
  }

  #serveLater(arrival: Arrival, request: InboundRequest, alter: AlterHeaders, authenticate: Authenticate, caller: Promise<Caller>): void {
    caller
      .then((who) => {
        this.#serve(arrival, request, alter, authenticate, who);
      })
      .catch((error: unknown) => {
        this.#refuse(arrival, error);
      });
  }

  #serve(arrival: Arrival, request: InboundRequest, alter: AlterHeaders, authenticate: Authenticate, caller: Caller): void {
    const { id, startedAt, head, stream, connection } = arrival;
    arrival.caller = caller;
    refuseWebSocket(head);
    const exchange = beginExchange({
      id,
      startedAt,
      peer: connection.peer,
      clientAddress: this.#clientAddress(connection, head.headers),
      caller,
      stillCalls: authenticate,
      request,
      alter,
      outbound: outbound(request),
    });
    this.#services.serve(exchange, stream);
  }

  #refuse({ id, startedAt, head, stream, connection, request, caller }: Arrival, cause: unknown): void {
    const { inner } = connection;
    const challenge = inner === undefined ? 'proxy' : 'request';
    const origin = request?.origin ?? inner?.origin;
    const error = recordRefusal(this.#services, { id, startedAt, head, connection, challenge, caller, origin }, cause);
    stream.refuse(error, id, caller);
  }

  /** Fields inside CONNECT are the client's own. */
  #clientAddress({ inner, peer }: Connection, headers: HeaderList): string {
    return inner === undefined ? forwardedAddress(peer.address, headers, this.#services.trustedProxies) : inner.clientAddress;
  }
}

/**
 * Without its upgrade a WebSocket handshake would be a GET with the credential, and only look like a success. Of other protocols a client merely
 * offers to go on in them (RFC 9110 §7.8), so they are ignored.
 */
function refuseWebSocket({ upgrade }: H1RequestHead): void {
  if (!upgrade?.split(',').some((protocol) => /^\s*websocket\s*$/i.test(protocol))) return;
  throw new AlterError('websocket_not_supported');
}

/** The key that speaks for a request: its own on the front, that of CONNECT inside. */
function keyOf(connection: Connection, headers: HeaderList): Secret | undefined {
  if (connection.inner !== undefined) return connection.inner.key;
  const presented = parseProxyAuthorization(headers);
  return presented === undefined ? undefined : new Secret(presented);
}

/** What CONNECT said holds for requests inside that say nothing; two ways to name a grant that differ are one too many. */
function alterHeadersOf(connection: Connection, headers: HeaderList): AlterHeaders {
  const own = parseAlterHeaders(headers);
  const outer = connection.inner?.alter;
  if (outer === undefined || outer === NO_ALTER_HEADERS) return own;
  const grantId = own.grantId ?? outer.grantId;
  const provider = own.provider ?? outer.provider;
  const [other, otherProvider] = [outer.grantId ?? grantId, outer.provider ?? provider];
  if (grantId !== other || provider !== otherProvider || (grantId !== undefined && provider !== undefined)) {
    throw new AlterError('ambiguous_grant');
  }
  return {
    grantId,
    provider,
    userToken: own.userToken ?? outer.userToken,
    reason: own.reason ?? outer.reason,
    caller: own.caller ?? outer.caller,
    context: own.context ?? outer.context,
  };
}

/** The request as it would leave without a grant: no field that speaks to the proxy or to this connection. */
function outbound(request: InboundRequest): OutboundRequest {
  const headers = strippedRequestHeaders(request.headers);
  headers.filter(isNotHost);
  headers.add(hostField(request.origin));
  const { method, origin, url, bodyLength, acceptsTrailers } = request;
  return { method, origin, url, headers, bodyLength, acceptsTrailers };
}

function isNotHost({ framing }: FieldName): boolean {
  return framing !== 'host';
}
