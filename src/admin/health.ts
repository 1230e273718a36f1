import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError } from '../errors.ts';

/** One thing that must work before the proxy takes traffic. Resolves, or rejects with what is wrong. */
export interface ReadinessCheck {
  readonly name: string;
  readonly check: () => Promise<void>;
}

/** What decides about readiness. */
export interface ReadinessOptions {
  readonly checks: readonly ReadinessCheck[];
  readonly draining: () => boolean;
  /** Longest wait for one check. */
  readonly timeoutMs: number;
}

/** Whether the proxy takes traffic. */
export interface Readiness {
  readonly status: 'ready' | 'not ready' | 'draining';
  /** Names of the failed checks, in order. */
  readonly failed: readonly string[];
}

/** Runs every check, side by side. Never rejects. */
export async function checkReadiness(options: ReadinessOptions): Promise<Readiness> {
  if (options.draining()) return { status: 'draining', failed: [] };
  const failed: string[] = [];
  await Promise.all(
    options.checks.map(async ({ name, check }) => {
      if (!(await passes(check, options.timeoutMs))) failed.push(name);
    }),
  );
  return { status: failed.length === 0 ? 'ready' : 'not ready', failed: failed.sort() };
}

/** What to do when the port is taken: it is not the one that clients use. */
export const ADMIN_PORT_HINT = 'Stop the other process, or choose another port with --admin-port.';

/** What the health endpoints ask. Neither question rejects. */
export interface HealthSource {
  /** Whether the proxy works, ready or not. */
  readonly alive: () => Promise<boolean>;
  readonly readiness: () => Promise<Readiness>;
}

/**
 * `/healthz`: 200 while the proxy works. `/readyz`: 200 when every check passes, otherwise 503; the names of the failed checks
 * are in the answer, their reasons are for the log.
 */
export class HealthServer {
  readonly #server: http.Server;
  readonly #source: HealthSource;

  constructor(source: HealthSource) {
    this.#source = source;
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
        const what = `cannot listen on ${host}:${port} for health checks: ${error.code ?? error.message}`;
        const taken = error.code === 'EADDRINUSE';
        reject(
          taken
            ? new CommandError('port_in_use', what, { cause: error, hint: ADMIN_PORT_HINT })
            : new CommandError('listen_failed', what, { cause: error }),
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
    const [path] = url.split('?');
    if (path === '/healthz') return this.#health();
    if (path === '/readyz') return this.#readiness();
    return { status: 404, body: { status: 'not found' } };
  }

  async #health(): Promise<{ status: number; body: object }> {
    return (await this.#source.alive()) ? { status: 200, body: { status: 'ok' } } : { status: 503, body: { status: 'not answering' } };
  }

  async #readiness(): Promise<{ status: number; body: object }> {
    const { status, failed } = await this.#source.readiness();
    return { status: status === 'ready' ? 200 : 503, body: failed.length === 0 ? { status } : { status, failed } };
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
