/** The composition root: the only module that sees every part. It builds, wires, starts, reloads, drains and stops. */
import { createAgentGrants, type AgentAnswer, type AgentCall } from './admin/agent-grants.ts';
import { checkReadiness, HealthServer, type Readiness } from './admin/health.ts';
import type { BodySpoolLimits } from './pipeline/body-spool.ts';
import { describeRefusal, describeTunnel } from './pipeline/describe.ts';
import { Recorder } from './audit/recorder.ts';
import { UseCounter } from './audit/use-counter.ts';
import type { Config } from './config/config.ts';
import { createConfigHolder } from './config/reload.ts';
import type { ConfigHolder, ReloadResult } from './config/reload.ts';
import { Listener } from './edge/listener.ts';
import type { EdgeServices } from './edge/services.ts';
import { AlterError } from './errors.ts';
import { createCallerPathRedaction } from './inject/caller-paths.ts';
import { prepareOffline, prepareOnline } from './inject/prepare.ts';
import type { Logger } from './log.ts';
import type { Origin } from './message/authority.ts';
import { createHostMatcher } from './message/host-pattern.ts';
import type { HostMatcher } from './message/host-pattern.ts';
import { MemoryBudget } from './message/memory-budget.ts';
import { parseNetwork } from './message/network.ts';
import { grantOfIsolation } from './pipeline/isolation.ts';
import { RequestsUnderWay } from './pipeline/requests-under-way.ts';
import { createServe } from './pipeline/serve.ts';
import type { Serve } from './pipeline/serve.ts';
import { createStages, createTestStages } from './pipeline/stages.ts';
import { createStanding, type Standing } from './pipeline/standing.ts';
import { runTestCall } from './pipeline/test-call.ts';
import type { TestAnswer } from './pipeline/test-call.ts';
import { UnderWay } from './pipeline/under-way.ts';
import type { Counters } from './pipeline/take-counters.ts';
import { loadCa } from './pki/ca.ts';
import { LeafContexts } from './pki/leaf-contexts.ts';
import { publicRoots, rootFiles } from './pki/public-roots.ts';
import { createKeyAuthenticator } from './principals/api-keys.ts';
import { IdpKeys } from './principals/idp-keys.ts';
import { UserTokens } from './principals/user-tokens.ts';
import { loadCatalogue } from './providers/catalogue.ts';
import type { Catalogue } from './providers/catalogue.ts';
import { testRequest } from './providers/test-request.ts';
import type { Secret } from './secret/secret.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { Dialer } from './upstream/dial.ts';
import { askForDocument, fetchDocument } from './upstream/fetch-document.ts';
import { createForward } from './upstream/forward-h1.ts';
import { Pools } from './upstream/pools.ts';
import { createOpenTunnel } from './upstream/tunnel.ts';
import type { OpenTunnel } from './message/tunnel.ts';
import { createAdministration } from './vault/administration.ts';
import { fingerprint } from './vault/fingerprint.ts';
import { loadKeyring } from './vault/keyring.ts';
import type { Keyring } from './vault/keyring.ts';
import { storePasswordText } from './vault/own-credentials.ts';
import { createRenewals, type Renewals } from './vault/renewals.ts';
import { Vault } from './vault/vault.ts';

/** Where something listens. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** A proxy that takes traffic. */
export interface RunningProxy {
  readonly address: ListenAddress;
  readonly adminAddress: ListenAddress | undefined;
  /** What `/readyz` answers. */
  readiness(): Promise<Readiness>;
  /** Reads the configuration again and applies it, or keeps the old one and says why. */
  reload(): Promise<ReloadResult>;
  /** Drains, writes what is still to be recorded, and closes everything. */
  stop(): Promise<void>;
}

/** A proxy that takes its traffic in this process. */
export interface ServingProxy extends RunningProxy {
  /** Makes the provider's test call with a secret; `by` is who asked, for the audit. Rejects with AlterError when the secret cannot be used. */
  testSecret(id: string, by: string): Promise<SecretTest>;
}

/** What became of a test call; `no_call`: the provider has none; `no_host`: the secret may not go where it leads. */
export type SecretTest =
  'no_call' | 'no_host' | (TestAnswer & { readonly origin: Origin; readonly method: string; readonly target: string });

