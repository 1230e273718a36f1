/** The composition root: the only module that sees every part. It builds, wires, starts, reloads, drains and stops. */
import { checkReadiness, HealthServer, type Readiness } from './admin/health.ts';
import { describeRefusal, describeTunnel } from './pipeline/describe.ts';
import { Recorder } from './audit/recorder.ts';
import { UseCounter } from './audit/use-counter.ts';
import type { Config } from './config/config.ts';
import { createConfigHolder } from './config/reload.ts';
import type { ConfigHolder, ReloadResult } from './config/reload.ts';
import { Listener } from './edge/listener.ts';
import type { EdgeServices } from './edge/services.ts';
import { prepareInjection } from './inject/registry.ts';
import type { Logger } from './log.ts';
import { createHostMatcher } from './message/host-pattern.ts';
import type { HostMatcher } from './message/host-pattern.ts';
import { parseNetwork } from './message/network.ts';
import { grantOfIsolation } from './pipeline/isolation.ts';
import { RequestsUnderWay } from './pipeline/requests-under-way.ts';
import { createServe } from './pipeline/serve.ts';
import type { Serve } from './pipeline/serve.ts';
import { createStages } from './pipeline/stages.ts';
import { createStanding, type Standing } from './pipeline/standing.ts';
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
import type { Secret } from './secret/secret.ts';
import { openStore } from './store/open.ts';
import type { Store } from './store/store.ts';
import { Dialer } from './upstream/dial.ts';
import { fetchDocument } from './upstream/fetch-document.ts';
import { createForward } from './upstream/forward-h1.ts';
import { Pools } from './upstream/pools.ts';
import { createOpenTunnel } from './upstream/tunnel.ts';
import type { OpenTunnel } from './message/tunnel.ts';
import { fingerprint } from './vault/fingerprint.ts';
import { loadKeyring } from './vault/keyring.ts';
import { storePasswordText } from './vault/own-credentials.ts';
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

/** Starts a proxy. Rejects with CommandError, and leaves nothing open, when any part cannot start. */
export async function startProxy(config: Config, options: StartOptions): Promise<RunningProxy> {
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
  readonly standing: Standing;
  readonly openTunnel: OpenTunnel;
  readonly passThrough: HostMatcher;
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

  async start(): Promise<RunningProxy> {
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
    const vault = new Vault({ store, keyring, catalogue, prepare: prepareInjection, cache: config.cache, apps: [config.app], log });
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
    const build = (next: Config): Runtime => buildRuntime(next, { vault, recorder, users, counters, underWay, log, bodyBytesPassed });
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
    return this.#listen({ store, vault, recorder, uses, underWay, listener, holder, current });
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

  async #listen(parts: Parts): Promise<RunningProxy> {
    const { listen, admin, shutdown } = this.#config;
    const { store, listener, recorder, uses } = parts;
    let draining = false;
    const checks = [{ name: 'store', check: () => store.ping() }];
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
      parts.current().pools.destroy();
      await listener.close();
      await recorder.close(shutdown.drainTimeoutMs);
      await uses.close();
      parts.underWay.close();
      parts.vault.close();
      await health.close();
      await store.close();
    };
    return { address, adminAddress, readiness, reload: () => parts.holder.reload(), stop: () => (stopped ??= stop()) };
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
  readonly recorder: Recorder;
  readonly users: UserTokens;
  readonly counters: Counters;
  readonly underWay: UnderWay;
  readonly log: Logger;
  readonly bodyBytesPassed: (bytes: number) => void;
}

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
  const { ungranted, defaultGrants } = config;
  const { recorder, log, users, counters, underWay, bodyBytesPassed } = parts;
  const stages = createStages({ grants: parts.vault, users, ungranted, defaultGrants, counters, now: Date.now });
  const serve = createServe({ stages, forward: createForward(pools), recorder, underWay, now: Date.now, log, bodyBytesPassed });
  const standing = createStanding({ grants: parts.vault, stages, now: Date.now });
  const passThrough = createHostMatcher(config.intercept.passThrough);
  return { catalogue, dialer, pools, serve, standing, openTunnel: createOpenTunnel(dialer), passThrough };
}
