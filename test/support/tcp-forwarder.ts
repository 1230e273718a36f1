import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** An address that stays while what stands behind it changes, as a virtual IP does. */
export interface TcpForwarder {
  readonly port: number;
  /** Where connections lead that are made from now on; those that are open stay where they are. */
  leadTo(port: number): void;
  close(): Promise<void>;
}

/** Starts a forwarder on 127.0.0.1 that leads to `port` there. */
export async function startTcpForwarder(port: number): Promise<TcpForwarder> {
  let target = port;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket, other: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  };
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    keep(client, upstream);
    keep(upstream, client);
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (next) => {
      target = next;
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
