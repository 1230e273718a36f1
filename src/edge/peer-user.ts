import { readFileSync } from 'node:fs';
import { isIPv4 } from 'node:net';

/** `::ffff:0:0/96` in the words of the kernel. */
const MAPPED = '0000000000000000FFFF0000';

/** One end of a TCP connection. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/**
 * User id of the process on this machine that holds the `client` end of an established connection to `server`, as Linux tells it in
 * /proc/net (proc(5)). Undefined where the system does not tell, and for IPv6.
 */
export function userOfPeer(client: Endpoint, server: Endpoint): number | undefined {
  if (!isIPv4(client.address) || !isIPv4(server.address)) return undefined;
  const [local, remote] = [kernelForm(client), kernelForm(server)];
  // A client on a dual-stack socket (Java) stands in the table of IPv6, with mapped addresses.
  return findUser(connectionTable('tcp'), local, remote) ?? findUser(connectionTable('tcp6'), MAPPED + local, MAPPED + remote);
}

/** Rows of the table: number, local end, remote end, state, queues, timer, retransmits, user id … */
export function findUser(table: string, local: string, remote: string): number | undefined {
  for (const line of table.split('\n').slice(1)) {
    const [, localEnd, remoteEnd, , , , , user] = line.trim().split(/\s+/);
    if (localEnd === local && remoteEnd === remote) return Number(user);
  }
  return undefined;
}

/** `127.0.0.1:80` is `0100007F:0050`: the address as a little-endian number, the port as a big-endian one. */
function kernelForm({ address, port }: Endpoint): string {
  const octets = address.split('.').map((octet) => hex(Number(octet), 2));
  return `${octets.reverse().join('')}:${hex(port, 4)}`;
}

function hex(value: number, width: number): string {
  return value.toString(16).toUpperCase().padStart(width, '0');
}

function connectionTable(name: 'tcp' | 'tcp6'): string {
  try {
    return readFileSync(`/proc/net/${name}`, 'latin1');
  } catch (error) {
    // Only Linux has it; without it nobody is known, and nobody is let in.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}
