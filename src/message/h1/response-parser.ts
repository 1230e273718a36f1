import type { HeaderList } from '../header-list.ts';
import type { ResponseHead } from '../response.ts';
import { BodyReader, type ResponseBodyLength } from './body-reader.ts';
import { H1Error } from './error.ts';
import { noBody, type HeadFields, type H1Version } from './head-fields.ts';
import { HeadReader } from './head-reader.ts';
import type { H1Limits } from './limits.ts';
import { StatusLine } from './start-line.ts';

/** Head of a response as it stood on the wire, unambiguous. */
export interface H1ResponseHead extends ResponseHead {
  readonly version: H1Version;
  readonly bodyLength: ResponseBodyLength;
  /** Whether the connection can carry another request after this response. */
  readonly keepAlive: boolean;
  /** The protocols in Upgrade, if Connection names it. */
  readonly upgrade: string | undefined;
}

/**
 * Receives what a {@link ResponseParser} reads: informational …, then head, data …, end; or upgrade and no more. A handler must not call
 * the parser, and must not throw.
 */
export interface ResponseHandler {
  /** A 1xx response other than 101. */
  informational(head: H1ResponseHead): void;
  /** 101, or 2xx to CONNECT: the bytes that `execute` does not read belong to the other protocol. */
  upgrade(head: H1ResponseHead): void;
  head(head: H1ResponseHead): void;
  /** `chunk` is a view into the bytes given to the parser. */
  data(chunk: Buffer): void;
  end(trailers: HeaderList | undefined): void;
}

/** What is known of the request whose response comes next. */
interface Expectation {
  readonly method: string;
  readonly upgradeRequested: boolean;
}

/**
 * Reads the responses on one upstream connection, as strictly as requests are read, so that a broken or hostile origin cannot
 * desynchronise a client. After an error, an upgrade or a body that ended with the connection the parser is dead.
 */
export class ResponseParser {
  readonly #handler: ResponseHandler;
  readonly #limits: H1Limits;
  readonly #line = new StatusLine();
  readonly #head: HeadReader;
  readonly #body: BodyReader;
  #expected: Expectation | undefined;
  #state: 'idle' | 'head' | 'body' | 'dead' = 'idle';
  #informational = 0;
  #executing = false;

  constructor(handler: ResponseHandler, limits: H1Limits) {
    this.#handler = handler;
    this.#limits = limits;
    this.#head = new HeadReader(this.#line, limits, false);
    this.#body = new BodyReader(limits, (chunk) => {
      handler.data(chunk);
    });
  }

  /** Whether no response is awaited or under way. */
  get atMessageBoundary(): boolean {
    return this.#state === 'idle';
  }

  /**
   * Announces the request whose response comes next. `upgradeRequested`: it asked for another protocol, so 101 may come.
   * To be called between calls of `execute` only: bytes that lie behind the last response must not become the next one.
   */
  expect(method: string, upgradeRequested = false): void {
    if (this.#state !== 'idle' || this.#executing) throw new Error('a response is still under way');
    this.#expected = { method, upgradeRequested };
    this.#informational = 0;
    this.#state = 'head';
  }

  /**
   * Reads bytes from `from` on. Returns the index of the first byte not read: the end of the chunk, or where another protocol begins.
   * @throws H1Error, also `unexpected_bytes` for bytes behind the end of a response.
   */
  execute(chunk: Buffer, from = 0): number {
    if (this.#state === 'dead') throw new Error('the parser has failed or ended before');
    this.#executing = true;
    try {
      return this.#execute(chunk, from);
    } catch (error) {
      this.#state = 'dead';
      throw error;
    } finally {
      this.#executing = false;
    }
  }

  /** The origin sends no more. @throws H1Error `truncated` when a response was awaited or under way, unless this ends its body. */
  finish(): void {
    const state = this.#state;
    this.#state = 'dead';
    if (state === 'body' && this.#body.endsWithConnection) this.#handler.end(undefined);
    else if (state === 'head' || state === 'body') throw new H1Error('truncated');
  }

  #execute(chunk: Buffer, from: number): number {
    let at = from;
    while (this.#state === 'head' && at < chunk.length) {
      at = this.#head.read(chunk, at);
      if (this.#head.complete && this.#finishHead() === 'handed-over') return at;
    }
    if (this.#state === 'body') at = this.#readBody(chunk, at);
    if (at < chunk.length && this.#state === 'idle') throw new H1Error('unexpected_bytes');
    return at;
  }

  #readBody(chunk: Buffer, from: number): number {
    const at = this.#body.read(chunk, from);
    if (this.#body.complete) {
      this.#state = 'idle';
      this.#handler.end(this.#body.trailers);
    }
    return at;
  }

  #finishHead(): 'handed-over' | 'goes-on' {
    const head = readHead(this.#line, this.#head.fields, this.#expected);
    this.#head.reset();
    if (head.status === 101 || isTunnel(head.status, this.#expected)) {
      this.#state = 'dead';
      this.#handler.upgrade(head);
      return 'handed-over';
    }
    if (head.status < 200) {
      this.#informational += 1;
      if (this.#informational > this.#limits.maxInformational) throw new H1Error('too_many_informational');
      this.#handler.informational(head);
      return 'goes-on';
    }
    this.#state = 'body';
    this.#body.begin(head.bodyLength);
    this.#handler.head(head);
    return 'goes-on';
  }
}

function readHead(line: StatusLine, fields: HeadFields, expected: Expectation | undefined): H1ResponseHead {
  const { status, reason, version } = line;
  const bodyLength = bodyLengthOf(line, fields, expected);
  const upgrade = fields.upgrade;
  if (status === 101 && (expected?.upgradeRequested !== true || upgrade === undefined || version === '1.0')) {
    throw new H1Error('unexpected_upgrade');
  }
  // RFC 9110 §15.2. Some take such a response for the last one on its connection.
  if (status < 200 && version === '1.0') throw new H1Error('informational_in_http10');
  if (status < 200 && fields.close) throw new H1Error('informational_closes');
  return {
    status,
    reason,
    version,
    headers: fields.list,
    bodyLength,
    keepAlive: keepsAlive(version, fields, bodyLength),
    upgrade,
  };
}

/** RFC 9112 §6.3, in its order; a length where no body can be is refused, as it invites others to read one. */
function bodyLengthOf({ status, version }: StatusLine, fields: HeadFields, expected: Expectation | undefined): ResponseBodyLength {
  const announced = fields.bodyLength(version);
  if (status < 200 || status === 204 || isTunnel(status, expected)) {
    // Content-Length: 0 says the same once more; many servers send it with 204.
    if (fields.announcesBody) throw new H1Error('body_not_allowed');
    return noBody();
  }
  if (status === 304 || expected?.method === 'HEAD') return noBody();
  return announced ?? { kind: 'close' };
}

/** RFC 9110 §9.3.6: any 2xx to CONNECT opens the tunnel. */
function isTunnel(status: number, expected: Expectation | undefined): boolean {
  return expected?.method === 'CONNECT' && status >= 200 && status < 300;
}

/** RFC 9112 §9.3. */
function keepsAlive(version: H1Version, fields: HeadFields, bodyLength: ResponseBodyLength): boolean {
  if (fields.close || bodyLength.kind === 'close') return false;
  return version === '1.1' || fields.keepAlive;
}
