import type { Secret } from '../secret/secret.ts';

/**
 * Everything the proxy can be told, after defaults, validation and resolution of paths. Deep-frozen. Paths are absolute; times are
 * milliseconds; sizes are bytes. The YAML spelling is snake_case (`listen.host`, `cache.max_stale_ms`).
 */
export interface Config {
  /** Home folder. */
  readonly home: string;
  /** The file that was read, or undefined when only defaults, environment and flags speak. */
  readonly file: string | undefined;
  /** The app whose grants this proxy serves. */
  readonly app: string;
  /** Name of this proxy in audit events; default: host name. */
  readonly name: string;
  /** Processes that `alter-proxy start` serves with. A proxy that another program or `run` starts is always one. */
  readonly workers: number;
  readonly listen: {
    readonly host: string;
    readonly port: number;
    /** Require Proxy-Authorization also on loopback. Always true when `host` is not loopback. */
    readonly requireKey: boolean;
    /** Networks (or single addresses) of the proxies in front of this one, whose X-Forwarded-For or Forwarded counts. */
    readonly trustedProxies: readonly string[];
  };
  /** The proxy's own API key, for callers on loopback that send none. From `key_file` or ALTER_KEY. */
  readonly key: Secret | undefined;
  /** Health endpoints; undefined: none. */
  readonly admin: { readonly host: string; readonly port: number } | undefined;
  readonly store: EmbeddedStoreConfig | RedisStoreConfig;
  readonly cache: {
    /** Grants, and secrets, kept opened in memory. */
    readonly maxEntries: number;
    /** How long an entry may be served while the store or its invalidation channel is down. 0: never. */
    readonly maxStaleMs: number;
  };
  readonly keyringFile: string;
  /** Folder with ca.pem and ca.key. */
  readonly caDir: string;
  /** Folders with provider files besides the shipped catalogue. */
  readonly providerDirs: readonly string[];
  readonly intercept: {
    /** Hosts (`example.com`, `*.example.com`, optional `:port`) that are tunnelled untouched. */
    readonly passThrough: readonly string[];
    /** Leaf certificates kept. */
    readonly maxLeaves: number;
    readonly leafTtlMs: number;
  };
  /** What happens to a request that names no grant. */
  readonly ungranted: 'forward' | 'deny';
  /** Grant id by host (`api.example.com`, port 443, or `host:port`). */
  readonly defaultGrants: Readonly<Record<string, string>>;
  readonly upstream: {
    /** PEM files trusted besides the system roots and NODE_EXTRA_CA_CERTS. */
    readonly caFiles: readonly string[];
    /** Hosts (`name`, `name:port`, IP) that may resolve to private or loopback addresses. */
    readonly allowPrivate: readonly string[];
    readonly connectTimeoutMs: number;
    readonly headersTimeoutMs: number;
    /** Longest silence within a response body. 0: none (streams). */
    readonly bodyTimeoutMs: number;
    readonly keepAliveMs: number;
    readonly maxLifetimeMs: number;
    /** Connections per origin and grant. */
    readonly maxConnections: number;
    /** Requests that may wait for one of them. */
    readonly maxQueue: number;
  };
  readonly limits: {
    readonly maxHeaderBytes: number;
    readonly headTimeoutMs: number;
    readonly idleTimeoutMs: number;
    /** Longest pause within the body of a request, or in reading an answer. */
    readonly stallTimeoutMs: number;
    readonly maxConnections: number;
    /** Memory for bodies that are read whole, all together. */
    readonly maxBodyMemoryBytes: number;
    /** Largest body that may be written to a temporary file to be signed. 0: none. */
    readonly bodySpoolBytes: number;
    /** Absolute. */
    readonly bodySpoolFolder: string;
  };
  readonly grants: {
    /** Longest life of a new grant. 0: no limit. */
    readonly maxTtlSeconds: number;
  };
  readonly agents: {
    /** Agents may ask the proxy for grants on the secrets that they were allowed. */
    readonly selfIssue: boolean;
    /** Agents use the grants of users and groups by delegation only. */
    readonly needDelegation: boolean;
  };
  readonly audit: {
    /** Events that may wait for the store; beyond it, requests that use a grant are denied. */
    readonly maxQueue: number;
    /** Approximate length at which the stream is trimmed. 0: never. */
    readonly maxStream: number;
  };
  readonly log: { readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug' };
  readonly shutdown: { readonly drainTimeoutMs: number };
}

/** The embedded store: an LMDB folder. */
export interface EmbeddedStoreConfig {
  readonly kind: 'embedded';
  readonly path: string;
}

/** A Redis server. */
export interface RedisStoreConfig {
  readonly kind: 'redis';
  /** `redis://` or `rediss://`, without a password. */
  readonly url: string;
  readonly username: string | undefined;
  readonly password: Secret | undefined;
  /** PEM file with the CA of a `rediss://` server; undefined: system roots. */
  readonly caFile: string | undefined;
  /** Prefix of every key. */
  readonly namespace: string;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
}