/** What a start needs besides the configuration. */
export interface StartOptions {
  readonly log: Logger;
  /** A key that is valid for this run only. */
  readonly runKey?: Secret;
  /**
   * Take a client on loopback that sends no key, and that runs as the same user as this process, as if it had sent `runKey`. For clients
   * that cannot send one; other users of the machine stay out.
   */
  readonly ownUserNeedsNoKey?: boolean;
  /** Is told of bytes of bodies that pass through, in either direction. */
  readonly bodyBytesPassed?: (bytes: number) => void;
  /** Reads the configuration anew, for {@link RunningProxy.reload}. */
  readonly reload?: () => Config;
}

/** Longest wait for one readiness check. */
const READY_TIMEOUT_MS = 1000;
/** So long a stop waits for refresh tokens that are being renewed: the longest exchange, and storing what it gave. */
const RENEWALS_TIMEOUT_MS = 12_000;

/** Starts a proxy. Rejects with CommandError, and leaves nothing open, when any part cannot start. */
export async function startProxy(config: Config, options: StartOptions): Promise<ServingProxy> {
  const opened: (() => Promise<void> | void)[] = [];
  try {
    return await new Starter(config, options, opened).start();
  } catch (error) {
    for (const close of opened.reverse()) await close();
    throw error;
  }
}

/** The parts that a reload replaces as one. */
interface Runtime {
  readonly catalogue: Catalogue;
  readonly dialer: Dialer;
  readonly pools: Pools;
  readonly serve: Serve;
  /** For the proxy's own test calls. */
  readonly serveTest: Serve;
  readonly standing: Standing;
  readonly openTunnel: OpenTunnel;
  readonly passThrough: HostMatcher;
  readonly agentGrants: (call: AgentCall) => Promise<AgentAnswer>;
}

class Starter {
  readonly #config: Config;
  readonly #options: StartOptions;
  readonly #opened: (() => Promise<void> | void)[];

  constructor(config: Config, options: StartOptions, opened: (() => Promise<void> | void)[]) {
    this.#config = config;
    this.#options = options;
    this.#opened = opened;
  }

