import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OriginRecord, RecordedRequest } from './origin-recording.ts';

const CHUNK = Buffer.alloc(64 * 1024, Buffer.from(Array.from({ length: 256 }, (_, octet) => octet)));

/** A request at one of the routes. */
interface Visit {
  readonly message: IncomingMessage;
  readonly response: ServerResponse;
  readonly request: RecordedRequest;
  readonly query: URLSearchParams;
}

interface EventStream {
  readonly response: ServerResponse;
  remaining: number;
}

/** SHA-256 (hex) of the body that `/big?bytes=<bytes>` answers. */
export function bigBodySha256(bytes: number): string {
  const hash = createHash('sha256');
  for (let left = bytes; left > 0; left -= CHUNK.length) hash.update(CHUNK.subarray(0, left));
  return hash.digest('hex');
}

/**
 * The default routes of a test origin:
 *
 * - `/status/<n>` answers with that status
 * - `/big?bytes=n[&chunked=1]` streams n octets, see {@link bigBodySha256}
 * - `/sse[?n=3][&interval=20]` server-sent events: by the clock with `interval`, else by {@link OriginRoutes.emit}; ends after n
 * - `/slow-headers` answers nothing until {@link OriginRoutes.release}; `/stall-body` half a body until then
 * - `/stall-upload` reads nothing of the request's body until then
 * - `/reset` destroys the connection; `/reset?after=body` in the middle of a body
 * - `/garbage` writes octets that are not HTTP
 * - `/reflect[?reason=…]` answers 103, then 200, with the request's credentials in response headers (plain, base64 and percent-encoded) and in
 *   the reason phrases, where none is given
 * - `/redirect[?to=…][&status=302]`, `/alt-svc`, `/cookies`, `/close` (Connection: close)
 * - `/early-hints` answers 103, then 200; `/trailers` sends a trailer field
 * - `/echo` and any other path: a JSON document of what was received
 */
export class OriginRoutes {
  readonly #record: OriginRecord;
  readonly #streams = new Set<EventStream>();
  readonly #stalled = new Set<() => void>();

  constructor(record: OriginRecord) {
    this.#record = record;
  }

  /** Open event streams. */
  get eventStreams(): number {
    return this.#streams.size;
  }

  /** Sends one event on every open event stream. */
  emit(data: string): void {
    for (const stream of this.#streams) {
      stream.response.write(`data: ${data}\n\n`);
      stream.remaining -= 1;
      if (stream.remaining <= 0) stream.response.end();
    }
  }

