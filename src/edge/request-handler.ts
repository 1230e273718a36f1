import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AlterError } from '../errors.ts';
import { parseAlterHeaders, parseProxyAuthorization } from '../message/alter-headers.ts';
import type { AlterHeaders } from '../message/alter-headers.ts';
import { formatAuthority } from '../message/authority.ts';
import { HeaderList } from '../message/header-list.ts';
import { stripRequestHeaders } from '../message/hop-by-hop.ts';
import { chain } from '../message/maybe-promise.ts';
import type { InboundRequest, OutboundRequest } from '../message/request.ts';
import type { Caller } from '../principals/caller.ts';
import { Secret } from '../secret/secret.ts';
import type { Connection, Connections } from './connection.ts';
import { HttpStream } from './http-stream.ts';
import { answerStatus } from './problem.ts';
import { readRequest } from './read-request.ts';
import type { EdgeServices } from './services.ts';

/** Turns what node:http has read into exchanges. */
export class RequestHandler {
  readonly #services: EdgeServices;
  readonly #connections: Connections;
  readonly #draining: () => boolean;
  readonly #busy = new WeakSet<object>();
  readonly #idleWaiters = new Set<() => void>();
  #active = 0;

  constructor(services: EdgeServices, connections: Connections, draining: () => boolean) {
    this.#services = services;
    this.#connections = connections;
    this.#draining = draining;
  }

  /** Requests under way. */
  get active(): number {
    return this.#active;
  }

  /** Whether an answer is under way on `socket`, or was its last one. */
  isBusy(socket: object): boolean {
    return this.#busy.has(socket);
  }

  /** Resolves when no request is under way, at the latest after `deadlineMs`. */
  idle(deadlineMs: number): Promise<void> {
    if (this.#active === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#idleWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(done, deadlineMs);
      this.#idleWaiters.add(done);
    });
  }

  /** Takes one request. Every path ends in an answer and an audit event. */
  handle(message: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    this.#begin(message.socket, response);
    const connection = this.#connections.of(message.socket);
    const id = randomUUID();
    const startedAt = this.#services.now();
    let request: InboundRequest | undefined;
    let stream: HttpStream | undefined;
    let caller: Caller | undefined;
    const refuse = (cause: unknown): void => {
      const error = cause instanceof AlterError ? cause : new AlterError('internal_error', { cause });
      const { inner, peer } = connection;
      const origin = request?.origin ?? (inner === undefined ? undefined : { scheme: inner.scheme, ...inner.authority });
      const method = message.method ?? '';
      const status = answerStatus(error, inner === undefined ? 'proxy' : 'request');
      this.#services.refused({
        id,
        startedAt,
        type: 'request',
        peer,
        caller,
        protocol: `http/${message.httpVersion}`,
        method,
        origin,
        error,
        status,
      });
      (stream ?? this.#stream(message, response, undefined, connection, false)).refuse(error, id);
    };
    try {
      if (this.#draining()) throw new AlterError('shutting_down');
      const headers = new HeaderList(message.rawHeaders);
      const inbound = (request = readRequest(message, headers, connection.inner));
      stream = this.#stream(message, response, inbound, connection, expectsContinue);
      const client = stream;
      const alter = alterHeadersOf(connection, headers);
      const authenticated = chain(this.#services.authenticate(keyOf(connection, headers), connection.peer), (who) => {
        caller = who;
        const exchange = {
          id,
          startedAt,
          peer: connection.peer,
          caller: who,
          request: inbound,
          alter,
          outbound: outbound(inbound),
          placeholders: [],
          injected: [],
          stages: [],
        };
        this.#services.serve(exchange, client);
      });
      if (authenticated instanceof Promise) authenticated.catch(refuse);
    } catch (error) {
      refuse(error);
    }
  }

  #begin(socket: object, response: ServerResponse): void {
    this.#active += 1;
    this.#busy.add(socket);
    response.once('close', () => {
      if (response.shouldKeepAlive) this.#busy.delete(socket);
      this.#active -= 1;
      if (this.#active === 0) for (const done of this.#idleWaiters) done();
    });
  }

  #stream(
    message: IncomingMessage,
    response: ServerResponse,
    request: InboundRequest | undefined,
    connection: Connection,
    expectsContinue: boolean,
  ): HttpStream {
    const bodyLength = request?.bodyLength ?? { kind: 'chunked' };
    return new HttpStream(message, response, {
      bodyLength,
      expectsContinue,
      challenge: connection.inner === undefined ? 'proxy' : 'request',
    });
  }
}

/** The key that speaks for a request: its own on the front, that of CONNECT inside. */
function keyOf(connection: Connection, headers: HeaderList): Secret | undefined {
  if (connection.inner !== undefined) return connection.inner.key;
  const presented = parseProxyAuthorization(headers);
  return presented === undefined ? undefined : new Secret(presented);
}

/** What CONNECT said holds for requests inside that say nothing; two different grants are one too many. */
function alterHeadersOf(connection: Connection, headers: HeaderList): AlterHeaders {
  const own = parseAlterHeaders(headers);
  const outer = connection.inner?.alter;
  if (outer === undefined) return own;
  if (own.grantId !== undefined && outer.grantId !== undefined && own.grantId !== outer.grantId) throw new AlterError('ambiguous_grant');
  return {
    grantId: own.grantId ?? outer.grantId,
    userToken: own.userToken ?? outer.userToken,
    reason: own.reason ?? outer.reason,
    caller: own.caller ?? outer.caller,
    context: own.context ?? outer.context,
  };
}

/** The request as it would leave without a grant: no field that speaks to the proxy or to this connection. */
function outbound(request: InboundRequest): OutboundRequest {
  const headers = request.headers.clone();
  stripRequestHeaders(headers);
  headers.set('Host', formatAuthority(request.origin, request.origin.scheme));
  return { method: request.method, origin: request.origin, url: request.url, headers, bodyLength: request.bodyLength };
}
