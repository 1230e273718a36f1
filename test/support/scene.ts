import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { startOrigin } from './origin.ts';
import type { HttpOriginOptions, Origin } from './origin.ts';
import { startTestProxy } from './proxy.ts';
import type { GrantOptions, TestProxy, TestProxyOptions } from './proxy.ts';

/** An origin, and a proxy that trusts it and may dial it. */
export interface Scene {
  readonly origin: Origin;
  readonly proxy: TestProxy;
  /** `localhost:<port>` of the origin. */
  readonly authority: string;
  /** A grant for a secret that may go to the origin. */
  grant(options?: Partial<GrantOptions>): Promise<string>;
  /** Reloads the proxy with `config` over what it needs to reach the origin. */
  reset(config: Readonly<Record<string, unknown>>): Promise<void>;
  stop(): Promise<void>;
}

/** Starts both. `config` is merged over what the proxy needs to reach the origin. */
export async function startScene(options: TestProxyOptions & { readonly origin?: HttpOriginOptions } = {}): Promise<Scene> {
  const origin = await startOrigin(options.origin);
  const folder = await mkdtemp(path.join(os.tmpdir(), 'alter-proxy-scene-'));
  const caFile = path.join(folder, 'origin-ca.pem');
  await writeFile(caFile, origin.ca);
  const reaching = (config: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => {
    const given = (config['upstream'] ?? {}) as Record<string, unknown>;
    return { ...config, upstream: { ca_files: [caFile], allow_private: ['localhost', '127.0.0.1'], ...given } };
  };
  const proxy = await startTestProxy({ ...options, config: reaching(options.config) });
  const scheme = origin.url.startsWith('https') ? 'https' : 'http';
  return {
    origin,
    proxy,
    authority: `localhost:${origin.port}`,
    grant: (wanted = {}) => proxy.grant({ hosts: [`${scheme}://localhost:${origin.port}`], ...wanted }),
    async reset(config) {
      await proxy.configure(reaching({ ...options.config, ...config }));
      const result = await proxy.running.reload();
      if (!result.ok) throw result.error;
    },
    async stop() {
      await proxy.stop();
      await origin.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
