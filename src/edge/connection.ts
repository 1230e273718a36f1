import type net from 'node:net';
import type { AlterHeaders } from '../message/alter-headers.ts';
import type { Origin } from '../message/authority.ts';
import type { ClientPeer } from '../pipeline/exchange.ts';
import type { Secret } from '../secret/secret.ts';
import { userOfPeer } from './peer-user.ts';

/** The peer of a client connection, and how it came here. */
export interface ConnectionPeer extends ClientPeer {
  readonly loopback: boolean;
  /** Whether the connection was opened by the user as whom this proxy runs. Asked of the system once, when first needed. */
  isOwnUser(): boolean;
}

/** What the edge knows of a client connection. */
export interface Connection {
  readonly peer: ConnectionPeer;
  /** What CONNECT established; undefined on the front, where requests are absolute-form or CONNECT. */
  readonly inner: InnerConnection | undefined;
}

/** A connection inside CONNECT. */
export interface InnerConnection {
  /** The CONNECT authority with the scheme that the client speaks inside: one object for all requests of the connection. */
  readonly origin: Origin;
  /** The API key that CONNECT carried; checked again for each request, so that a revocation holds. */
  readonly key: Secret | undefined;
  /** `X-Alter-*` fields of CONNECT: they speak for requests that carry none of their own. */
  readonly alter: AlterHeaders;
  /** Address of the client as CONNECT came: no proxy in front sees the requests inside. */
  readonly clientAddress: string;
  /** Host names agree: the TLS server name, if there was one, is the CONNECT host. */
  readonly serverNameAgrees: boolean;
}

/** The peer of `socket`. */
export function peerOf(socket: net.Socket): ConnectionPeer {
  const address = plainAddress(socket.remoteAddress);
  const port = socket.remotePort ?? 0;
  const loopback = address === '::1' || address.startsWith('127.');
  let own: boolean | undefined;
  const isOwnUser = (): boolean => {
    const server = { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 };
    return isThisUser(userOfPeer({ address, port }, server));
  };
  return { address, port, loopback, isOwnUser: () => (own ??= loopback && isOwnUser()) };
}

function isThisUser(user: number | undefined): boolean {
  return user !== undefined && user === process.getuid?.();
}

/** Without the prefix that IPv4 addresses have on an IPv6 socket. */
function plainAddress(address = ''): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
