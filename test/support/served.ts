import type { AuditDraft } from '../../src/audit/event.ts';
import { bodyBytesPassed } from '../../src/cli/heap.ts';
import { AlterError } from '../../src/errors.ts';
import { Listener } from '../../src/edge/listener.ts';
import type { EdgeServices } from '../../src/edge/services.ts';
import type { Draft, PreparedInjection } from '../../src/inject/injector.ts';
import { MemoryBudget } from '../../src/message/memory-budget.ts';
import type { BodySpoolLimits } from '../../src/pipeline/body-spool.ts';
import { createServe } from '../../src/pipeline/serve.ts';
import { injectStage } from '../../src/pipeline/stage-inject.ts';
import { CONTINUE } from '../../src/pipeline/stage.ts';
import type { Stage } from '../../src/pipeline/stage.ts';
import type { Use } from '../../src/pipeline/standing.ts';
import { createCa } from '../../src/pki/ca.ts';
import { LeafContexts } from '../../src/pki/leaf-contexts.ts';
import type { Caller } from '../../src/principals/caller.ts';
import { Dialer } from '../../src/upstream/dial.ts';
import { createForward } from '../../src/upstream/forward-h1.ts';
import { Pools } from '../../src/upstream/pools.ts';
import type { ResolvedGrant } from '../../src/vault/resolved.ts';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { ProxyTarget } from './client.ts';
import { eventually } from './eventually.ts';
import { startOrigin } from './origin.ts';
import type { HttpOriginOptions, Origin } from './origin.ts';

/** Real client and provider sides around the pipeline, with an injection of the test's own in the place of a stored credential. */
export interface Served {
  readonly proxy: ProxyTarget;
  readonly origin: Origin;
  /** What the audit trail was given, in order. */
  readonly events: AuditDraft[];
  /** The uses under way. */
  readonly uses: Set<Use>;
  /** The hosts that a leaf certificate was asked for, in order. */
  readonly leaves: string[];
  /** For bodies that are read whole. */
  readonly bodyMemory: MemoryBudget;
  /** The one event; fails when there comes another. */
  event(): Promise<AuditDraft>;
  stop(): Promise<void>;
}

/** What differs from test to test. */
export interface ServedOptions {
  readonly injection: Partial<PreparedInjection>;
  /** Looks the key up. Unless told, anybody is the app at once. */
  readonly authenticate?: EdgeServices['authenticate'];
  /** Runs before injection. */
  readonly before?: Stage['run'];
  readonly origin?: HttpOriginOptions;
  /** For bodies that are read whole. */
  readonly memoryBytes?: number;
  /** Where larger ones may go. */
  readonly bodySpool?: BodySpoolLimits | undefined;
}

/** Who calls, whatever the key. */
export const CALLER: Caller = { app: 'test', type: 'app', keyId: 'test' };

const LIMITS = {
  maxHeaderBytes: 64 * 1024,
  headTimeoutMs: 5000,
  idleTimeoutMs: 5000,
  stallTimeoutMs: 5000,
  maxConnections: 100,
  maxBodyMemoryBytes: 0,
  bodySpoolBytes: 0,
  bodySpoolFolder: '',
};
const UPSTREAM = {
  connectTimeoutMs: 5000,
  headersTimeoutMs: 20_000,
  bodyTimeoutMs: 20_000,
  keepAliveMs: 5000,
  maxLifetimeMs: 60_000,
  maxConnections: 10,
  maxQueue: 10,
  revoked: () => undefined,
};

/** Starts a proxy that injects with `injection`, whoever asks, and an origin that it reaches. */
export async function startServed({
  injection,
  authenticate = () => CALLER,
  before,
  memoryBytes = 1_000_000,
  bodySpool,
  origin: originOptions,
}: ServedOptions): Promise<Served> {
  const origin = await startOrigin(originOptions);
  const ca = createCa(path.join(mkdtempSync(path.join(os.tmpdir(), 'alter-proxy-served-')), 'ca'));
  const dialer = new Dialer({ trust: [origin.ca], allowPrivate: ['localhost'], connectTimeoutMs: 5000 });
  const pools = new Pools(dialer, UPSTREAM);
  const events: AuditDraft[] = [];
  const uses = new Set<Use>();
  const leaves: string[] = [];
  const bodyMemory = new MemoryBudget(memoryBytes);
  const underWay = {
    enter: (use: Use) => {
      use.place = uses.add(use).size;
    },
    leave: (use: Use) => {
      use.place = -1;
      return uses.delete(use);
    },
    judge: () => undefined,
  };
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const leafs = new LeafContexts({ ca, maxLeaves: 10, leafTtlMs: 3_600_000 });
  const listener = new Listener(
    {
      authenticate,
      contextFor: (host) => {
        leaves.push(host);
        return leafs.contextFor(host);
      },
      isPassThrough: () => false,
      serve: createServe({
        stages: [grant(injection), { name: 'before', run: before ?? (() => CONTINUE) }, injectStage()],
        forward: createForward(pools),
        recorder: { admit: () => undefined, record: (event: AuditDraft) => events.push(event) } as never,
        underWay,
        redactCallerPath: (_, path) => path,
        now: Date.now,
        bodyMemory,
        bodyBytesPassed,
        bodySpool,
        log,
      }),
      openTunnel: () => undefined,
      own: () => Promise.reject(new AlterError('endpoint_not_found')),
      underWay,
      refused: () => undefined,
      tunnelled: () => undefined,
      trustedProxies: [],
      now: Date.now,
      log,
    },
    LIMITS,
  );
  const address = await listener.listen('127.0.0.1', 0);
  return {
    proxy: { ...address, ca: ca.certificatePem },
    origin,
    events,
    uses,
    leaves,
    bodyMemory,
    async event() {
      const event = await eventually(() => events[0], 'an audit event');
      // What is recorded twice is recorded within the turns that end an exchange.
      await new Promise((resolve) => setImmediate(resolve));
      if (events.length > 1) throw new Error(`${String(events.length)} audit events for one request`);
      events.length = 0;
      return event;
    },
    async stop() {
      await listener.drain(0);
      await listener.close();
      pools.close();
      await origin.close();
    },
  };
}

/** Stands for the stages that find a grant. */
function grant(injection: Partial<PreparedInjection>): Stage {
  const prepared: PreparedInjection = { writes: ['header:x-test'], apply: writeField, scrub: () => undefined, ...injection };
  const resolved = {
    grant: { id: '00000000-0000-4000-8000-00000000000a', app: 'test', label: 'test', principal: { type: 'system' } },
    secret: { id: 'sec_test', version: 1, provider: 'test' },
    injection: prepared,
  } as unknown as ResolvedGrant;
  return {
    name: 'grant',
    run: (exchange) => {
      exchange.resolved = resolved;
      return CONTINUE;
    },
  };
}

/** The injection that does nothing of interest. */
function writeField(draft: Draft): void {
  draft.headers.set('X-Test', 'credential');
}
