/**
 * proxy ── dialer (guard, verified TLS) ── GET, POST ──▶ destination
 *
 * For documents that the proxy itself needs, such as the keys of an identity provider or a short-lived token: small, rare, over https only.
 */
import { AlterError } from '../errors.ts';
import { formatAuthority, parseAuthority } from '../message/authority.ts';
import type { Origin } from '../message/authority.ts';
import type { BodySource } from '../message/body.ts';
import { DEFAULT_H1_LIMITS } from '../message/h1/limits.ts';
import { HeaderList } from '../message/header-list.ts';
import type { OutboundRequest } from '../message/request.ts';
import type { ResponseHead } from '../message/response.ts';
import { canonicalUrl } from '../message/url.ts';
import type { Dialer } from './dial.ts';
import { H1Connection } from './h1-connection.ts';
import type { H1ConnectionOptions } from './h1-connection.ts';

/** Bounds of one document. */
export interface DocumentLimits {
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

const HTTPS_PORT = 443;

/** A request of the proxy's own. */
export interface DocumentRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  /** Name, value, name, value …; Host, Content-Length and Connection come by themselves. */
  readonly headers: readonly string[];
  readonly body?: string;
}

/** An answer, whatever its status, but never a redirect. */
export interface DocumentAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  /** UTF-8. */
  readonly body: string;
}

/**
 * The body of the answer to GET `url`, as UTF-8. Rejects with AlterError for another scheme than https, for every status but 200 (a redirect
 * is not followed), for more than `maxBytes`, and when the whole is not there after `timeoutMs`.
 */
export async function fetchDocument(dialer: Dialer, url: string, limits: DocumentLimits): Promise<string> {
  const request = { method: 'GET', url, headers: ['Accept', 'application/json'] } as const;
  return (await exchange(dialer, request, limits, ({ status }) => status === 200)).body;
}

/** The whole answer to `request`. Rejects like {@link fetchDocument}, but of statuses only for redirects and for those below 200. */
export function askForDocument(dialer: Dialer, request: DocumentRequest, limits: DocumentLimits): Promise<DocumentAnswer> {
  return exchange(dialer, request, limits, ({ status }) => status >= 200 && (status < 300 || status >= 400));
}

type Accepts = (head: ResponseHead) => boolean;

function exchange(dialer: Dialer, request: DocumentRequest, limits: DocumentLimits, accepts: Accepts): Promise<DocumentAnswer> {
  return new Promise((resolve, reject) => {
    new DocumentExchange({ dialer, request, limits, accepts, resolve, reject }).start();
  });
}

interface ExchangeParts {
  readonly dialer: Dialer;
  readonly request: DocumentRequest;
  readonly limits: DocumentLimits;
  readonly accepts: Accepts;
  readonly resolve: (answer: DocumentAnswer) => void;
  readonly reject: (error: Error) => void;
}

/** One document on its way. The first of success and failure wins. */
class DocumentExchange {
  readonly #parts: ExchangeParts;
  readonly #chunks: Buffer[] = [];
  #head: ResponseHead | undefined;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #connection: H1Connection | undefined;
  #done = false;

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  /** Throws AlterError when the URL cannot be fetched. */
  start(): void {
    const { dialer, request, limits } = this.#parts;
    // What throws must do so here: nobody catches it in a callback.
    const outbound = outboundRequest(request);
    const { origin } = outbound;
    const { timeoutMs } = limits;
    this.#timer = setTimeout(() => {
      this.#fail(new AlterError('upstream_timeout', { detail: `${origin.host} did not answer within ${String(timeoutMs)} ms` }));
    }, timeoutMs);
    dialer.dial(origin, undefined, (error, socket) => {
      if (socket === null) this.#fail(error ?? new AlterError('upstream_unreachable'));
      else if (this.#done) socket.destroy();
      else this.#ask(new H1Connection(socket, this.#connectionOptions(origin)), outbound);
    });
  }

  #ask(connection: H1Connection, outbound: OutboundRequest): void {
    this.#connection = connection;
    const { request, accepts } = this.#parts;
    const { origin } = outbound;
    connection.send(outbound, request.body === undefined ? undefined : wholeBody(Buffer.from(request.body, 'utf8')), {
      informational: () => undefined,
      head: (head) => {
        this.#head = head;
        if (!accepts(head)) this.#fail(wrongAnswer(`${origin.host} answered ${String(head.status)}`));
      },
      data: (chunk) => {
        this.#take(chunk, origin);
        return true;
      },
      end: () => {
        this.#end();
      },
      failed: (error) => {
        this.#fail(error);
      },
    });
  }

  #connectionOptions({ host }: Origin): H1ConnectionOptions {
    const { timeoutMs } = this.#parts.limits;
    const over = (connection: H1Connection): void => {
      connection.destroy();
    };
    return {
      limits: DEFAULT_H1_LIMITS,
      host,
      ...{ headersTimeoutMs: timeoutMs, bodyTimeoutMs: timeoutMs, keepAliveMs: 0, maxLifetimeMs: timeoutMs },
      free: over,
      lost: () => undefined,
    };
  }

  #take(chunk: Buffer, { host }: Origin): void {
    const { maxBytes } = this.#parts.limits;
    this.#bytes += chunk.length;
    if (this.#bytes > maxBytes) this.#fail(wrongAnswer(`${host} sent more than ${String(maxBytes)} bytes`));
    else this.#chunks.push(chunk);
  }

  #end(): void {
    const head = this.#head;
    if (head === undefined || !this.#settle()) return;
    this.#parts.resolve({ status: head.status, headers: head.headers, body: Buffer.concat(this.#chunks).toString('utf8') });
  }

  #fail(error: AlterError): void {
    if (!this.#settle()) return;
    this.#connection?.destroy();
    this.#parts.reject(error);
  }

  #settle(): boolean {
    if (this.#done) return false;
    this.#done = true;
    clearTimeout(this.#timer);
    return true;
  }
}

/** A body that is there as a whole. */
function wholeBody(content: Buffer): BodySource {
  return {
    start: (sink) => {
      sink.write(content);
      sink.end();
    },
    resume: () => undefined,
    cancel: () => undefined,
  };
}

/** Throws AlterError for a URL that cannot be asked, and Error for a header that cannot be sent. */
function outboundRequest({ method, url: text, headers, body }: DocumentRequest): OutboundRequest {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw wrongAnswer('only https URLs are fetched');
  const origin: Origin = { scheme: 'https', ...parseAuthority(url.host, HTTPS_PORT) };
  return {
    method,
    origin,
    url: canonicalUrl(`${url.pathname}${url.search}`),
    headers: new HeaderList(['Host', formatAuthority(origin, 'https'), ...headers, 'Connection', 'close']),
    bodyLength: body === undefined ? { kind: 'none' } : { kind: 'length', bytes: Buffer.byteLength(body) },
    acceptsTrailers: false,
  };
}

function wrongAnswer(detail: string): AlterError {
  return new AlterError('upstream_protocol_error', { detail });
}
