import type net from 'node:net';
import { AlterError } from '../errors.ts';
import { parseAlterHeaders, parseProxyAuthorization } from '../message/alter-headers.ts';
import { parseAuthority } from '../message/authority.ts';
import type { Authority } from '../message/authority.ts';
import { forwardedAddress } from '../message/forwarded.ts';
import type { H1RequestHead } from '../message/h1/request-parser.ts';
import { chain } from '../message/maybe-promise.ts';
import { newRequestId } from '../message/request-id.ts';
import { parseConnectTarget } from '../message/target.ts';
import type { Caller } from '../principals/caller.ts';
import { Secret } from '../secret/secret.ts';
import type { Connection } from './connection.ts';
import { intercept } from './intercept.ts';
import type { InterceptOptions } from './intercept.ts';
import { answerStatus } from './problem.ts';
import { answerEstablished, answerRaw } from './raw-answer.ts';
import type { EdgeLimits, EdgeServices } from './services.ts';
import { Tunnel, type TunnelRequest } from './tunnel.ts';

/** A CONNECT request that has been read. */
interface ConnectRequest {
  readonly id: string;
  readonly startedAt: number;
  readonly connection: Connection;
  readonly protocol: string;
  readonly socket: net.Socket;
  /** What came behind the head. */
  readonly rest: Buffer;
}

/** Answers CONNECT: authenticates, then tunnels or intercepts. */
export class ConnectHandler {
  readonly #services: EdgeServices;
  readonly #limits: EdgeLimits;
  readonly #readHttp: (socket: net.Socket, connection: Connection) => void;
  readonly #draining: () => boolean;
  #tunnels = 0;

  /** `readHttp` takes the sockets inside CONNECT, once they carry HTTP in the clear. */
  constructor(
    services: EdgeServices,
    limits: EdgeLimits,
    readHttp: (socket: net.Socket, connection: Connection) => void,
    draining: () => boolean,
  ) {
    this.#services = services;
    this.#limits = limits;
    this.#readHttp = readHttp;
    this.#draining = draining;
  }

  /** Tunnels that are not recorded yet. */
  get tunnels(): number {
    return this.#tunnels;
  }

  /** Takes one CONNECT request; `rest` is what came behind its head. Every path ends in an answer. */
  handle(head: H1RequestHead, socket: net.Socket, rest: Buffer, connection: Connection): void {
    const protocol = `http/${head.version}`;
    const connect: ConnectRequest = { id: newRequestId(), startedAt: this.#services.now(), connection, protocol, socket, rest };
    let authority: Authority | undefined;
    try {
      if (this.#draining()) throw new AlterError('shutting_down');
      if (connection.inner !== undefined) throw new AlterError('malformed_request', { detail: 'CONNECT inside CONNECT' });
      authority = parseConnectTarget(head.target);
      this.#accept(head, connect, authority);
    } catch (error) {
      this.#refuse(connect, authority, error);
    }
  }

  #accept({ host, headers }: H1RequestHead, connect: ConnectRequest, authority: Authority): void {
    if (host !== undefined && parseAuthority(host, authority.port).host !== authority.host) {
      throw new AlterError('authority_mismatch', { detail: 'Host is not the authority of CONNECT' });
    }
    const presented = parseProxyAuthorization(headers);
    const key = presented === undefined ? undefined : new Secret(presented);
    const alter = parseAlterHeaders(headers);
    const clientAddress = forwardedAddress(connect.connection.peer.address, headers, this.#services.trustedProxies);
    const done = chain(this.#services.authenticate(key, connect.connection.peer), (caller) => {
      if (connect.socket.destroyed) return;
      // A grant cannot be used inside a tunnel, so a CONNECT that names one is never tunnelled (invariant 9).
      const named = alter.grantId !== undefined || alter.provider !== undefined;
      if (!named && this.#services.isPassThrough(authority)) this.#tunnel(connect, { authority, key, caller, alter });
      else this.#intercept(connect, { authority, key, alter, clientAddress }, caller);
    });
    if (done instanceof Promise) {
      done.catch((error: unknown) => {
        this.#refuse(connect, authority, error);
      });
    }
  }

  #intercept(connect: ConnectRequest, target: InterceptOptions['target'], caller: Caller): void {
    answerEstablished(connect.socket, caller);
    intercept(connect.socket, connect.rest, {
      target,
      outer: connect.connection,
      contextFor: (host) => this.#services.contextFor(host),
      timeoutMs: this.#limits.headTimeoutMs,
      readHttp: this.#readHttp,
      refuse: (error) => {
        this.#refuse(connect, target.authority, error, caller);
      },
      log: this.#services.log,
    });
  }

  #tunnel(
    { id, startedAt, connection, socket, rest }: ConnectRequest,
    admitted: Pick<TunnelRequest, 'authority' | 'key' | 'caller' | 'alter'>,
  ): void {
    this.#tunnels += 1;
    const request = { ...admitted, id, startedAt, peer: connection.peer, socket, rest };
    new Tunnel(this.#services, request, () => {
      this.#tunnels -= 1;
    }).open();
  }

  #refuse(connect: ConnectRequest, authority: Authority | undefined, cause: unknown, caller?: Caller): void {
    const error = cause instanceof AlterError ? cause : new AlterError('internal_error', { cause });
    const { id, startedAt, protocol, connection, socket } = connect;
    const origin = authority === undefined ? undefined : { scheme: 'https' as const, ...authority };
    const challenge = connection.inner === undefined ? 'proxy' : 'request';
    const status = answerStatus(error, challenge);
    const { peer } = connection;
    this.#services.refused({ id, startedAt, type: 'connect', peer, caller, protocol, method: 'CONNECT', origin, error, status });
    answerRaw(socket, error, id, challenge, caller);
  }
}
