import { createServer as createHttpServer, type IncomingMessage, type Server as HttpServer, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions as HttpsServerOptions } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server as TcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import {
  expiredCertificate,
  makeTestAuthority,
  selfSignedCertificate,
  wrongHostCertificate,
  type TestAuthority,
  type TestCertificate,
} from './certificates.ts';
import { OriginRecord, type RecordedRequest } from './origin-recording.ts';
import { OriginRoutes } from './origin-routes.ts';

export type { RecordedRequest } from './origin-recording.ts';
export { bigBodySha256 } from './origin-routes.ts';

const DEFAULT_HOSTS = ['localhost', '127.0.0.1', 'api.example.test'];
const PATIENCE_MS = 5000;

/** Which certificate an origin shows. */
export type OriginCertificate = 'good' | 'expired' | 'self-signed' | 'wrong-host';

/** How an origin is started. */
export interface OriginOptions {
  /** Names and addresses in the certificate; `localhost`, `127.0.0.1` and `api.example.test` unless stated. */
  readonly hosts?: readonly string[];
  /** false: plain HTTP. An object: further TLS options, `minVersion` for example. */
  readonly tls?: boolean | TlsOptions;
  readonly certificate?: OriginCertificate;
  /** The CA; a new one unless stated, so that origins trust each other only when told. */
  readonly authority?: TestAuthority;
}

/** How an HTTP origin is started. */
export interface HttpOriginOptions extends OriginOptions {
  /** Asked before the default routes; true means that it answers. */
  readonly handler?: (message: IncomingMessage, response: ServerResponse, request: RecordedRequest) => boolean;
}

/** What every origin offers. It listens on 127.0.0.1. */
export interface RawOrigin {
  readonly port: number;
  /** `https://localhost:<port>` or `http://localhost:<port>`. */
  readonly url: string;
  /** The CA to trust, as PEM. */
  readonly ca: string;
  /** Connections open now. */
  readonly connections: number;
  /** Connections accepted since the start. */
  readonly accepted: number;
  /** Messages of TLS handshakes that failed. */
  readonly tlsErrors: readonly string[];
  /** Resolves as soon as `condition` holds, asked whenever the origin sees anything; rejects after `timeoutMs` (5 s). */
  until(condition: () => boolean, timeoutMs?: number): Promise<void>;
  /** Destroys every open connection, and goes on listening. */
  dropConnections(): void;
  /** Destroys every connection and stops. */
  close(): Promise<void>;
}

/** A real HTTP server that records what reaches it; for its routes see {@link OriginRoutes}. */
export interface Origin extends RawOrigin {
  /** Every request, in order, from the moment its head has arrived. */
  readonly requests: readonly RecordedRequest[];
  /** The requests whose connection was lost before the answer was complete; not those that a route itself broke off. */
  readonly aborted: readonly RecordedRequest[];
  /** Open streams of `/sse`. */
  readonly eventStreams: number;
  /** Sends one event on every open stream of `/sse`. */
  emit(data: string): void;
  /** Ends every open stream of `/sse`. */
  endEvents(): void;
  /** Lets go what `/slow-headers`, `/stall-body` and `/stall-upload` hold back. */
  release(): void;
}

/**
 * Starts an HTTPS (or, with `tls: false`, HTTP) server on a free port. An upgrade request is answered with 101 and every
 * octet that follows is echoed.
 */
export async function startOrigin(options: HttpOriginOptions = {}): Promise<Origin> {
  const authority = options.authority ?? makeTestAuthority();
  const record = new OriginRecord();
  const routes = new OriginRoutes(record);
  const server = httpServer(options, authority);
  server.on(usesTls(options) ? 'secureConnection' : 'connection', (socket: Socket) => {
    record.number(socket);
  });
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    serve(message, response, { record, routes, handler: options.handler });
  });
  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    record.begin(message);
    echoUpgraded(message, socket, head);
  });
  const raw = await listen(server, record, authority, usesTls(options));
  return Object.defineProperties(raw, Object.getOwnPropertyDescriptors(httpSide(record, routes))) as Origin;
}

