import { BlockList, isIP, isIPv6 } from 'node:net';
import { AlterError } from '../errors.ts';
import { formatAuthority, parseAuthority } from '../message/authority.ts';

/** A host of the configuration in its one spelling. */
export interface HostEntry {
  /** Lower-case name or address, IPv6 without brackets; after `*.` for a wildcard. */
  readonly host: string;
  /** Undefined: none was given. */
  readonly port: number | undefined;
  /** `*.example.com`: every name below `host`. */
  readonly wildcard: boolean;
}

/** Stands for "no port was given"; 0 cannot be given. */
const NO_PORT = 0;

/** Reads `host`, `host:port`, an IP address, and `*.host` where `wildcards` are allowed. On failure: what is wrong. */
export function readHost(text: string, wildcards: boolean): HostEntry | { readonly wrong: string } {
  const wildcard = wildcards && text.startsWith('*.');
  const bare = wildcard ? text.slice(2) : text;
  try {
    const { host, port } = parseAuthority(isIPv6(bare) ? `[${bare}]` : bare, NO_PORT);
    if (wildcard && isIP(host) !== 0) return { wrong: 'an address has no names below it' };
    return { host, port: port === NO_PORT ? undefined : port, wildcard };
  } catch (error) {
    if (!(error instanceof AlterError)) throw error;
    return { wrong: error.detail ?? error.message };
  }
}

/** The text of an entry: `example.com`, `*.example.com:8443`, `[::1]:8443`; an IPv6 address without a port in `brackets` or bare. */
export function hostText({ host, port, wildcard }: HostEntry, brackets: boolean): string {
  if (port === undefined && host.includes(':')) return brackets ? `[${host}]` : host;
  return `${wildcard ? '*.' : ''}${port === undefined ? host : formatAuthority({ host, port })}`;
}

/** Whether `pattern` (no port: every port) speaks of `host` and `port`. */
export function covers(pattern: HostEntry, host: string, port: number): boolean {
  if (pattern.port !== undefined && pattern.port !== port) return false;
  return pattern.wildcard ? host.endsWith(`.${pattern.host}`) : host === pattern.host;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether only this machine can reach a listener on `host`. A name other than localhost may resolve to anything, so it is not. */
export function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  const family = isIP(host);
  return family !== 0 && !host.includes('%') && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Whether listeners on both addresses get in each other's way on the same port. */
export function addressesOverlap(a: string, b: string): boolean {
  const wildcards = ['0.0.0.0', '::'];
  if (a === b || wildcards.includes(a) || wildcards.includes(b)) return true;
  return (a === 'localhost' || b === 'localhost') && isLoopback(a) && isLoopback(b);
}
