import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { ClientScene } from './declare-clients.ts';
import { startRelay } from './relay.ts';
import { REAL, startVerifyingOrigin } from './verifying-origin.ts';

/** Clients that reach the verifier through nothing but a relay of bytes, with the real key. */
export interface DirectScene extends ClientScene {
  stop(): Promise<void>;
}

/** Starts verifier and relay. */
export async function startDirect(): Promise<DirectScene> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'alter-aws-'));
  const origin = await startVerifyingOrigin(folder);
  const relay = await startRelay(origin.port);
  return {
    origin,
    route: {
      accessKey: REAL.access_key,
      secretKey: REAL.secret_key,
      proxyPort: relay.port,
      proxyUrl: `http://127.0.0.1:${relay.port}`,
      caFile: origin.caFile,
      folder,
    },
    async stop() {
      await relay.stop();
      await origin.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