/**
 * Starts a TLS (or, with `tls: false`, TCP) server on a free port that speaks nothing by itself: `onConnection` gets each
 * connection after its handshake and writes octets of its own. Errors of the sockets are taken care of.
 */
export async function startRawOrigin(onConnection: (socket: Socket) => void, options: OriginOptions = {}): Promise<RawOrigin> {
  const authority = options.authority ?? makeTestAuthority();
  const accept = (socket: Socket): void => {
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  };
  const server = usesTls(options) ? createTlsServer(tlsOptions(options, authority), accept) : createTcpServer(accept);
  return listen(server, new OriginRecord(), authority, usesTls(options));
}

interface Serving {
  readonly record: OriginRecord;
  readonly routes: OriginRoutes;
  readonly handler: HttpOriginOptions['handler'];
}

function serve(message: IncomingMessage, response: ServerResponse, { record, routes, handler }: Serving): void {
  const request = record.begin(message);
  response.once('close', () => {
    // A route that breaks off destroys the socket itself; then nobody else aborted.
    if (!response.writableFinished && !/^\/(reset|garbage)\b/.test(request.url)) record.aborted.push(request);
    record.changed();
  });
  if (handler?.(message, response, request) === true) {
    void record.readBody(message, request);
    return;
  }
  void routes.answer(message, response, request);
}

function httpSide(record: OriginRecord, routes: OriginRoutes): Omit<Origin, keyof RawOrigin> {
  return {
    requests: record.requests,
    aborted: record.aborted,
    get eventStreams() {
      return routes.eventStreams;
    },
    emit: (data) => {
      routes.emit(data);
    },
    endEvents: () => {
      routes.endEvents();
    },
    release: () => {
      routes.release();
    },
  };
}

async function listen(server: TcpServer, record: OriginRecord, authority: TestAuthority, tls: boolean): Promise<RawOrigin> {
  server.on('connection', (socket: Socket) => {
    record.open(socket);
  });
  server.on('tlsClientError', (error: Error) => {
    record.tlsErrors.push(error.message);
    record.changed();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const dropConnections = (): void => {
    for (const socket of record.sockets) socket.destroy();
  };
  return {
    port,
    url: `${tls ? 'https' : 'http'}://localhost:${port.toString()}`,
    ca: authority.caPem,
    get connections() {
      return record.sockets.size;
    },
    get accepted() {
      return record.accepted;
    },
    tlsErrors: record.tlsErrors,
    until: (condition, timeoutMs = PATIENCE_MS) => record.until(condition, timeoutMs),
    dropConnections,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        dropConnections();
      }),
  };
}

function httpServer(options: OriginOptions, authority: TestAuthority): HttpServer {
  // The origin never closes or refuses by itself: limits are what is tested at the proxy.
  const patience = { requestTimeout: 0, headersTimeout: 0, keepAliveTimeout: 0, maxHeaderSize: 1024 * 1024 };
  if (!usesTls(options)) return createHttpServer(patience);
  const secure: HttpsServerOptions = { ...patience, ...tlsOptions(options, authority) };
  return createHttpsServer(secure);
}

function usesTls(options: OriginOptions): boolean {
  return options.tls !== false;
}

function tlsOptions(options: OriginOptions, authority: TestAuthority): TlsOptions {
  return { ...certificateFor(options, authority), ...(typeof options.tls === 'object' ? options.tls : {}) };
}

function certificateFor({ certificate = 'good', hosts = DEFAULT_HOSTS }: OriginOptions, authority: TestAuthority): TestCertificate {
  switch (certificate) {
    case 'good':
      return authority.issue(hosts);
    case 'expired':
      return expiredCertificate(authority, hosts);
    case 'self-signed':
      return selfSignedCertificate(hosts);
    case 'wrong-host':
      return wrongHostCertificate(authority);
  }
}

function echoUpgraded(message: IncomingMessage, socket: Duplex, head: Buffer): void {
  socket.on('error', () => socket.destroy());
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${message.headers.upgrade ?? ''}\r\n\r\n`);
  socket.write(head);
  socket.pipe(socket);
}
