import type { IncomingHttpHeaders } from 'node:http';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { startProxy } from '../../src/app.ts';
import type { RunningProxy } from '../../src/app.ts';
import type { ChangeEvent } from '../../src/audit/change.ts';
import type { AuditEvent } from '../../src/audit/event.ts';
import { homePaths } from '../../src/config/home.ts';
import { loadConfig } from '../../src/config/load.ts';
import { prepareOffline } from '../../src/inject/prepare.ts';
import { createLogger } from '../../src/log.ts';
import { createCa } from '../../src/pki/ca.ts';
import { loadCatalogue } from '../../src/providers/catalogue.ts';
import type { ProviderTemplate } from '../../src/providers/template.ts';
import { Secret } from '../../src/secret/secret.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createAdministration } from '../../src/vault/administration.ts';
import type { Administration } from '../../src/vault/administration.ts';
import { createKeyring } from '../../src/vault/keyring.ts';
import type { Keyring } from '../../src/vault/keyring.ts';
import { reveal } from '../../src/secret/reveal.ts';
import type { ProxyTarget } from './client.ts';
import { eventually } from './eventually.ts';

/** What a test may say about its proxy. */
export interface TestProxyOptions {
  /** Keys of the YAML file, snake_case, besides a free port and no admin listener. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Give the proxy a key of its own, so that clients on loopback need none. Default: true. */
  readonly ownKey?: boolean;
  /** A key that the proxy takes without asking the store. */
  readonly runKey?: Secret;
  /** Receives the proxy's log, a JSON line each. */
  readonly log?: NodeJS.WritableStream;
}

/** A whole proxy in this process, on a home folder of its own, with hands in its store. */
export interface TestProxy extends ProxyTarget {
  readonly home: string;
  readonly running: RunningProxy;
  readonly administration: Administration;
  readonly store: Store;
  readonly keyring: Keyring;
  /** An API key of the app. */
  readonly key: string;
  /** What the proxy has logged so far. */
  readonly logged: () => string;
  /** Writes the configuration file anew; the proxy reads it at {@link RunningProxy.reload}. */
  configure(config: Readonly<Record<string, unknown>>): Promise<void>;
  /** Stores a secret for a custom provider whose credential goes only to `hosts`; returns the id of a grant for it. */
  grant(options: GrantOptions): Promise<string>;
  /** Audit events, as soon as there are `count` of them. */
  events(count: number): Promise<readonly AuditEvent[]>;
  /** The audit event of the exchange that `answer` ended. */
  eventOf(answer: { readonly headers: IncomingHttpHeaders }): Promise<AuditEvent>;
  stop(): Promise<void>;
}

/** A secret and a grant in one go. */
export interface GrantOptions {
  /** `host:port`, or with a scheme. */
  readonly hosts: readonly string[];
  readonly value?: string;
  /** Catalogue provider without hosts of its own. Default: `custom-bearer`. */
  readonly provider?: string;
  readonly fields?: Readonly<Record<string, string>>;
  readonly label?: string;
  readonly ttlMs?: number;
  readonly template?: ProviderTemplate;
}

let serial = 0;

/** Starts a proxy. Call `stop` when the test ends. */
export async function startTestProxy(options: TestProxyOptions = {}): Promise<TestProxy> {
  const home = await mkdtemp(path.join(os.tmpdir(), 'alter-proxy-test-'));
  const paths = homePaths(home);
  const ca = createCa(paths.ca);
  const keyring = createKeyring(paths.keyring, 'default');
  const configure = async (config: Readonly<Record<string, unknown>>): Promise<void> => {
    await writeFile(paths.config, stringify({ listen: { port: 0 }, admin: false, ...config }));
  };
  await configure(options.config ?? {});
  const load = (key?: string) => loadConfig({ home, env: key === undefined ? {} : { ALTER_KEY: key } });
  const config = load();
  const store = await openStore(config.store, { auditMaxStream: 0 });
  const administration = createAdministration({
    store,
    keyring,
    catalogue: loadCatalogue(config.providerDirs),
    app: config.app,
    prepare: prepareOffline,
  });
  const created = await administration.createKey({ name: 'test' });
  const key = reveal(created.key);
  const own = options.ownKey === false ? undefined : key;
  const log: string[] = [];
  const sink = options.log ?? collector(log);
  const { runKey } = options;
  const running = await startProxy(load(own), {
    log: createLogger('debug', sink),
    reload: () => load(own),
    ...(runKey === undefined ? {} : { runKey }),
  });
  return {
    host: running.address.host,
    port: running.address.port,
    ca: ca.certificatePem,
    home,
    running,
    administration,
    store,
    keyring,
    key,
    logged: () => log.join(''),
    configure,
    grant: (wanted) => issueGrant(administration, wanted),
    events: (count) => eventsOf(store, config.app, count),
    eventOf: (answer) => eventById(store, config.app, String(answer.headers['x-alter-request-id'])),
    async stop() {
      await running.stop();
      await store.close();
      await rm(home, { recursive: true, force: true });
    },
  };
}

async function issueGrant(administration: Administration, options: GrantOptions): Promise<string> {
  serial += 1;
  const name = `secret ${serial}`;
  const values = options.fields ?? { token: options.value ?? 'sk-test-credential-0001' };
  const fields = Object.fromEntries(Object.entries(values).map(([field, value]) => [field, new Secret(value)]));
  if (options.template !== undefined) await administration.addProvider(options.template);
  const provider = options.template?.slug ?? options.provider ?? 'custom-bearer';
  await administration.addSecret({ name, provider, fields, hosts: options.hosts });
  const issued = await administration.issueGrant({
    secret: name,
    label: options.label ?? name,
    ...(options.ttlMs === undefined ? {} : { ttlMs: options.ttlMs }),
  });
  return issued.id;
}

async function eventsOf(store: Store, app: string, count: number): Promise<readonly AuditEvent[]> {
  return eventually(async () => {
    const stored = await store.readEvents(app, { limit: 1000 });
    // What the test itself changed is in the stream, too.
    const events = stored.map(({ json }) => JSON.parse(json) as AuditEvent | ChangeEvent).filter((event) => event.type !== 'change');
    return events.length >= count ? events : undefined;
  }, `${count} audit events`);
}

async function eventById(store: Store, app: string, id: string): Promise<AuditEvent> {
  return eventually(async () => (await eventsOf(store, app, 0)).find((event) => event.id === id), `the audit event ${id}`);
}

function collector(lines: string[]): NodeJS.WritableStream {
  const stream = { write: (line: string) => lines.push(line) > 0 };
  return stream as unknown as NodeJS.WritableStream;
}
