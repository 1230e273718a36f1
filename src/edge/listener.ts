/**
 * client ──▶ absolute-form request ─────────────▶ pipeline
 *        ──▶ CONNECT ──▶ tunnel, or intercept ──▶ pipeline
 *
 * One node:http server reads every head: those of the front, and those inside CONNECT after TLS.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import type { Duplex } from 'node:stream';
import { AlterError, CommandError } from '../errors.ts';
import { answerRaw } from './raw-answer.ts';
import { Connections } from './connection.ts';
import { ConnectHandler } from './connect.ts';
import { RequestHandler } from './request-handler.ts';
import type { EdgeLimits, EdgeServices } from './services.ts';

/** How often node:http looks for heads that are too slow. */
const SLOW_CHECK_MS = 500;

/** The listening side of the proxy. */
export class Listener {
  readonly #server: http.Server;
  readonly #services: EdgeServices;
  readonly #limits: EdgeLimits;
  readonly #connections = new Connections();
  readonly #front = new Set<net.Socket>();
  readonly #requests: RequestHandler;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(services: EdgeServices, limits: EdgeLimits) {
    this.#services = services;
    this.#limits = limits;
    this.#server = http.createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headTimeoutMs,
      requestTimeout: 0,
      keepAliveTimeout: limits.idleTimeoutMs,
      connectionsCheckingInterval: Math.min(SLOW_CHECK_MS, limits.headTimeoutMs),
      requireHostHeader: false,
      insecureHTTPParser: false,
      noDelay: true,
    });
    this.#server.maxHeadersCount = 0;
    this.#requests = new RequestHandler(services, this.#connections, () => this.#draining);
    const connect = new ConnectHandler(
      services,
      this.#connections,
      limits,
      (socket) => this.#server.emit('connection', socket),
      () => this.#draining,
    );
    this.#server.on('connection', (socket: net.Socket) => {
      this.#accept(socket);
    });
    this.#server.on('request', (request, response) => {
      this.#requests.handle(request, response, false);
    });
    this.#server.on('checkContinue', (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.#requests.handle(request, response, true);
    });
    this.#server.on('checkExpectation', (request: http.IncomingMessage, response: http.ServerResponse) => {
      this.#requests.handle(request, response, false);
    });
    this.#server.on('connect', (request, _socket, head) => {
      connect.handle(request, request.socket, head);
    });
    this.#server.on('clientError', (error, socket) => {
      this.#unreadable(error, socket);
    });
  }

  /** Requests under way. */
  get active(): number {
    return this.#requests.active;
  }

  /** Starts to listen; `port` 0 takes a free one. Rejects with CommandError `port_in_use`. */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      const failed = (error: NodeJS.ErrnoException): void => {
        reject(listenError(error, host, port));
      };
      this.#server.once('error', failed);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', failed);
        const address = this.#server.address() as net.AddressInfo;
        resolve({ host: address.address, port: address.port });
      });
    });
  }

  /** Takes no more connections and requests, and waits for the requests under way, for at most `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    this.#closed = new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#server.closeIdleConnections();
    await this.#requests.idle(deadlineMs);
  }

  /** Closes every connection that is left after {@link drain}. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    for (const socket of this.#front) socket.destroy();
    await this.#closed;
  }

  #accept(socket: net.Socket): void {
    if (this.#connections.isInner(socket)) return;
    if (this.#front.size >= this.#limits.maxConnections) {
      answerRaw(socket, new AlterError('too_many_connections', { retryAfterS: 1 }), randomUUID(), 'proxy');
      return;
    }
    this.#front.add(socket);
    socket.once('close', () => this.#front.delete(socket));
    // A client that resets its connection is no event of its own: the exchange on it, if any, hears of it.
    socket.on('error', () => undefined);
  }

  /** A head that node:http could not read. */
  #unreadable(error: NodeJS.ErrnoException, socket: Duplex): void {
    // A second answer within or behind the one that is under way would be read as part of it.
    if (error.code === 'ECONNRESET' || !socket.writable || !(socket instanceof net.Socket) || this.#requests.isBusy(socket)) {
      socket.destroy();
      return;
    }
    const { peer, inner } = this.#connections.of(socket);
    const id = randomUUID();
    const refusal = headError(error);
    const origin = inner === undefined ? undefined : { scheme: inner.scheme, ...inner.authority };
    const startedAt = this.#services.now();
    this.#services.refused({
      id,
      startedAt,
      type: 'request',
      peer,
      caller: undefined,
      protocol: 'http/1.1',
      method: '',
      origin,
      error: refusal,
      status: refusal.status,
    });
    answerRaw(socket, refusal, id, inner === undefined ? 'proxy' : 'request');
  }
}

function headError(error: NodeJS.ErrnoException): AlterError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new AlterError('header_too_large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new AlterError('request_timeout');
    default:
      return new AlterError('malformed_request', { detail: `the request head is not valid HTTP/1.1 (${error.code ?? 'unknown'})` });
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): CommandError {
  if (error.code === 'EADDRINUSE') return new CommandError('port_in_use', `${host}:${port} is in use by another process`, { cause: error });
  return new CommandError('listen_failed', `cannot listen on ${host}:${port}: ${error.code ?? error.message}`, { cause: error });
}
