/**
 * client ── bytes ──▶ destination
 *        ◀── bytes ──
 *
 * For hosts on the pass-through list: nothing is read, nothing is changed, the dial guard still applies. Either side may end before the other.
 */
import type { Socket } from 'node:net';
import type { OpenTunnel, TunnelResult } from '../message/tunnel.ts';
import type { Dialer } from './dial.ts';

/**
 * Makes the function that dials a destination and joins a client to it. `stallTimeoutMs`: how long nothing may move once the destination has
 * ended, or the client has gone.
 */
export function createOpenTunnel(dialer: Pick<Dialer, 'dial'>, stallTimeoutMs: number): OpenTunnel {
  return (authority, callback) => {
    dialer.dial({ scheme: 'http', ...authority }, undefined, (error, socket) => {
      if (socket === null) {
        callback(error, null);
        return;
      }
      // A destination that sends no more may still read.
      socket.allowHalfOpen = true;
      callback(null, {
        join: (client, head, done) => {
          join({ client, upstream: socket, stallTimeoutMs }, head, done);
        },
        close: () => {
          socket.destroy();
        },
      });
    });
  };
}

interface Sides {
  readonly client: Socket;
  readonly upstream: Socket;
  readonly stallTimeoutMs: number;
}

/** What a side has said before its end is delivered; a side that breaks off takes the other with it. */
function join({ client, upstream, stallTimeoutMs }: Sides, head: Buffer, done: (result: TunnelResult) => void): void {
  let open = 2;
  let error: string | undefined;
  const closed = (): void => {
    open -= 1;
    if (open === 0) done({ bytesIn: upstream.bytesWritten, bytesOut: upstream.bytesRead, error });
  };
  const failed = ({ code = 'error' }: NodeJS.ErrnoException): void => {
    error ??= code;
  };
  const limit = (side: Socket): void => {
    side.setTimeout(stallTimeoutMs, () => {
      if (!side.writableFinished) error ??= 'ETIMEDOUT';
      side.destroy();
    });
  };
  client.on('error', failed).once('close', () => {
    if (client.readableEnded) {
      limit(upstream);
      upstream.destroySoon();
    } else upstream.destroy();
    closed();
  });
  upstream
    .on('error', (cause) => {
      // A destination that has said everything may refuse the farewell of the client.
      if (!upstream.readableEnded) failed(cause);
    })
    .once('end', () => {
      limit(client);
    })
    .once('close', () => {
      // Nobody takes what the client still sends, but its end must be seen.
      if (upstream.readableEnded) client.resume();
      else client.destroy();
      closed();
    });
  if (head.length > 0) upstream.write(head);
  client.pipe(upstream);
  upstream.pipe(client);
}
