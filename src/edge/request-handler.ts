import { AlterError } from '../errors.ts';
import { parseAlterHeaders, parseProxyAuthorization } from '../message/alter-headers.ts';
import type { AlterHeaders } from '../message/alter-headers.ts';
import { forwardedAddress } from '../message/forwarded.ts';
import type { H1RequestHead } from '../message/h1/request-parser.ts';
import type { HeaderList } from '../message/header-list.ts';
import { hostField } from '../message/host-field.ts';
import { strippedRequestHeaders } from '../message/hop-by-hop.ts';
import { chain } from '../message/maybe-promise.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { InboundRequest, OutboundRequest } from '../message/request.ts';
import type { Caller } from '../principals/caller.ts';
import { Secret } from '../secret/secret.ts';
import type { Connection } from './connection.ts';
import type { H1Stream } from './h1-stream.ts';
import { readRequest } from './read-request.ts';
import { recordRefusal } from './record-refusal.ts';
import { newRequestId } from './request-id.ts';
import type { EdgeServices } from './services.ts';

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
    let request: InboundRequest | undefined;
    let caller: Caller | undefined;
    const refuse = (cause: unknown): void => {
      const { inner } = connection;
      const challenge = inner === undefined ? 'proxy' : 'request';
      const origin = request?.origin ?? inner?.origin;
      const error = recordRefusal(this.#services, { id, startedAt, head, connection, challenge, caller, origin }, cause);
      stream.refuse(error, id, caller);
    };
    try {
      if (this.#draining()) throw new AlterError('shutting_down');
      const inbound = (request = readRequest(head, connection.inner));
      const alter = alterHeadersOf(connection, head.headers);
      const key = keyOf(connection, head.headers);
      const authenticate = (): MaybePromise<Caller> => this.#services.authenticate(key, connection.peer);
      const authenticated = chain(authenticate(), (who) => {
        caller = who;
        refuseWebSocket(head);
        const exchange = {
          id,
          startedAt,
          peer: connection.peer,
          clientAddress: this.#clientAddress(connection, head.headers),
          caller: who,
          stillCalls: authenticate,
          request: inbound,
          alter,
          outbound: outbound(inbound),
          placeholders: [],
          injected: [],
          warnings: [],
          stages: [],
        };
        this.#services.serve(exchange, stream);
      });
      if (authenticated instanceof Promise) authenticated.catch(refuse);
    } catch (error) {
      refuse(error);
    }
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
  if (outer === undefined) return own;
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
  headers.filter(({ framing }) => framing !== 'host');
  headers.add(hostField(request.origin));
  const { method, origin, url, bodyLength, acceptsTrailers } = request;
  return { method, origin, url, headers, bodyLength, acceptsTrailers };
}
