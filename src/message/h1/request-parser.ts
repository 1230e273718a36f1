import type { BodyLength } from '../body.ts';
import type { HeaderList } from '../header-list.ts';
import { BodyReader } from './body-reader.ts';
import { H1Error } from './error.ts';
import { noBody, type HeadFields, type H1Version } from './head-fields.ts';
import { HeadReader } from './head-reader.ts';
import type { H1Limits } from './limits.ts';
import { RequestLine } from './start-line.ts';

/** Head of a request as it stood on the wire, unambiguous. */
export interface H1RequestHead {
  readonly method: string;
  /** The request target as sent, in one of the four forms of RFC 9112 §3.2. */
  readonly target: string;
  readonly version: H1Version;
  readonly headers: HeaderList;
  readonly bodyLength: BodyLength;
  /** The one Host value; undefined: HTTP/1.0 without Host. */
  readonly host: string | undefined;
  /** Whether the client wants to send another request on this connection. */
  readonly keepAlive: boolean;
  /** Whether the client waits for a 100 before it sends the body. */
  readonly expectsContinue: boolean;
  /**
   * Whether the client takes trailers (RFC 9110 §10.1.4). It counts also where Connection does not name TE: clients of gRPC, whose HTTP/2 has no
   * Connection, send it so.
   */
  readonly acceptsTrailers: boolean;
  /** The protocols in Upgrade, if Connection names it. */
  readonly upgrade: string | undefined;
}

/** Receives what a {@link RequestParser} reads: head, data …, end. A handler must not call the parser, and must not throw. */
export interface RequestHandler {
  head(head: H1RequestHead): void;
  /** `chunk` is a view into the bytes given to the parser. */
  data(chunk: Buffer): void;
  end(trailers: HeaderList | undefined): void;
}

/**
 * Reads the requests of one client connection, strictly: what two implementations could read in two ways is refused (RFC 9112 §2.2, §3, §5, §6, §7,
 * §11). After an error the parser is dead.
 */
export class RequestParser {
  readonly #handler: RequestHandler;
  readonly #line = new RequestLine();
  readonly #head: HeadReader;
  readonly #body: BodyReader;
  #state: 'head' | 'body' | 'dead' = 'head';

  constructor(handler: RequestHandler, limits: H1Limits) {
    this.#handler = handler;
    this.#head = new HeadReader(this.#line, limits, true);
    this.#body = new BodyReader(limits, (chunk) => {
      handler.data(chunk);
    });
  }

  /** Whether no part of a request has been read since the last one ended. */
  get atMessageBoundary(): boolean {
    return this.#state === 'head' && this.#head.idle;
  }

  /**
   * Reads bytes from `from` on until the chunk ends or one request is complete. Returns the index of the first byte not read: of the next
   * request, or after CONNECT and an accepted Upgrade of the other protocol.
   * @throws H1Error
   */
  execute(chunk: Buffer, from = 0): number {
    if (this.#state === 'dead') throw new Error('the parser has failed before');
    try {
      return this.#execute(chunk, from);
    } catch (error) {
      this.#state = 'dead';
      throw error;
    }
  }

  /** The client sends no more. @throws H1Error `truncated` within a request. */
  finish(): void {
    const between = this.atMessageBoundary;
    const dead = this.#state === 'dead';
    this.#state = 'dead';
    if (!between && !dead) throw new H1Error('truncated');
  }

  #execute(chunk: Buffer, from: number): number {
    let at = from;
    if (this.#state === 'head') {
      at = this.#head.read(chunk, at);
      if (!this.#head.complete) return at;
      this.#beginBody(readHead(this.#line, this.#head.fields));
    }
    at = this.#body.read(chunk, at);
    if (this.#body.complete) this.#end();
    return at;
  }

  #beginBody(head: H1RequestHead): void {
    this.#head.reset();
    this.#state = 'body';
    this.#body.begin(head.bodyLength);
    this.#handler.head(head);
  }

  #end(): void {
    this.#state = 'head';
    this.#handler.end(this.#body.trailers);
  }
}

function readHead(line: RequestLine, fields: HeadFields): H1RequestHead {
  const { method, target, version } = line;
  const bodyLength = fields.bodyLength(version) ?? noBody();
  checkHost(version, fields);
  // RFC 9110 §9.3.6: content of a CONNECT has no meaning, and what follows its head belongs to the tunnel.
  if (method === 'CONNECT' && bodyLength.kind !== 'none') throw new H1Error('connect_with_body');
  return {
    method,
    target,
    version,
    headers: fields.list,
    bodyLength,
    host: fields.host,
    // RFC 9112 §9.3: a proxy does not persist with an HTTP/1.0 client, whatever its Connection says.
    keepAlive: version === '1.1' && !fields.close,
    expectsContinue: expectsContinue(version, fields),
    acceptsTrailers: version === '1.1' && fields.acceptsTrailers,
    upgrade: version === '1.1' ? fields.upgrade : undefined,
  };
}

/** RFC 9112 §3.2. */
function checkHost(version: H1Version, fields: HeadFields): void {
  if (fields.hosts > 1) throw new H1Error('two_hosts');
  if (fields.host === undefined && version === '1.1') throw new H1Error('missing_host');
  if (fields.host === '') throw new H1Error('empty_host');
}

/**
 * RFC 9110 §10.1.1: a 1.0 client cannot wait, and without content there is nothing to wait for. What else it expects is refused in 1.0, too:
 * the request leaves in 1.1.
 */
function expectsContinue(version: H1Version, fields: HeadFields): boolean {
  if (fields.expect === undefined) return false;
  if (fields.expect.toLowerCase() !== '100-continue') throw new H1Error('bad_expectation');
  return version === '1.1' && fields.announcesBody;
}
