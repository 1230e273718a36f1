/**
 * client ── bytes ──▶ destination
 *        ◀── bytes ──
 *
 * For hosts on the pass-through list: nothing is read, nothing is changed, the dial guard still applies.
 */
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { OpenTunnel, TunnelResult } from '../message/tunnel.ts';
import type { Dialer } from './dial.ts';

/** Makes the function that dials a destination and joins a client to it. */
export function createOpenTunnel(dialer: Dialer): OpenTunnel {
  return (authority, callback) => {
    dialer.dial({ scheme: 'http', ...authority }, undefined, (error, socket) => {
      if (socket === null) callback(error, null);
      else
        callback(null, (client, head, done) => {
          join(client, socket, head, done);
        });
    });
  };
}

function join(client: Duplex, upstream: Socket, head: Buffer, done: (result: TunnelResult) => void): void {
  let open = 2;
  let error: string | undefined;
  const closed = (): void => {
    open -= 1;
    client.destroy();
    upstream.destroy();
    if (open === 0) done({ bytesIn: upstream.bytesWritten, bytesOut: upstream.bytesRead, error });
  };
  const failed = (cause: NodeJS.ErrnoException): void => {
    error ??= cause.code ?? 'error';
  };
  client.on('error', failed).once('close', closed);
  upstream.on('error', failed).once('close', closed);
  if (head.length > 0) upstream.write(head);
  client.pipe(upstream);
  upstream.pipe(client);
}
