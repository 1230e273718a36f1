import type { IncomingMessage, ServerResponse } from 'node:http';
import { HeaderList } from '../message/header-list.ts';
import type { AlterError } from '../errors.ts';
import type { BodyLength, BodySink, BodySource } from '../message/body.ts';
import type { ResponseHead } from '../message/response.ts';
import type { ClientEvents, ClientStream } from '../pipeline/client-stream.ts';
import { problemAnswer } from './problem.ts';
import type { KeyChallenge } from './problem.ts';

/** A refused request with more body than this to come costs the client its connection. */
const MAX_DISCARD = 1024 * 1024;

/** The client's side of an exchange on node:http. */
export class HttpStream implements ClientStream {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #bodyLength: BodyLength;
  readonly #challenge: KeyChallenge;
  readonly body: BodySource | undefined;
  #wrote = false;

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    options: { bodyLength: BodyLength; expectsContinue: boolean; challenge: KeyChallenge },
  ) {
    this.#request = request;
    this.#response = response;
    this.#bodyLength = options.bodyLength;
    this.#challenge = options.challenge;
    const onStart = options.expectsContinue
      ? () => {
          response.writeContinue();
        }
      : undefined;
    this.body = options.bodyLength.kind === 'none' ? undefined : new RequestBody(request, onStart);
    // Date is the provider's; the proxy's own answers need none (RFC 9110 §6.6.1 asks it of origin servers).
    response.sendDate = false;
  }

  listen(events: ClientEvents): void {
    this.#response.on('drain', () => {
      events.drain();
    });
    this.#response.once('close', () => {
      if (!this.#response.writableFinished) events.gone();
    });
    // A write after the client has gone is answered by `close`, which tells.
    this.#response.on('error', () => undefined);
  }

  informational(head: ResponseHead): void {
    if (this.#request.httpVersion !== '1.1' || this.#response.headersSent) return;
    if (head.status === 102) this.#response.writeProcessing();
    const link = head.headers.getAll('link');
    if (head.status === 103 && link.length > 0) this.#response.writeEarlyHints({ link });
  }

  head(head: ResponseHead): void {
    const fields = [...head.headers.flat()];
    // The provider answered before it had the whole body: what follows on this connection would be the rest of it.
    if (!this.#request.complete) fields.push('Connection', 'close');
    this.#response.writeHead(head.status, head.reason, fields);
    // A small body that comes with its head leaves in one write; a head alone must not wait for a body (SSE).
    process.nextTick(() => {
      if (!this.#wrote && !this.#response.destroyed) this.#response.flushHeaders();
    });
  }

  write(chunk: Buffer): boolean {
    this.#wrote = true;
    return this.#response.write(chunk);
  }

  end(trailers?: HeaderList): void {
    this.#wrote = true;
    if (trailers !== undefined) this.#response.addTrailers([...trailers] as [string, string][]);
    this.#response.end();
  }

  refuse(error: AlterError, requestId: string): void {
    const { status, headers, body } = problemAnswer(error, requestId, this.#challenge);
    if (!this.#mayReuse(error)) headers.push('Connection', 'close');
    this.#response.writeHead(status, headers);
    this.#response.end(this.#request.method === 'HEAD' ? undefined : body);
  }

  cut(): void {
    this.#response.destroy();
  }

  #mayReuse(error: AlterError): boolean {
    if (error.code === 'malformed_request' || error.code === 'shutting_down') return false;
    return (
      this.#request.complete ||
      this.#bodyLength.kind === 'none' ||
      (this.#bodyLength.kind === 'length' && this.#bodyLength.bytes <= MAX_DISCARD)
    );
  }
}

/** The body of a request on node:http. */
class RequestBody implements BodySource {
  readonly #request: IncomingMessage;
  readonly #onStart: (() => void) | undefined;
  #sink: BodySink | undefined;

  constructor(request: IncomingMessage, onStart: (() => void) | undefined) {
    this.#request = request;
    this.#onStart = onStart;
  }

  start(sink: BodySink): void {
    this.#sink = sink;
    this.#onStart?.();
    const request = this.#request;
    request.on('data', (chunk: Buffer) => {
      if (this.#sink?.write(chunk) === false) request.pause();
    });
    request.once('end', () => {
      this.#sink?.end();
      this.#sink = undefined;
    });
    request.once('close', () => {
      this.#sink?.abort(new Error('the client closed the connection within the body'));
      this.#sink = undefined;
    });
    request.on('error', () => undefined);
  }

  resume(): void {
    this.#request.resume();
  }

  cancel(): void {
    this.#sink = undefined;
    this.#request.resume();
  }
}
