import type net from 'node:net';
import { AlterError } from '../errors.ts';
import type { AlterHeaders } from '../message/alter-headers.ts';
import type { Authority } from '../message/authority.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import type { Destination, TunnelResult } from '../message/tunnel.ts';
import type { Use } from '../pipeline/standing.ts';
import type { Caller } from '../principals/caller.ts';
import type { Secret } from '../secret/secret.ts';
import type { ConnectionPeer } from './connection.ts';
import { answerEstablished, answerRaw } from './raw-answer.ts';
import type { EdgeServices } from './services.ts';

/** A CONNECT that has been let through to a host that is passed through. */
export interface TunnelRequest {
  readonly id: string;
  readonly startedAt: number;
  readonly peer: ConnectionPeer;
  readonly key: Secret | undefined;
  readonly caller: Caller;
  readonly alter: AlterHeaders;
  readonly authority: Authority;
  readonly socket: net.Socket;
  /** What came behind the head. */
  readonly rest: Buffer;
}

/** One tunnel, from the dial on. Whatever happens, it is recorded exactly once. */
export class Tunnel implements Use {
  readonly #services: EdgeServices;
  readonly #request: TunnelRequest;
  readonly #over: () => void;
  /** Once it has been joined. */
  #destination: Destination | undefined;
  /** Why the proxy ended it. */
  #end: AlterError | undefined;
  #recorded = false;
  readonly exchange = undefined;
  place = -1;

  /** `over` is called once, when the tunnel has been recorded. */
  constructor(services: EdgeServices, request: TunnelRequest, over: () => void) {
    this.#services = services;
    this.#request = request;
    this.#over = over;
  }

  get caller(): Caller {
    return this.#request.caller;
  }

  get clientAddress(): string {
    return this.#request.peer.address;
  }

  get stillCalls(): () => MaybePromise<Caller> {
    return () => this.#services.authenticate(this.#request.key, this.#request.peer);
  }

  /** Dials the destination and joins the client to it. */
  open(): void {
    const { socket, authority } = this.#request;
    this.#services.underWay.enter(this);
    socket.once('close', this.#left);
    this.#services.openTunnel(authority, (error, destination) => {
      if (this.#recorded || socket.destroyed) {
        destination?.close();
        this.#left();
      } else if (destination === null) this.#refuse(error ?? new AlterError('internal_error'));
      else this.#join(destination);
    });
  }

  interrupt(error: AlterError): void {
    if (this.#destination === undefined) {
      this.#refuse(error);
      return;
    }
    this.#end = error;
    this.#request.socket.destroy();
    this.#destination.close();
  }

  /** The client left while the destination was dialled. */
  readonly #left = (): void => {
    this.#record(undefined, undefined);
  };

  #join(destination: Destination): void {
    const { socket, rest, caller } = this.#request;
    this.#destination = destination;
    socket.off('close', this.#left);
    answerEstablished(socket, caller);
    destination.join(socket, rest, (result) => {
      this.#record(result, this.#end);
    });
  }

  #refuse(error: AlterError): void {
    const { socket, id, caller } = this.#request;
    this.#record(undefined, error);
    answerRaw(socket, error, id, 'proxy', caller);
  }

  #record(result: TunnelResult | undefined, error: AlterError | undefined): void {
    if (this.#recorded) return;
    this.#recorded = true;
    const { id, startedAt, peer, caller, alter, authority } = this.#request;
    this.#services.underWay.leave(this);
    this.#services.tunnelled({ id, startedAt, peer, caller, alter, authority, result, error });
    this.#over();
  }
}