  async start(): Promise<ServingProxy> {
    const config = this.#config;
    const { log } = this.#options;
    const ca = loadCa(config.caDir);
    const keyring = loadKeyring(config.keyringFile);
    const store = await openStore(config.store, {
      auditMaxStream: config.audit.maxStream,
      revealPassword: storePasswordText,
      onTrouble: (message) => {
        log.warn({}, message);
      },
    });
    this.#opened.push(() => store.close());
    const uses = new UseCounter({ sink: store, app: config.app, log });
    const recorder = new Recorder({ sink: store, app: config.app, proxy: config.name, maxQueue: config.audit.maxQueue, uses, log });
    let runtime: Runtime | undefined;
    const catalogue = { get: (slug: string) => runtime?.catalogue.get(slug) };
    const renewals = createRenewals(config, { store, keyring, log });
    const prepare = prepareOnline({
      exchange: (request, limits) => askForDocument(current().dialer, request, limits),
      renew: (owner, field, work) => renewals.renew(owner, field, work),
      failed: ({ app, id }, { code, rule, detail, cause }) => {
        log.warn({ app, secret: id, code, rule, detail, cause }, 'no short-lived credential');
      },
      maxEntries: config.cache.maxEntries,
    });
    const vault = new Vault({ store, keyring, catalogue, prepare, cache: config.cache, apps: [config.app], log });
    this.#opened.push(() => {
      vault.close();
    });
    const users = new UserTokens({
      idps: vault.access,
      keys: new IdpKeys({ fetch: (url, limits) => fetchDocument(current().dialer, url, limits) }),
      maxTokens: config.cache.maxEntries,
    });
    const counters = { store, underWay: new RequestsUnderWay() };
    const underWay = new UnderWay((use, round) => current().standing(use, round));
    this.#opened.push(() => {
      underWay.close();
    });
    const { bodyBytesPassed = () => undefined } = this.#options;
    const { maxBodyMemoryBytes, bodySpoolBytes, bodySpoolFolder } = config.limits;
    const bodyMemory = new MemoryBudget(maxBodyMemoryBytes);
    const bodySpool = bodySpoolBytes === 0 ? undefined : { maxBytes: bodySpoolBytes, folder: bodySpoolFolder, ciphered: bodyBytesPassed };
    const build = (next: Config): Runtime =>
      buildRuntime(next, { vault, store, keyring, recorder, users, counters, underWay, log, bodyMemory, bodySpool, bodyBytesPassed });
    runtime = build(config);
    const current = (): Runtime => runtime ?? build(config);
    const leafs = new LeafContexts({ ca, maxLeaves: config.intercept.maxLeaves, leafTtlMs: config.intercept.leafTtlMs });
    const listener = new Listener(this.#edgeServices({ vault, recorder, leafs, underWay, current }), config.limits);
    const holder = createConfigHolder(
      this.#options.reload ?? (() => config),
      (next) => {
        const previous = current();
        runtime = build(next);
        log.setLevel(next.log.level);
        previous.pools.close();
      },
      log,
      config,
    );
    return this.#listen({ store, vault, renewals, recorder, uses, underWay, listener, holder, current });
  }

  #edgeServices({ vault, recorder, leafs, underWay, current }: EdgeParts): EdgeServices {
    const config = this.#config;
    const { runKey, ownUserNeedsNoKey = false } = this.#options;
    const authenticator = createKeyAuthenticator({
      findKey: (id) => vault.findKey(id),
      findAgent: (owner, name) => vault.access.findAgent(owner, name),
      fingerprint,
      app: config.app,
      ownKey: config.key,
      extraKeys: runKey === undefined ? [] : [runKey],
      requireKey: config.listen.requireKey,
    });
    return {
      authenticate: (key, peer) => authenticator.authenticate(key ?? (ownUserNeedsNoKey && peer.isOwnUser() ? runKey : undefined), peer),
      contextFor: (host) => leafs.contextFor(host),
      underWay,
      isPassThrough: (authority) => current().passThrough.matches(authority),
      serve: (exchange, client) => {
        current().serve(exchange, client);
      },
      openTunnel: (authority, callback) => {
        current().openTunnel(authority, callback);
      },
      own: (request) => current().agentGrants(request),
      refused: (refusal) => {
        recorder.record(describeRefusal(refusal, Date.now()), false);
        const { id, error, origin, peer } = refusal;
        this.#options.log.warn(
          { requestId: id, code: error.code, detail: error.detail, host: origin?.host, client: peer.address, cause: error.cause },
          'request refused',
        );
      },
      tunnelled: (tunnel) => {
        recorder.record(describeTunnel(tunnel, Date.now()), false);
      },
      trustedProxies: config.listen.trustedProxies.flatMap((network) => parseNetwork(network) ?? []),
      now: Date.now,
      log: this.#options.log,
    };
  }

  async #listen(parts: Parts): Promise<ServingProxy> {
    const { listen, admin, shutdown } = this.#config;
    const { store, listener, recorder, uses } = parts;
    let draining = false;
    const checks = [
      { name: 'store', check: () => store.ping() },
      { name: 'audit', check: async () => recorder.requireRoom() },
    ];
    const readiness = () => checkReadiness({ checks, draining: () => draining, timeoutMs: READY_TIMEOUT_MS });
    const health = new HealthServer({ alive: () => Promise.resolve(true), readiness });
    const adminAddress = admin === undefined ? undefined : await health.listen(admin.host, admin.port);
    this.#opened.push(() => health.close());
    const address = await listener.listen(listen.host, listen.port);
    let stopped: Promise<void> | undefined;
    const stop = async (): Promise<void> => {
      draining = true;
      await listener.drain(shutdown.drainTimeoutMs);
      // What is still under way is interrupted by the proxy, and recorded so, before its client is cut off.
      parts.underWay.interruptAll(new AlterError('shutting_down'));
      parts.current().pools.destroy();
      await listener.close();
      await Promise.all([recorder.close(shutdown.drainTimeoutMs), parts.renewals.close(RENEWALS_TIMEOUT_MS)]);
      await uses.close();
      parts.underWay.close();
      parts.vault.close();
      await health.close();
      await store.close();
    };
    const testSecret = (id: string, by: string) => this.#testSecret(parts, id, by);
    return { address, adminAddress, readiness, testSecret, reload: () => parts.holder.reload(), stop: () => (stopped ??= stop()) };
  }

  async #testSecret({ vault, current }: Parts, id: string, by: string): Promise<SecretTest> {
    const { app } = this.#config;
    const { resolved, template } = await vault.resolveSecret(app, id);
    const request = testRequest(template, resolved.secret.origins);
    if (typeof request === 'string') return request;
    const caller = { app, type: 'app', keyId: by } as const;
    const answer = await runTestCall(current().serveTest, { resolved, caller, ...request, now: Date.now() });
    return { ...answer, origin: request.origin, method: request.method, target: request.target };
  }
}

