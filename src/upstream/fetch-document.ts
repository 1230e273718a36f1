/**
 * proxy ── dialer (guard, verified TLS) ── GET ──▶ destination
 *
 * For documents that the proxy itself needs, such as the keys of an identity provider: small, rare, over https only.
 */
import { AlterError } from '../errors.ts';
import { formatAuthority, parseAuthority } from '../message/authority.ts';
import type { Origin } from '../message/authority.ts';
import { DEFAULT_H1_LIMITS } from '../message/h1/limits.ts';
import { HeaderList } from '../message/header-list.ts';
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

/**
 * The body of the answer to GET `url`, as UTF-8. Rejects with AlterError for another scheme than https, for every status but 200 (a redirect
 * is not followed), for more than `maxBytes`, and when the whole is not there after `timeoutMs`.
 */
export function fetchDocument(dialer: Dialer, url: string, limits: DocumentLimits): Promise<string> {
  return new Promise((resolve, reject) => {
    new DocumentFetch(dialer, limits, resolve, reject).start(url);
  });
}

/** One document on its way. The first of success and failure wins. */
class DocumentFetch {
  readonly #dialer: Dialer;
  readonly #limits: DocumentLimits;
  readonly #resolve: (text: string) => void;
  readonly #reject: (error: Error) => void;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #connection: H1Connection | undefined;
  #done = false;

  constructor(dialer: Dialer, limits: DocumentLimits, resolve: (text: string) => void, reject: (error: Error) => void) {
    this.#dialer = dialer;
    this.#limits = limits;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** Throws AlterError when the URL cannot be fetched. */
  start(url: string): void {
    const { origin, target } = parseUrl(url);
    const { timeoutMs } = this.#limits;
    this.#timer = setTimeout(() => {
      this.#fail(new AlterError('upstream_timeout', { detail: `${origin.host} did not answer within ${String(timeoutMs)} ms` }));
    }, timeoutMs);
    this.#dialer.dial(origin, undefined, (error, socket) => {
      if (socket === null) this.#fail(error ?? new AlterError('upstream_unreachable'));
      else if (this.#done) socket.destroy();
      else this.#ask(new H1Connection(socket, this.#connectionOptions(origin)), origin, target);
    });
  }

  #ask(connection: H1Connection, origin: Origin, target: string): void {
    this.#connection = connection;
    const headers = new HeaderList(['Host', formatAuthority(origin, 'https'), 'Accept', 'application/json', 'Connection', 'close']);
    const request = { method: 'GET', origin, url: canonicalUrl(target), headers, bodyLength: { kind: 'none' } } as const;
    connection.send(request, undefined, {
      informational: () => undefined,
      head: ({ status }) => {
        if (status !== 200) this.#fail(wrongAnswer(`${origin.host} answered ${String(status)}`));
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
    const { timeoutMs } = this.#limits;
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
    this.#bytes += chunk.length;
    if (this.#bytes > this.#limits.maxBytes) this.#fail(wrongAnswer(`${host} sent more than ${String(this.#limits.maxBytes)} bytes`));
    else this.#chunks.push(chunk);
  }

  #end(): void {
    if (this.#settle()) this.#resolve(Buffer.concat(this.#chunks).toString('utf8'));
  }

  #fail(error: AlterError): void {
    if (!this.#settle()) return;
    this.#connection?.destroy();
    this.#reject(error);
  }

  #settle(): boolean {
    if (this.#done) return false;
    this.#done = true;
    clearTimeout(this.#timer);
    return true;
  }
}

function parseUrl(text: string): { readonly origin: Origin; readonly target: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== 'https:') throw wrongAnswer('only https URLs are fetched');
  return { origin: { scheme: 'https', ...parseAuthority(url.host, HTTPS_PORT) }, target: `${url.pathname}${url.search}` };
}

function wrongAnswer(detail: string): AlterError {
  return new AlterError('upstream_protocol_error', { detail });
}
