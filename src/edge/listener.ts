/**
 * client ──▶ absolute-form request ─────────────▶ pipeline
 *        ──▶ CONNECT ──▶ tunnel, or intercept ──▶ pipeline
 *
 * Every connection that carries HTTP in the clear is an H1Connection: those of the front, and those inside CONNECT after TLS.
 */
import net from 'node:net';
import { setImmediate as turnEnd, setTimeout as delay } from 'node:timers/promises';
import { AlterError, CommandError } from '../errors.ts';
import type { H1Error } from '../message/h1/error.ts';
import { DEFAULT_H1_LIMITS } from '../message/h1/limits.ts';
import { KEEP_ALIVE_DELAY_MS } from '../message/keep-alive.ts';
import { PlacedList, type Placed } from '../message/placed-list.ts';
import { newRequestId } from '../message/request-id.ts';
import { ConnectHandler } from './connect.ts';
import { peerOf, type Connection } from './connection.ts';
import { H1Connection, type H1ConnectionOptions } from './h1-connection.ts';
import { headRefusal } from './head-refusal.ts';
import { answerRaw } from './raw-answer.ts';
import { isOwnRequest, OwnRequests } from './own-requests.ts';
import { RequestHandler } from './request-handler.ts';
import type { EdgeLimits, EdgeServices } from './services.ts';

/** Longest time between two looks for clients that are too slow. */
const SWEEP_MS = 500;
const DRAIN_CHECK_MS = 10;
/** Connections past the limit that may be reading their refusal, as a part of the limit, and at least so many. */
const REFUSED_SHARE = 0.1;
const MIN_REFUSED = 100;

/** A socket that a client has opened. */
interface FrontSocket extends Placed {
  readonly socket: net.Socket;
}

/** The listening side of the proxy. */
export class Listener {
  readonly #server: net.Server;
  readonly #services: EdgeServices;
  readonly #limits: EdgeLimits;
  readonly #connect: ConnectHandler;
  readonly #connectionOptions: H1ConnectionOptions;
  readonly #front = new PlacedList<FrontSocket>();
  /** How many more are reading that they were refused. */
  #refused = 0;
  /** Connections that carry HTTP, on the front and inside CONNECT. */
  readonly #connections = new PlacedList<H1Connection>();
  readonly #sweeper: NodeJS.Timeout;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(services: EdgeServices, limits: EdgeLimits) {
    this.#services = services;
    this.#limits = limits;
    const { maxHeaderBytes, headTimeoutMs, idleTimeoutMs, stallTimeoutMs } = limits;
    const draining = (): boolean => this.#draining;
    const requests = new RequestHandler(services, draining);
    const own = new OwnRequests(services, draining);
    this.#connect = new ConnectHandler(
      services,
      limits,
      (socket, inner) => {
        this.#serve(socket, inner);
      },
      draining,
    );
    this.#connectionOptions = {
      limits: { ...DEFAULT_H1_LIMITS, maxHeadBytes: maxHeaderBytes, maxLineBytes: maxHeaderBytes },
      headTimeoutMs,
      idleTimeoutMs,
      stallTimeoutMs,
      request: (head, stream, connection) => {
        (isOwnRequest(head, connection) ? own : requests).handle(head, stream, connection);
      },
      connect: (head, socket, rest, connection) => {
        this.#connect.handle(head, socket, rest, connection);
      },
      unreadable: (error, socket, connection) => {
        this.#unreadable(error, socket, connection);
      },
      left: (connection) => {
        this.#connections.delete(connection);
      },
    };
    // A client may say that it sends no more, and still wait for its answer.
    this.#server = net.createServer(
      { noDelay: true, allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS },
      (socket) => {
        this.#accept(socket);
      },
    );
    this.#sweeper = setInterval(
      () => {
        this.#sweep();
      },
      Math.min(SWEEP_MS, headTimeoutMs, idleTimeoutMs, stallTimeoutMs),
    ).unref();
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

  /** Takes no more connections and requests, and waits for the requests and tunnels under way, for at most `deadlineMs`. */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    this.#closed = new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    for (const connection of this.#connections.all()) connection.drain();
    const deadline = performance.now() + deadlineMs;
    while ((this.#connect.tunnels > 0 || this.#owesAnswers()) && performance.now() < deadline) await delay(DRAIN_CHECK_MS);
  }

  /** Closes every connection that is left after {@link drain}. What was under way on them has been recorded when this resolves. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    // What was answered in this turn leaves at its end.
    await turnEnd();
    for (const connection of this.#connections.all()) connection.destroy();
    for (const { socket } of this.#front.all()) socket.destroy();
    await this.#closed;
    // A server says that it is closed before its sockets do.
    while (this.#front.size > 0 || this.#connections.size > 0 || this.#connect.tunnels > 0) await turnEnd();
  }

  #owesAnswers(): boolean {
    return this.#connections.all().some(({ owesAnswer }) => owesAnswer);
  }

  #accept(socket: net.Socket): void {
    // A client that resets its connection is no event of its own: the exchange on it, if any, hears of it by `close`.
    socket.on('error', () => undefined);
    if (this.#front.size >= this.#limits.maxConnections) {
      this.#refuse(socket);
      return;
    }
    const front = { socket, place: -1 };
    this.#front.add(front);
    socket.once('close', () => this.#front.delete(front));
    this.#serve(socket, { peer: peerOf(socket), inner: undefined });
  }

  /** A flood that is told why costs descriptors as well: past a bound of its own nobody is told. */
  #refuse(socket: net.Socket): void {
    if (this.#refused >= Math.max(MIN_REFUSED, this.#limits.maxConnections * REFUSED_SHARE)) {
      socket.destroy();
      return;
    }
    this.#refused += 1;
    socket.once('close', () => {
      this.#refused -= 1;
    });
    answerRaw(socket, new AlterError('too_many_connections', { retryAfterS: 1 }), newRequestId(), 'proxy');
  }

  #serve(socket: net.Socket, connection: Connection): void {
    const served = new H1Connection(socket, connection, this.#connectionOptions);
    this.#connections.add(served);
    if (this.#draining) served.drain();
  }

  #sweep(): void {
    for (const connection of this.#connections.all()) connection.sweep();
  }

  /** Answers what could not be read as a request. */
  #unreadable(error: H1Error | 'slow', socket: net.Socket, { peer, inner }: Connection): void {
    const id = newRequestId();
    const refusal = headRefusal(error);
    const startedAt = this.#services.now();
    this.#services.refused({
      id,
      startedAt,
      type: 'request',
      peer,
      caller: undefined,
      protocol: 'http/1.1',
      method: '',
      origin: inner?.origin,
      error: refusal,
      status: refusal.status,
    });
    answerRaw(socket, refusal, id, inner === undefined ? 'proxy' : 'request');
  }
}

function listenError(error: NodeJS.ErrnoException, host: string, port: number): CommandError {
  if (error.code === 'EADDRINUSE') return new CommandError('port_in_use', `${host}:${port} is in use by another process`, { cause: error });
  return new CommandError('listen_failed', `cannot listen on ${host}:${port}: ${error.code ?? error.message}`, { cause: error });
}
