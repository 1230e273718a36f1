import type { Socket } from 'node:net';
import type { AlterError } from '../errors.ts';
import type { Authority } from './authority.ts';

/** How a tunnel ended, in bytes from and to the client. */
export interface TunnelResult {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Code of the socket error that ended it, if one did. */
  readonly error: string | undefined;
}

/** A destination that has been dialled for a tunnel. */
export interface Destination {
  /** Joins a client to it; `head` is what the client has sent already. `done` is called once, when both sides are closed. */
  join(client: Socket, head: Buffer, done: (result: TunnelResult) => void): void;
  /** Closes it at once, also when it has been joined. */
  close(): void;
}

/** Dials a destination for a tunnel. */
export type OpenTunnel = (authority: Authority, callback: (error: AlterError | null, destination: Destination | null) => void) => void;
