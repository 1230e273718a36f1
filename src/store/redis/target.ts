import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import type { RedisOptions } from 'ioredis';
import type { RedisStoreConfig } from '../../config/config.ts';
import { CommandError } from '../../errors.ts';

const DEFAULT_PORT = 6379;
/** How long a socket that is being closed may linger before it is destroyed. */
const DISCONNECT_MS = 100;

/** Options of one client. The reply mapping decides the types of replies, and stays as it is. */
export type ClientOptions = RedisOptions & { readonly replyMapping?: 'legacy' };

/** A Redis server and how to talk to it. `options` hold the password: never log them. */
export interface RedisTarget {
  /** `host:port`, for messages. */
  readonly address: string;
  readonly namespace: string;
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly options: ClientOptions;
}

/** Reads the configuration. Throws CommandError `config_invalid` or `file_unreadable`. */
export function redisTarget(config: RedisStoreConfig, password: string | undefined): RedisTarget {
  const url = parseUrl(config.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = url.port === '' ? DEFAULT_PORT : Number(url.port);
  const { namespace, connectTimeoutMs, commandTimeoutMs } = config;
  const username = config.username ?? (url.username === '' ? undefined : decodeURIComponent(url.username));
  const options: ClientOptions = {
    host,
    port,
    db: databaseOf(url),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(url.protocol === 'rediss:' && { tls: tlsOptions(host, config.caFile) }),
    // RESP2: in RESP3 ioredis 6 drops invalidation messages, and HELLO is not in every ACL.
    protocol: 2,
    lazyConnect: true,
    // A request waits for Redis, not for a reconnect: what cannot be sent now fails now.
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    // INFO and CLIENT SETINFO are not in every ACL; a server that still loads its data refuses each command by itself.
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: connectTimeoutMs,
    // For what ioredis sends by itself when it connects. Our own commands have a deadline that comes earlier (deadline.ts).
    commandTimeout: 2 * commandTimeoutMs,
    disconnectTimeout: DISCONNECT_MS,
  };
  return { address: `${url.hostname}:${String(port)}`, namespace, connectTimeoutMs, commandTimeoutMs, options };
}

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === '')
    throw new CommandError('config_invalid', 'store.url must be redis://host:port or rediss://host:port.');
  if (url.password !== '')
    throw new CommandError('config_invalid', 'store.url must not hold a password; use the password setting of the store.');
  return url;
}

function databaseOf(url: URL): number {
  const path = url.pathname.replace(/^\//, '');
  if (!/^\d{0,5}$/.test(path)) throw new CommandError('config_invalid', 'The path of store.url must be the number of a database.');
  return Number(path);
}

function tlsOptions(host: string, caFile: string | undefined): ConnectionOptions {
  return {
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(isIP(host) === 0 && { servername: host }),
    ...(caFile !== undefined && { ca: readCa(caFile) }),
  };
}

function readCa(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandError('file_unreadable', `The CA file of the Redis server, ${file}, cannot be read.`, { cause: error });
  }
}
