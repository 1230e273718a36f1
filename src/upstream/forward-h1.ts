/**
 * exchange ── request head and body ──▶ undici pool ──▶ destination
 *          ◀── response head and body ── (back-pressure both ways)
 */
import { Readable } from 'node:stream';
import { errors } from 'undici';
import type { Dispatcher } from 'undici';
import { AlterError } from '../errors.ts';
import type { BodySource } from '../message/body.ts';
import { HeaderList } from '../message/header-list.ts';
import type { OutboundRequest } from '../message/request.ts';
import { formatTarget } from '../message/url.ts';
import { dialError } from './dial.ts';
import type { Flight, Forward, ResponseSink } from './forward.ts';
import type { Pools } from './pools.ts';

/** Methods that may be sent a second time (RFC 9110 §9.2.2), here only without a body. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Makes the function that sends requests over HTTP/1.1. */
export function createForward(pools: Pools): Forward {
  return (request, body, isolation, sink) => new H1Flight(pools, request, body, isolation, sink);
}

/** One request and its response. */
class H1Flight implements Flight, Dispatcher.DispatchHandler {
  readonly #pools: Pools;
  readonly #request: OutboundRequest;
  readonly #isolation: string;
  readonly #sink: ResponseSink;
  readonly #body: Readable | undefined;
  #poolKey = '';
  #controller: Dispatcher.DispatchController | undefined;
  #started = false;
  #ended = false;
  retries = 0;

  constructor(pools: Pools, request: OutboundRequest, body: BodySource | undefined, isolation: string, sink: ResponseSink) {
    this.#pools = pools;
    this.#request = request;
    this.#isolation = isolation;
    this.#sink = sink;
    this.#body = body === undefined ? undefined : readableFrom(body);
    this.#dispatch();
  }

  resume(): void {
    this.#controller?.resume();
  }

  abort(): void {
    if (!this.#finish()) return;
    const reason = new errors.RequestAbortedError();
    this.#controller?.abort(reason);
    this.#body?.destroy();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended) controller.abort(new errors.RequestAbortedError());
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, _headers: unknown, reason?: string): void {
    if (this.#ended) return;
    const head = { status, reason: reason ?? '', headers: rawList(controller.rawHeaders) };
    if (status < 200) {
      this.#sink.informational(head);
      return;
    }
    this.#started = true;
    this.#sink.head(head);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#ended && !this.#sink.write(chunk)) controller.pause();
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (!this.#finish()) return;
    const trailers = rawList(controller.rawTrailers);
    this.#sink.end(trailers.size === 0 ? undefined : trailers);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#ended) return;
    if (this.#mayRetry(error)) {
      this.retries += 1;
      this.#pools.release(this.#poolKey);
      this.#dispatch();
      return;
    }
    this.#finish();
    this.#body?.destroy();
    this.#sink.fail(upstreamError(error, this.#request.origin.host));
  }

  #dispatch(): void {
    const { method, url, headers, origin } = this.#request;
    const { key, pool } = this.#pools.acquire(origin, this.#isolation);
    this.#poolKey = key;
    try {
      pool.dispatch({ method, path: formatTarget(url), headers: [...headers.flat()], body: this.#body ?? null }, this);
    } catch (error) {
      this.onResponseError(null, error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** A kept-alive connection may be closed by the other side at the very moment it is used again. */
  #mayRetry(error: Error): boolean {
    return this.retries === 0 && !this.#started && this.#body === undefined && IDEMPOTENT.has(this.#request.method) && closedEarly(error);
  }

  #finish(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    this.#pools.release(this.#poolKey);
    return true;
  }
}

function closedEarly(error: Error): boolean {
  return error instanceof errors.SocketError || ('code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE'));
}

/** undici hands raw fields over as name, value, name, value … in buffers. */
function rawList(raw: Dispatcher.DispatchController['rawHeaders']): HeaderList {
  if (!Array.isArray(raw)) return new HeaderList();
  return new HeaderList(raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1'))));
}

function readableFrom(source: BodySource): Readable {
  let started = false;
  const readable = new Readable({
    read() {
      if (started) {
        source.resume();
        return;
      }
      started = true;
      source.start({
        write: (chunk) => readable.push(chunk),
        end: () => readable.push(null),
        abort: (cause) => readable.destroy(cause),
      });
    },
    destroy(error, callback) {
      source.cancel(error ?? new Error('body not wanted'));
      callback(error);
    },
  });
  // Without a listener a body that ends early would be an uncaught error; the flight hears of it through undici.
  readable.on('error', () => undefined);
  return readable;
}

/** Names what went wrong between the proxy and the destination. */
function upstreamError(error: Error, host: string): AlterError {
  if (error instanceof AlterError) return error;
  if (
    error instanceof errors.HeadersTimeoutError ||
    error instanceof errors.BodyTimeoutError ||
    error instanceof errors.ConnectTimeoutError
  ) {
    return new AlterError('upstream_timeout', { detail: `${host} did not answer in time`, cause: error });
  }
  if (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError ||
    (error instanceof errors.SocketError && /bad (response|upgrade)/u.test(error.message))
  ) {
    return new AlterError('upstream_protocol_error', { detail: `${host} sent an invalid answer`, cause: error });
  }
  if (error instanceof errors.RequestContentLengthMismatchError || error instanceof errors.InvalidArgumentError) {
    return new AlterError('malformed_request', { cause: error });
  }
  if (error instanceof errors.SocketError) {
    return new AlterError('upstream_unreachable', { detail: `${host} closed the connection before the answer was complete`, cause: error });
  }
  return dialError(error, host);
}
