import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError } from '../errors.ts';

/** One thing that must work before the proxy takes traffic. Resolves, or rejects with what is wrong. */
export interface ReadinessCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/** What the health endpoints ask. */
export interface HealthOptions {
  readonly checks: readonly ReadinessCheck[];
  readonly draining: () => boolean;
  /** Longest wait for one check. */
  readonly timeoutMs: number;
}

/**
 * `/healthz`: 200 while the process works. `/readyz`: 200 when every check passes, otherwise 503; the names of the failed checks
 * are in the answer, their reasons are for the log.
 */
export class HealthServer {
  readonly #server: http.Server;
  readonly #options: HealthOptions;

  constructor(options: HealthOptions) {
    this.#options = options;
    this.#server = http.createServer((request, response) => {
      void this.#answer(request.method ?? '', request.url ?? '').then(({ status, body }) => {
        response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
        response.end(request.method === 'HEAD' ? undefined : `${JSON.stringify(body)}\n`);
      });
    });
  }

  /** Starts to listen; `port` 0 takes a free one. Rejects with CommandError. */
  listen(host: string, port: number): Promise<{ readonly host: string; readonly port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const code = error.code === 'EADDRINUSE' ? 'port_in_use' : 'listen_failed';
        reject(
          new CommandError(code, `cannot listen on ${host}:${port} for health checks: ${error.code ?? error.message}`, { cause: error }),
        );
      });
      this.#server.listen({ host, port }, () => {
        const address = this.#server.address() as AddressInfo;
        resolve({ host: address.address, port: address.port });
      });
    });
  }

  /** Stops at once. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => {
        resolve();
      });
    });
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(method: string, url: string): Promise<{ status: number; body: object }> {
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, body: { status: 'method not allowed' } };
    if (url === '/healthz') return { status: 200, body: { status: 'ok' } };
    if (url === '/readyz') return this.#readiness();
    return { status: 404, body: { status: 'not found' } };
  }

  async #readiness(): Promise<{ status: number; body: object }> {
    if (this.#options.draining()) return { status: 503, body: { status: 'draining' } };
    const failed: string[] = [];
    await Promise.all(
      this.#options.checks.map(async ({ name, check }) => {
        if (!(await passes(check, this.#options.timeoutMs))) failed.push(name);
      }),
    );
    return failed.length === 0
      ? { status: 200, body: { status: 'ready' } }
      : { status: 503, body: { status: 'not ready', failed: failed.sort() } };
  }
}

async function passes(check: () => Promise<void>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, false);
  });
  const done = check().then(
    () => true,
    () => false,
  );
  const result = await Promise.race([done, late]);
  clearTimeout(timer);
  return result;
}
