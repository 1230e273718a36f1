import { startProxy, type RunningProxy } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createLogger } from '../../src/log.ts';
import type { ProxyTarget } from './client.ts';
import type { TestProxy } from './proxy.ts';

/** Further proxies on the home, and so on the store, of one that runs. */
export interface Fleet {
  readonly proxies: readonly ProxyTarget[];
  stop(): Promise<void>;
}

/** Starts `count` proxies in this process, each with a cache and connections to the store of its own. */
export async function startFleet(first: TestProxy, count: number, env: Readonly<Record<string, string>> = {}): Promise<Fleet> {
  const silent = new (await import('node:stream')).Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const running: RunningProxy[] = [];
  for (let i = 0; i < count; i += 1) {
    running.push(await startProxy(loadConfig({ home: first.home, env }), { log: createLogger('error', silent) }));
  }
  return {
    proxies: running.map(({ address }) => ({ host: address.host, port: address.port, ca: first.ca })),
    async stop() {
      await Promise.all(running.map((proxy) => proxy.stop()));
    },
  };
}
