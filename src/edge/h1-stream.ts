import { STATUS_CODES } from 'node:http';
import type { AlterError } from '../errors.ts';
import type { BodySink, BodySource } from '../message/body.ts';
import type { ResponseBodyLength } from '../message/h1/body-reader.ts';
import type { H1Error } from '../message/h1/error.ts';
import type { FieldText } from '../message/h1/field-text.ts';
import type { MessageWriter } from '../message/h1/message-writer.ts';
import type { H1RequestHead } from '../message/h1/request-parser.ts';
import { responseHead } from '../message/h1/serialise.ts';
import { HeaderList } from '../message/header-list.ts';
import { stripRequestTrailers } from '../message/hop-by-hop.ts';
import type { ResponseHead } from '../message/response.ts';
import type { ClientEvents, ClientStream } from '../pipeline/client-stream.ts';
import type { Caller } from '../principals/caller.ts';
import { headRefusal } from './head-refusal.ts';
import { problemAnswer } from './problem.ts';
import type { KeyChallenge } from './problem.ts';

/** What a stream needs of its connection. */
export interface H1StreamOptions {
  /** What comes from the client can be paused. */
  readonly reading: { pause(): void; resume(): void };
  readonly challenge: KeyChallenge;
  readonly fieldText: FieldText;
  /** Whether the connection takes another request after this one. */
  persists(): boolean;
  /** From now on the client is waited for: for bytes of the body. */
  waiting(): void;
  /** The answer is complete; `persist` false: no other request may follow. */
  ended(persist: boolean): void;
  /** Closes the connection at once; `reset`: in a way that cannot be taken for the end of the answer. */
  breakOff(reset: boolean): void;
}

/** A refused request with more body than this to come costs the client its connection. */
const MAX_DISCARD = 1024 * 1024;

const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';

/** The client's side of one exchange over HTTP/1.1: the body of its request, and the answer. */
export class H1Stream implements ClientStream, BodySource {
  readonly #request: H1RequestHead;
  readonly #writer: MessageWriter;
  readonly #options: H1StreamOptions;
  #events: ClientEvents | undefined;
  #sink: BodySink | undefined;
  /** Body that came before anybody asked for it. */
  #early: Buffer[] | undefined;
  #trailers: HeaderList | undefined;
  #failure: Error | undefined;
  #bodyState: 'unasked' | 'flowing' | 'paused' | 'discarded' = 'unasked';
  #continued = false;
  #answer: 'none' | 'head' | 'complete' = 'none';
  #persist = false;
  #closeDelimited = false;
  requestComplete = false;

  constructor(request: H1RequestHead, writer: MessageWriter, options: H1StreamOptions) {
    this.#request = request;
    this.#writer = writer;
    this.#options = options;
  }

  get body(): BodySource | undefined {
    return this.#request.bodyLength.kind === 'none' ? undefined : this;
  }

  /** Whether the answer is complete. */
  get answered(): boolean {
    return this.#answer === 'complete';
  }

  /** Whether nothing but the client keeps the body from going on. */
  get awaitsBody(): boolean {
    return !this.requestComplete && this.#bodyState === 'flowing';
  }

