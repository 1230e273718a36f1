/**
 * The engine of the proxy alone, as a bare relay: its parser, its edge with leaf certificates of its own CA, its pool of connections to the
 * API, and the frame of a request around them; but no keys, no grants, no policy, no credential, no audit and no store.
 *
 *   BENCH_CERTS=<folder of bench/certificates.mjs> node bench/engine.mjs <port>
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { bodyBytesPassed } from '../dist/src/cli/heap.js';
import { Listener } from '../dist/src/edge/listener.js';
import { MemoryBudget } from '../dist/src/message/memory-budget.js';
import { PlacedList } from '../dist/src/message/placed-list.js';
import { createServe } from '../dist/src/pipeline/serve.js';
import { createCa } from '../dist/src/pki/ca.js';
import { LeafContexts } from '../dist/src/pki/leaf-contexts.js';
import { Dialer } from '../dist/src/upstream/dial.js';
import { createForward } from '../dist/src/upstream/forward-h1.js';
import { Pools } from '../dist/src/upstream/pools.js';

const port = Number(process.argv[2]);
const certs = process.env.BENCH_CERTS;

const log = { info: () => undefined, warn: console.error, error: console.error };
const uses = new PlacedList();
const underWay = { enter: (use) => uses.add(use), leave: (use) => uses.delete(use) };
const dialer = new Dialer({
  trust: [readFileSync(path.join(certs, 'ca.pem'), 'utf8')],
  allowPrivate: ['localhost'],
  connectTimeoutMs: 10_000,
});
const pools = new Pools(dialer, {
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 60_000,
  bodyTimeoutMs: 60_000,
  keepAliveMs: 30_000,
  maxLifetimeMs: 600_000,
  maxConnections: 256,
  maxQueue: 256,
  revoked: () => undefined,
});
const ca = createCa(path.join(certs, `engine-ca-${port}`));
const leafs = new LeafContexts({ ca, maxLeaves: 10, leafTtlMs: 3_600_000 });
const caller = { app: 'bench', type: 'app', keyId: 'bench' };

const listener = new Listener(
  {
    authenticate: () => caller,
    contextFor: (host) => leafs.contextFor(host),
    isPassThrough: () => false,
    serve: createServe({
      stages: [],
      forward: createForward(pools),
      recorder: { admit: () => undefined, record: () => undefined },
      underWay,
      redactCallerPath: (_, target) => target,
      now: Date.now,
      bodyMemory: new MemoryBudget(0),
      bodySpool: undefined,
      bodyBytesPassed,
      log,
    }),
    openTunnel: () => undefined,
    own: () => Promise.reject(new Error('the engine has no endpoints of its own')),
    underWay,
    refused: ({ error }) => {
      console.error(error);
    },
    tunnelled: () => undefined,
    trustedProxies: [],
    now: Date.now,
    log,
  },
  { maxHeaderBytes: 65_536, headTimeoutMs: 30_000, idleTimeoutMs: 900_000, stallTimeoutMs: 60_000, maxConnections: 100_000 },
);
await listener.listen('127.0.0.1', port);
