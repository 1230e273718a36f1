/**
 * exchange ── request head and body ──▶ pooled connection ──▶ destination
 *          ◀── response head and body ── (back-pressure both ways)
 */
import { AlterError } from '../errors.ts';
import type { BodySource } from '../message/body.ts';
import type { HeaderList } from '../message/header-list.ts';
import { isIdempotent } from '../message/idempotent.ts';
import type { OutboundRequest } from '../message/request.ts';
import type { ResponseHead } from '../message/response.ts';
import type { Flight, Forward, ResponseSink } from './forward.ts';
import type { H1Connection, ResponseReader } from './h1-connection.ts';
import type { Pool, Waiter } from './pool.ts';
import type { Pools } from './pools.ts';

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
      // What is sent again has no bytes in its body, if it has one, and they have been read.
      connection.send(this.#request, this.retries === 0 ? this.#body : undefined, this);
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
    if (stale && this.retries === 0 && this.#isEmpty && isIdempotent(this.#request.method)) {
      this.retries += 1;
      this.#connection = undefined;
      this.#pool.acquire(this, true);
      return;
    }
    this.#fail(error);
  }

  /** Without body, also when the client says so by a Content-Length of 0. */
  get #isEmpty(): boolean {
    const { bodyLength } = this.#request;
    return this.#body === undefined || (bodyLength.kind === 'length' && bodyLength.bytes === 0);
  }

  #fail(error: AlterError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#sink.fail(error);
  }
}