  /** Whether the client holds its body back until it is told to go on. */
  get #awaitsContinue(): boolean {
    return this.#request.expectsContinue && !this.#continued && this.#early === undefined && !this.requestComplete;
  }

  // --- the connection reads -------------------------------------------------------------------------------------------------------

  /** Bytes of the body. */
  bodyData(chunk: Buffer): void {
    if (this.#bodyState === 'discarded') return;
    if (this.#sink === undefined) {
      (this.#early ??= []).push(chunk);
      this.#options.reading.pause();
    } else if (!this.#sink.write(chunk)) this.#pause();
  }

  /** The request is complete. */
  bodyEnd(trailers: HeaderList | undefined): void {
    this.requestComplete = true;
    if (trailers !== undefined) stripRequestTrailers(trailers);
    this.#trailers = trailers;
    // What was paused for the body must not hide that the client leaves; what it sends now is held by the connection.
    this.#options.reading.resume();
    if (this.#sink !== undefined) this.#endBody(this.#sink);
  }

  /** The body cannot be read any further: the answer will say why, or break off. */
  bodyFailed(error: H1Error | 'slow'): void {
    this.#failBody(headRefusal(error));
  }

  /** The client has read what was written. */
  drained(): void {
    this.#events?.drain();
  }

  /** The client has left. */
  clientGone(): void {
    if (this.#answer === 'complete') return;
    this.#answer = 'complete';
    this.#events?.gone();
    this.#failBody(new Error('the client closed the connection within the body'));
  }

  // --- the body of the request ----------------------------------------------------------------------------------------------------

  start(sink: BodySink): void {
    if (this.#awaitsContinue && this.#answer === 'none') {
      this.#continued = true;
      this.#writer.informational(CONTINUE);
    }
    this.#sink = sink;
    this.#bodyState = 'flowing';
    if (this.#failure !== undefined) {
      this.#failBody(this.#failure);
      return;
    }
    let takes = true;
    for (const chunk of this.#early ?? []) takes = sink.write(chunk);
    this.#early = undefined;
    if (this.requestComplete) this.#endBody(sink);
    else if (takes) this.resume();
    else this.#pause();
  }

  resume(): void {
    if (this.#bodyState === 'discarded') return;
    this.#bodyState = 'flowing';
    this.#options.waiting();
    this.#options.reading.resume();
  }

  cancel(): void {
    this.#discard();
  }

  // --- the answer -----------------------------------------------------------------------------------------------------------------

  listen(events: ClientEvents): void {
    this.#events = events;
    // The client left while its key was being looked up.
    if (this.#answer === 'complete') events.gone();
  }

  informational(head: ResponseHead): void {
    // The client has had its 100 when the body was asked for.
    if (this.#request.version !== '1.1' || this.#answer !== 'none' || (head.status === 100 && this.#continued)) return;
    this.#writer.informational(responseHead(head.status, head.reason, head.headers, { kind: 'none' }));
  }

  head(head: ResponseHead): void {
    const framing = this.#framing(head);
    // An answer that comes before the body is complete leaves the rest of it on the connection.
    const whole = this.requestComplete || this.#request.bodyLength.kind === 'none';
    this.#persist = whole && framing.kind !== 'close' && this.#options.persists();
    const headers = this.#persist ? head.headers : closing(head.headers);
    this.#writer.head(responseHead(head.status, head.reason, headers, framing, this.#options.fieldText), framing);
    this.#answer = 'head';
    this.#closeDelimited = framing.kind === 'close';
  }

  write(chunk: Buffer): boolean {
    return this.#answer !== 'head' || this.#writer.data(chunk);
  }

  end(trailers?: HeaderList): void {
    if (this.#answer !== 'head') return;
    this.#writer.end(trailers);
    this.#complete(this.#persist);
  }

  refuse(error: AlterError, requestId: string, caller?: Caller): void {
    if (this.#answer !== 'none') {
      this.cut();
      return;
    }
    const { status, headers, body } = problemAnswer(error, requestId, this.#options.challenge, caller);
    const persist = this.#options.persists() && this.#mayReuse(error);
    const fields = new HeaderList(headers);
    const head = responseHead(status, STATUS_CODES[status] ?? '', persist ? fields : closing(fields), {
      kind: 'length',
      bytes: body.length,
    });
    const withBody = this.#request.method !== 'HEAD';
    this.#writer.head(head, withBody ? { kind: 'length', bytes: body.length } : { kind: 'none' });
    if (withBody) this.#writer.data(body);
    this.#writer.end(undefined);
    this.#complete(persist);
  }

  retract(): boolean {
    if (this.#answer !== 'head' || !this.#writer.retract()) return false;
    this.#answer = 'none';
    this.#closeDelimited = false;
    return true;
  }

  cut(): void {
    this.#answer = 'complete';
    this.#options.breakOff(this.#closeDelimited);
  }

  /** How the body of an answer is framed for this client. */
  #framing({ status, headers }: ResponseHead): ResponseBodyLength {
    if (this.#request.method === 'HEAD' || status === 204 || status === 304) return { kind: 'none' };
    const length = headers.get('content-length');
    if (length !== undefined) return { kind: 'length', bytes: Number(length) };
    return { kind: this.#request.version === '1.1' ? 'chunked' : 'close' };
  }

  #mayReuse(error: AlterError): boolean {
    const { bodyLength } = this.#request;
    if (error.code === 'malformed_request' || error.code === 'shutting_down' || this.#failure !== undefined) return false;
    if (this.requestComplete || bodyLength.kind === 'none') return true;
    // A client that waits for 100 may send the body all the same, or the next request: there is no telling.
    return !this.#awaitsContinue && bodyLength.kind === 'length' && bodyLength.bytes <= MAX_DISCARD;
  }

  #complete(persist: boolean): void {
    this.#answer = 'complete';
    if (!this.requestComplete) this.#discard();
    this.#options.ended(persist);
  }

  #pause(): void {
    this.#bodyState = 'paused';
    this.#options.reading.pause();
  }

  /** Nobody wants the rest of the body. */
  #discard(): void {
    this.#bodyState = 'discarded';
    this.#sink = undefined;
    this.#early = undefined;
    this.#options.reading.resume();
  }

  #endBody(sink: BodySink): void {
    this.#sink = undefined;
    sink.end(this.#trailers);
  }

  #failBody(error: Error): void {
    this.#failure ??= error;
    const sink = this.#sink;
    this.#discard();
    sink?.abort(error);
  }
}

/** The fields of an answer after which the connection is closed. */
function closing(headers: HeaderList): HeaderList {
  headers.append('Connection', 'close');
  return headers;
}