  /** Ends every open event stream. */
  endEvents(): void {
    for (const { response } of this.#streams) response.end();
  }

  /** Lets go whatever `/slow-headers`, `/stall-body` and `/stall-upload` hold back. */
  release(): void {
    for (const go of this.#stalled) go();
    this.#stalled.clear();
  }

  /** Answers a request. */
  async answer(message: IncomingMessage, response: ServerResponse, request: RecordedRequest): Promise<void> {
    const [path = '', search = ''] = request.url.split('?', 2);
    const visit: Visit = { message, response, request, query: new URLSearchParams(search) };
    if (path === '/stall-upload') await this.#released();
    const whole = this.#record.readBody(message, request);
    if (this.#streaming(path, visit)) return;
    await whole;
    respond(path, visit);
  }

  /** The routes that do not wait for the request's body; false when `path` is none of them. */
  #streaming(path: string, visit: Visit): boolean {
    switch (path) {
      case '/big':
        streamBig(visit, this.#record);
        return true;
      case '/sse':
        this.#events(visit);
        return true;
      case '/slow-headers':
        void this.#released().then(() => visit.response.end('released'));
        return true;
      case '/stall-body':
        visit.response.writeHead(200, { 'Content-Length': 20 });
        visit.response.write('first half');
        void this.#released().then(() => visit.response.end('other half'));
        return true;
      case '/reset':
        reset(visit);
        return true;
      case '/garbage':
        visit.message.socket.end('this is not HTTP at all\r\n\r\n');
        return true;
      default:
        return false;
    }
  }

  #released(): Promise<void> {
    return new Promise((resolve) => {
      this.#stalled.add(resolve);
    });
  }

  #events({ response, query }: Visit): void {
    response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
    response.flushHeaders();
    const stream: EventStream = { response, remaining: Number(query.get('n') ?? Number.POSITIVE_INFINITY) };
    this.#streams.add(stream);
    const interval = query.get('interval');
    let sent = 0;
    const timer =
      interval === null
        ? undefined
        : setInterval(() => {
            sent += 1;
            stream.remaining -= 1;
            response.write(`data: ${sent.toString()}\n\n`);
            if (stream.remaining <= 0) response.end();
          }, Number(interval));
    response.once('close', () => {
      clearInterval(timer);
      this.#streams.delete(stream);
      this.#record.changed();
    });
    this.#record.changed();
  }
}

function respond(path: string, { response, request, query }: Visit): void {
  const status = /^\/status\/(\d{3})$/.exec(path)?.[1];
  if (status !== undefined) {
    response.writeHead(Number(status), { 'Content-Type': 'text/plain' }).end(`status ${status}`);
    return;
  }
  switch (path) {
    case '/reflect':
      reflect(response, request, query.get('reason') ?? `it was sent ${request.headers.authorization ?? 'nothing'}`);
      return;
    case '/redirect':
      response.writeHead(Number(query.get('status') ?? 302), { Location: query.get('to') ?? '/echo' }).end();
      return;
    case '/alt-svc':
      response.writeHead(200, { 'Alt-Svc': 'h3=":443"; ma=86400' }).end('alt-svc');
      return;
    case '/cookies':
      response.writeHead(200, { 'Set-Cookie': ['first=1; Path=/', 'second=2; HttpOnly'] }).end('cookies');
      return;
    case '/close':
      response.writeHead(200, { Connection: 'close' }).end('closed');
      return;
    case '/early-hints':
      response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' }, () => response.end('after the hints'));
      return;
    case '/trailers':
      response.writeHead(200, { Trailer: 'X-Checksum' });
      response.write('body before the trailers');
      response.addTrailers({ 'X-Checksum': 'abc123' });
      response.end();
      return;
    default:
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(request));
  }
}

function reset({ message, response, query }: Visit): void {
  if (query.get('after') !== 'body') {
    message.socket.destroy();
    return;
  }
  response.writeHead(200, { 'Content-Length': 1000 });
  response.write('the beginning', () => message.socket.destroy());
}

function streamBig({ response, request, query }: Visit, record: OriginRecord): void {
  let left = Number(query.get('bytes') ?? 0);
  response.writeHead(200, { 'Content-Type': 'application/octet-stream', ...(query.has('chunked') ? {} : { 'Content-Length': left }) });
  const pump = (): void => {
    while (left > 0 && !response.destroyed) {
      const chunk = CHUNK.subarray(0, left);
      left -= chunk.length;
      request.responseBytes += chunk.length;
      record.changed();
      if (!response.write(chunk)) {
        response.once('drain', pump);
        return;
      }
    }
    response.end();
  };
  pump();
}

function reflect(response: ServerResponse, request: RecordedRequest, reason: string): void {
  response.socket?.write(`HTTP/1.1 103 ${reason}\r\n\r\n`);
  response.writeHead(200, reason, reflectedHeaders(request)).end('reflected');
}

function reflectedHeaders({ headers }: RecordedRequest): Record<string, string> {
  const reflected: Record<string, string> = {};
  for (const name of ['authorization', 'x-api-key']) {
    const value = headers[name];
    if (typeof value !== 'string') continue;
    reflected[`x-reflected-${name}`] = value;
    reflected[`x-reflected-${name}-base64`] = Buffer.from(value).toString('base64');
    reflected[`x-reflected-${name}-percent`] = encodeURIComponent(value);
  }
  return reflected;
}
