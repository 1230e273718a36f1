import type { Socket } from 'node:net';
import { AlterError } from '../errors.ts';
import type { BodySource } from '../message/body.ts';
import { H1Error } from '../message/h1/error.ts';
import { FieldText } from '../message/h1/field-text.ts';
import type { H1Limits } from '../message/h1/limits.ts';
import { MessageWriter } from '../message/h1/message-writer.ts';
import { ResponseParser, type H1ResponseHead } from '../message/h1/response-parser.ts';
import { requestHead } from '../message/h1/serialise.ts';
import type { HeaderList } from '../message/header-list.ts';
import type { OutboundRequest } from '../message/request.ts';
import type { ResponseHead } from '../message/response.ts';
import { atTurnEnd } from '../message/turn-end.ts';
import { TurnReader } from '../message/turn-reader.ts';
import { formatTarget } from '../message/url.ts';
import { dialError } from './dial.ts';

/** Hears of the one response that it waits for. */
export interface ResponseReader {
  informational(head: ResponseHead): void;
  head(head: ResponseHead): void;
  /** False means: pause until {@link H1Connection.resume}. */
  data(chunk: Buffer): boolean;
  end(trailers: HeaderList | undefined): void;
  /**
   * No response, or no more of it. `stale`: the connection had been used before and was closed without one byte of an answer, so the
   * server may have closed it before it saw the request.
   */
  failed(error: AlterError, stale: boolean): void;
}

/** What a connection is given. Times are milliseconds. */
export interface H1ConnectionOptions {
  readonly limits: H1Limits;
  readonly host: string;
  readonly headersTimeoutMs: number;
  /** 0: none. */
  readonly bodyTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly maxLifetimeMs: number;
  /** The connection takes another request. */
  free(connection: H1Connection): void;
  /** The connection is closed, or takes no other request. */
  lost(connection: H1Connection): void;
}

/** A server that says when it closes is believed, with so much to spare. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/** One connection to an origin: one request and its response at a time. */
export class H1Connection {
  readonly #socket: Socket;
  readonly #options: H1ConnectionOptions;
  readonly #parser: ResponseParser;
  readonly #writer: MessageWriter;
  readonly #fieldText = new FieldText();
  readonly #flush: () => void;
  readonly #arrivals: TurnReader;
  readonly #opened: number;
  #reader: ResponseReader | undefined;
  #body: BodySource | undefined;
  #requestComplete = true;
  #bodyBlocked = false;
  #answered: 'nothing' | 'bytes' | 'head' = 'nothing';
  #requests = 0;
  #since: number;
  #idleMs: number;
  #keepAlive = true;
  #retired = false;
  #paused = false;
  #lost = false;

