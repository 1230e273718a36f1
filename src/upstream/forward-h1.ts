/**
 * exchange ── request head and body ──▶ pooled connection ──▶ destination
 *          ◀── response head and body ── (back-pressure both ways)
 */
import { AlterError } from '../errors.ts';
import type { BodySource } from '../message/body.ts';
import type { HeaderList } from '../message/header-list.ts';
import type { OutboundRequest } from '../message/request.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Flight, Forward, ResponseSink } from './forward.ts';
import type { H1Connection, ResponseReader } from './h1-connection.ts';
import type { Pool, Waiter } from './pool.ts';
import type { Pools } from './pools.ts';

/** Methods that may be sent a second time (RFC 9110 §9.2.2), here only without a body. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Makes the function that sends requests over HTTP/1.1. */
export function createForward(pools: Pools): Forward {
  return (request, body, isolation, sink) => {
    const flight = new H1Flight(pools.get(request.origin, isolation), request, body, sink);
    flight.start();
    return flight;
  };
}

/** One request and its response. */
class H1Flight implements Flight, Waiter, ResponseReader {
  readonly #pool: Pool;
  readonly #request: OutboundRequest;
  readonly #body: BodySource | undefined;
  readonly #sink: ResponseSink;
  #connection: H1Connection | undefined;
  #ended = false;
  retries = 0;

  constructor(pool: Pool, request: OutboundRequest, body: BodySource | undefined, sink: ResponseSink) {
    this.#pool = pool;
    this.#request = request;
    this.#body = body;
    this.#sink = sink;
  }

  start(): void {
    this.#pool.acquire(this);
  }

  resume(): void {
    this.#connection?.resume();
  }

  abort(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#connection === undefined) {
      this.#pool.forget(this);
      this.#body?.cancel(new Error('the exchange was aborted'));
    } else this.#connection.destroy();
  }

  connected(connection: H1Connection): void {
    this.#connection = connection;
    try {
      connection.send(this.#request, this.#body, this);
    } catch (cause) {
      connection.destroy();
      this.#fail(new AlterError('malformed_request', { detail: 'the request cannot be written as HTTP/1.1', cause }));
    }
  }

  refused(error: AlterError): void {
    this.#body?.cancel(error);
    this.#fail(error);
  }

  informational(head: ResponseHead): void {
    this.#sink.informational(head);
  }

  head(head: ResponseHead): void {
    this.#sink.head(head);
  }

  data(chunk: Buffer): boolean {
    return this.#sink.write(chunk);
  }

  end(trailers: HeaderList | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.end(trailers);
  }

  failed(error: AlterError, stale: boolean): void {
    if (stale && this.retries === 0 && this.#body === undefined && IDEMPOTENT.has(this.#request.method)) {
      this.retries += 1;
      this.#connection = undefined;
      this.#pool.acquire(this, true);
      return;
    }
    this.#fail(error);
  }

  #fail(error: AlterError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.fail(error);
  }
}
