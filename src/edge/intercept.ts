/**
 * CONNECT ──▶ first byte ──▶ 0x16: TLS is terminated ──▶ HTTP
 *                       └──▶ anything else: HTTP in the clear (Node's own clients do this for http:// URLs)
 */
import type net from 'node:net';
import type { SecureContext } from 'node:tls';
import { AlterError } from '../errors.ts';
import { parseAuthority } from '../message/authority.ts';
import type { Authority, Scheme } from '../message/authority.ts';
import { readServerName } from './client-hello.ts';
import type { Connection, InnerConnection } from './connection.ts';
import { DirectTlsSocket } from './direct-tls-socket.ts';

/** What an interception needs. */
export interface InterceptOptions {
  readonly target: { readonly authority: Authority } & Pick<InnerConnection, 'key' | 'alter' | 'clientAddress'>;
  readonly outer: Connection;
  contextFor(host: string): SecureContext;
  /** Longest wait for the first byte, and for the TLS handshake. */
  readonly timeoutMs: number;
  /** Takes the socket that carries HTTP. */
  readHttp(socket: net.Socket, connection: Connection): void;
  /** The leaf could not be made: answers on the plain socket. */
  refuse(error: unknown): void;
  readonly log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
}

/** First byte of a TLS record that carries a handshake (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

/** What is spoken inside TLS, best first, as ALPN writes it (RFC 7301 §3.1): made once, not for each connection. */
const PROTOCOLS = Buffer.concat(['http/1.1', 'http/1.0'].map((name) => Buffer.from([name.length, ...Buffer.from(name)])));

/** Reads the first byte after CONNECT and goes on with TLS or with HTTP. `head` is what came along with CONNECT. */
export function intercept(socket: net.Socket, head: Buffer, options: InterceptOptions): void {
  const timer = setTimeout(() => socket.destroy(), options.timeoutMs);
  socket.once('close', () => {
    clearTimeout(timer);
  });
  const begin = (first: Buffer): void => {
    socket.off('data', begin).off('end', left);
    clearTimeout(timer);
    // Whoever reads on begins with these bytes.
    socket.pause();
    socket.unshift(first);
    if (first[0] === TLS_HANDSHAKE) terminateTls(socket, first, options);
    else readPlain(socket, options);
  };
  const left = (): void => {
    socket.destroy();
  };
  if (head.length > 0) {
    begin(head);
    return;
  }
  socket.on('data', begin).once('end', left);
  socket.resume();
}

/** Member by member: to spread the rest of an object costs ten microseconds of each new connection. */
function innerConnection(
  { authority: { host, port }, key, alter, clientAddress }: InterceptOptions['target'],
  scheme: Scheme,
  serverNameAgrees: boolean,
): InnerConnection {
  return { key, alter, clientAddress, origin: { scheme, host, port }, serverNameAgrees };
}

function readPlain(socket: net.Socket, options: InterceptOptions): void {
  options.readHttp(socket, { peer: options.outer.peer, inner: innerConnection(options.target, 'http', true) });
  socket.resume();
}

function terminateTls(socket: net.Socket, hello: Buffer, options: InterceptOptions): void {
  const { authority } = options.target;
  let secureContext: SecureContext;
  const asked = readServerName(hello);
  try {
    secureContext = contextOfName(asked?.serverName, options) ?? options.contextFor(authority.host);
  } catch (error) {
    options.refuse(error);
    return;
  }
  const secure = new DirectTlsSocket(socket, {
    isServer: true,
    secureContext,
    ALPNProtocols: PROTOCOLS,
    ...(asked === undefined ? { SNICallback: askedLater(secureContext, options) } : {}),
  });
  const timer = setTimeout(() => secure.destroy(), options.timeoutMs);
  let established = false;
  const failed = (error: NodeJS.ErrnoException): void => {
    clearTimeout(timer);
    // A client that resets the connection later has left after the handshake.
    if (!established || error.code !== 'ECONNRESET') tellTlsFailure(options, error);
    socket.destroy();
  };
  secure.once('_tlsError', failed);
  secure.on('error', () => undefined);
  const left = (): void => {
    options.log.info({ host: authority.host }, LEFT_WITHIN);
    secure.destroy();
  };
  secure.once('end', left);
  secure.once('close', () => {
    clearTimeout(timer);
    socket.destroy();
    if (established && secure.bytesRead === 0) options.log.info({ host: authority.host }, LEFT_AFTER);
  });
  secure.once('secure', () => {
    clearTimeout(timer);
    secure.off('end', left);
    established = true;
    const serverName = typeof secure.servername === 'string' ? secure.servername : undefined;
    const serverNameAgrees = serverName === undefined || agrees(serverName, authority);
    options.readHttp(secure, { peer: options.outer.peer, inner: innerConnection(options.target, 'https', serverNameAgrees) });
  });
}

const LEFT_WITHIN = 'the client left within the TLS handshake';
const LEFT_AFTER = 'no request came after the TLS handshake';

/** Most clients that reject the certificate say so; one that just leaves has often only changed its mind. */
function tellTlsFailure({ target, log }: InterceptOptions, error: NodeJS.ErrnoException): void {
  const fields = { host: target.authority.host, error: error.code ?? error.message };
  if (error.code === 'ECONNRESET') log.info(fields, LEFT_WITHIN);
  else if (error.code === 'ERR_SSL_NO_APPLICATION_PROTOCOL')
    log.warn(fields, 'the client offers no HTTP/1.1, perhaps only HTTP/2 as gRPC does: such a host belongs into intercept.pass_through');
  else log.warn(fields, 'TLS with the client failed: does it trust the CA of this proxy?');
}

function agrees(serverName: string, authority: Authority): boolean {
  return hostOf(serverName) === authority.host;
}

function hostOf(serverName: string): string | undefined {
  try {
    return parseAuthority(serverName, 443).host;
  } catch (error) {
    if (error instanceof AlterError) return undefined;
    throw error;
  }
}

/** A client that names another host gets a certificate for the name it asked for, so that it can read the 421. */
function contextOfName(serverName: string | undefined, options: InterceptOptions): SecureContext | undefined {
  const host = serverName === undefined ? undefined : hostOf(serverName);
  return host === undefined || host === options.target.authority.host ? undefined : options.contextFor(host);
}

function askedLater(usual: SecureContext, options: InterceptOptions) {
  return (serverName: string, callback: (error: Error | null, context?: SecureContext) => void): void => {
    let context: SecureContext;
    try {
      context = contextOfName(serverName, options) ?? usual;
    } catch (error) {
      callback(error instanceof Error ? error : new Error('no certificate', { cause: error }));
      return;
    }
    callback(null, context);
  };
}
