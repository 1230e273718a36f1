import type { Duplex } from 'node:stream';
import type { AlterError } from '../errors.ts';
import type { Authority } from './authority.ts';

/** How a tunnel ended, in bytes from and to the client. */
export interface TunnelResult {
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Code of the socket error that ended it, if one did. */
  readonly error: string | undefined;
}

/** Joins a client to a destination that has been dialled; `done` is called once, when both sides are closed. */
export type StartTunnel = (client: Duplex, head: Buffer, done: (result: TunnelResult) => void) => void;

/** Dials a destination for a tunnel. */
export type OpenTunnel = (authority: Authority, callback: (error: AlterError | null, start: StartTunnel | null) => void) => void;