interface EdgeParts {
  readonly vault: Vault;
  readonly recorder: Recorder;
  readonly leafs: LeafContexts;
  readonly underWay: UnderWay;
  readonly current: () => Runtime;
}

interface Parts {
  readonly store: Store;
  readonly vault: Vault;
  readonly renewals: Renewals;
  readonly recorder: Recorder;
  readonly uses: UseCounter;
  readonly underWay: UnderWay;
  readonly listener: Listener;
  readonly holder: ConfigHolder;
  readonly current: () => Runtime;
}

/** The parts on which a {@link Runtime} stands. */
interface RuntimeParts {
  readonly vault: Vault;
  readonly store: Store;
  readonly keyring: Keyring;
  readonly recorder: Recorder;
  readonly users: UserTokens;
  readonly counters: Counters;
  readonly underWay: UnderWay;
  readonly log: Logger;
  readonly bodyMemory: MemoryBudget;
  readonly bodySpool: BodySpoolLimits | undefined;
  readonly bodyBytesPassed: (bytes: number) => void;
}

/** A test call stands on no grant that could end meanwhile. */
const NOT_WATCHED = { enter: () => undefined, leave: () => false, judge: () => undefined };

/** Everything that follows from the changeable part of the configuration. */
function buildRuntime(config: Config, parts: RuntimeParts): Runtime {
  const catalogue = loadCatalogue(config.providerDirs);
  const trust = publicRoots([...rootFiles(process.env), ...config.upstream.caFiles]);
  const { connectTimeoutMs, allowPrivate } = config.upstream;
  const dialer = new Dialer({ trust, allowPrivate, connectTimeoutMs });
  const revoked = (isolation: string) => {
    const grant = grantOfIsolation(isolation);
    return grant === undefined ? undefined : parts.vault.endOfGrant(grant.app, grant.id);
  };
  const pools = new Pools(dialer, { ...config.upstream, revoked });
  const { ungranted, defaultGrants, agents } = config;
  const { recorder, log, users, counters, underWay, bodyMemory, bodySpool, bodyBytesPassed } = parts;
  const stages = createStages({
    grants: parts.vault,
    users,
    ungranted,
    needDelegation: agents.needDelegation,
    defaultGrants,
    counters,
    now: Date.now,
  });
  const redactCallerPath = createCallerPathRedaction(() => catalogue.all());
  const forward = createForward(pools);
  const now = Date.now;
  const serving = { forward, recorder, redactCallerPath, now, log, bodyMemory, bodySpool, bodyBytesPassed };
  const serve = createServe({ ...serving, stages, underWay });
  const serveTest = createServe({ ...serving, stages: createTestStages(), underWay: NOT_WATCHED });
  const standing = createStanding({ grants: parts.vault, stages, now: Date.now });
  const passThrough = createHostMatcher(config.intercept.passThrough);
  const agentGrants = buildAgentGrants(config, catalogue, parts);
  const openTunnel = createOpenTunnel(dialer, config.limits.stallTimeoutMs);
  return { catalogue, dialer, pools, serve, serveTest, standing, openTunnel, passThrough, agentGrants };
}

/** What agents can do for themselves, with the hands of the administration. Nobody but the proxy could note an issue that was not recorded. */
function buildAgentGrants(config: Config, catalogue: Catalogue, { store, keyring, recorder }: RuntimeParts): Runtime['agentGrants'] {
  const { app, agents, grants } = config;
  const maxTtlMs = grants.maxTtlSeconds === 0 ? undefined : grants.maxTtlSeconds * 1000;
  const administration = createAdministration({
    ...{ store, keyring, catalogue, app, prepare: prepareOffline, by: 'proxy', maxTtlMs, audit: recorder },
  });
  return createAgentGrants({ administration, store, recorder, app, selfIssue: agents.selfIssue });
}