  constructor(socket: Socket, options: H1ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#opened = this.#since = performance.now();
    this.#idleMs = options.keepAliveMs;
    this.#flush = () => {
      if (!socket.destroyed) this.#writer.flush();
    };
    this.#writer = new MessageWriter(socket, () => {
      atTurnEnd(this.#flush);
    });
    this.#parser = new ResponseParser(
      {
        informational: (head) => {
          this.#reader?.informational(head);
        },
        upgrade: () => {
          // Nothing that the proxy sends asks for another protocol.
          this.#fail(protocolError(options.host, 'it switches protocols'));
        },
        head: (head) => {
          this.#head(head);
        },
        data: (chunk) => {
          if (this.#reader?.data(chunk) === false) this.#pause();
        },
        end: (trailers) => {
          this.#end(trailers);
        },
      },
      options.limits,
    );
    this.#arrivals = new TurnReader((chunk) => {
      this.#read(chunk);
    });
    socket.on('data', (chunk: Buffer) => {
      this.#arrived(chunk);
    });
    socket.on('drain', () => {
      this.#drained();
    });
    socket.on('end', () => {
      this.#arrivals.now();
      this.#finish();
    });
    socket.on('error', (error) => {
      this.#arrivals.now();
      this.#fail(this.#requestComplete ? dialError(error, options.host) : brokenOff(error, options.host), 'closed');
    });
    socket.on('close', () => {
      this.#arrivals.now();
      this.#fail(closedEarly(options.host), 'closed');
    });
  }

  /** Whether the connection can take a request now. */
  get usable(): boolean {
    return !this.#lost && this.#reader === undefined && !this.#socket.destroyed && !this.#socket.readableEnded;
  }

  /**
   * Sends a request; `reader` hears of its response.
   * @throws Error when the request cannot be written unambiguously; nothing has been sent then.
   */
  send(request: OutboundRequest, body: BodySource | undefined, reader: ResponseReader): void {
    const { method, headers, bodyLength, acceptsTrailers } = request;
    const head = requestHead(method, formatTarget(request.url), headers, bodyLength, acceptsTrailers, this.#fieldText);
    this.#parser.expect(method);
    this.#reader = reader;
    this.#answered = 'nothing';
    this.#requests += 1;
    this.#since = performance.now();
    if (body === undefined) this.#writer.headOnly(head);
    else {
      this.#writer.head(head, bodyLength);
      this.#sendBody(body, headers);
    }
  }

  /** The reader takes bytes again. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#since = performance.now();
    this.#socket.resume();
    this.#arrivals.resume();
  }

  /** Takes no other request after the one under way. */
  retire(): void {
    this.#retired = true;
  }

  /** Closes the connection; its reader hears nothing more. */
  destroy(): void {
    this.#reader = undefined;
    this.#lose();
  }

  /** Ends the exchange under way with `error`, or the idle connection. */
  interrupt(error: AlterError): void {
    this.#fail(error);
  }

  /** Looks whether the origin has kept the proxy waiting for too long, and whether the idle connection has had its time. */
  sweep(): void {
    const { headersTimeoutMs, bodyTimeoutMs, maxLifetimeMs, host } = this.#options;
    const waited = performance.now() - this.#since;
    if (this.#reader === undefined) {
      if (waited > this.#idleMs || performance.now() - this.#opened > maxLifetimeMs) this.#lose();
    } else if (this.#answered !== 'head') {
      // While the client sends, the origin owes nothing; an origin that does not read does.
      const owed = this.#requestComplete || this.#bodyBlocked;
      if (owed && waited > headersTimeoutMs) this.#fail(timedOut(host));
    } else if (bodyTimeoutMs > 0 && !this.#paused && waited > bodyTimeoutMs) {
      this.#fail(timedOut(host));
    }
  }

  #sendBody(body: BodySource, headers: HeaderList): void {
    this.#body = body;
    this.#requestComplete = false;
    body.start({
      write: (chunk) => {
        if (this.#body !== body) return true;
        this.#since = performance.now();
        this.#bodyBlocked = !this.#writer.data(chunk);
        return !this.#bodyBlocked;
      },
      end: (trailers) => {
        if (this.#body !== body) return;
        this.#body = undefined;
        this.#requestComplete = true;
        this.#since = performance.now();
        this.#writer.end(trailers === undefined ? undefined : withoutHeadFields(trailers, headers));
      },
      abort: (cause) => {
        if (this.#body !== body) return;
        this.#body = undefined;
        this.#fail(cause instanceof AlterError ? cause : new AlterError('malformed_request', { detail: 'the body is incomplete', cause }));
      },
    });
  }

  #drained(): void {
    if (!this.#bodyBlocked) return;
    this.#bodyBlocked = false;
    this.#since = performance.now();
    this.#body?.resume();
  }

  #arrived(chunk: Buffer): void {
    this.#arrivals.now();
    // What nobody waits for is judged before anybody does; and what is here before the request has left is no answer to it.
    if (this.#reader === undefined) this.#read(chunk);
    else if (this.#writer.begun) this.#arrivals.later(chunk);
    else this.#fail(protocolError(this.#options.host, 'it came before the request'), 'closed');
  }

  #read(chunk: Buffer): void {
    if (this.#lost) return;
    // Bytes of a head buy no time, nor do informational heads: the answer has so long from the end of the request on.
    if (this.#answered === 'head') this.#since = performance.now();
    else this.#answered = 'bytes';
    try {
      this.#parser.execute(chunk);
    } catch (error) {
      if (!(error instanceof H1Error)) throw error;
      this.#fail(protocolError(this.#options.host, error.message));
      return;
    }
    if (this.#reader === undefined && this.#requests > 0) this.#release();
  }

  #head(head: H1ResponseHead): void {
    this.#answered = 'head';
    this.#since = performance.now();
    this.#keepAlive = head.keepAlive;
    if (head.keepAlive) this.#believe(head.headers.get('keep-alive'));
    this.#reader?.head(head);
  }

  #end(trailers: HeaderList | undefined): void {
    const reader = this.#reader;
    this.#reader = undefined;
    reader?.end(trailers);
  }

  /** The response is complete and everything that came has been read: another request may follow, if nothing of this one is left. */
  #release(): void {
    if (this.#lost) return;
    const young = performance.now() - this.#opened <= this.#options.maxLifetimeMs;
    if (this.#keepAlive && this.#requestComplete && young && !this.#retired) {
      if (this.#paused) this.resume();
      this.#options.free(this);
    } else this.#lose();
  }

  /** The origin sends no more. */
  #finish(): void {
    if (this.#lost) return;
    try {
      this.#parser.finish();
    } catch (error) {
      if (!(error instanceof H1Error)) throw error;
      this.#fail(closedEarly(this.#options.host), 'closed');
      return;
    }
    this.#lose();
  }

  #fail(error: AlterError, cause: 'closed' | 'other' = 'other'): void {
    const reader = this.#reader;
    const stale = cause === 'closed' && this.#requests > 1 && this.#answered === 'nothing';
    this.#reader = undefined;
    this.#lose();
    reader?.failed(error, stale);
  }

  #lose(): void {
    if (this.#lost) return;
    this.#lost = true;
    const body = this.#body;
    this.#body = undefined;
    this.#socket.destroy();
    this.#options.lost(this);
    body?.cancel(new Error('the connection to the origin is closed'));
  }

  #pause(): void {
    this.#paused = true;
    this.#arrivals.pause();
    this.#socket.pause();
  }

  /** `Keep-Alive: timeout=5` (RFC 2068 §19.7.1): a connection that the server is about to close is not worth a failed request. */
  #believe(keepAlive: string | undefined): void {
    const { keepAliveMs } = this.#options;
    const seconds = keepAlive === undefined ? undefined : /(?:^|[,\s])timeout=(\d{1,6})/i.exec(keepAlive)?.[1];
    this.#idleMs = seconds === undefined ? keepAliveMs : Math.min(keepAliveMs, Math.max(0, Number(seconds) * 1000 - KEEP_ALIVE_MARGIN_MS));
  }
}

/** A trailer cannot bring back what the head says already: a recipient that merges both would take the caller's credential. */
function withoutHeadFields(trailers: HeaderList, headers: HeaderList): HeaderList | undefined {
  const names = new Set(headers.names.map(({ folded }) => folded));
  trailers.filter((name) => !names.has(name.folded));
  return trailers.size === 0 ? undefined : trailers;
}

function protocolError(host: string, reason: string): AlterError {
  return new AlterError('upstream_protocol_error', { detail: `${host} sent an invalid answer: ${reason}` });
}

function closedEarly(host: string): AlterError {
  return new AlterError('upstream_unreachable', { detail: `${host} closed the connection before the answer was complete` });
}

/** An origin that refuses an upload and closes has often answered; the error of writing comes before its answer can be read. */
function brokenOff(cause: Error, host: string): AlterError {
  const error = dialError(cause, host);
  if (error.code !== 'upstream_unreachable') return error;
  const { rule } = error;
  const detail = `${host} closed the connection while the request was being sent${rule === undefined ? '' : ` (${rule})`}`;
  return new AlterError('upstream_unreachable', { detail, cause, ...(rule === undefined ? {} : { rule }) });
}

function timedOut(host: string): AlterError {
  return new AlterError('upstream_timeout', { detail: `${host} did not answer in time` });
}
