import type { HeaderList } from './header-list.ts';
import { isInNetworks, parseNetwork } from './network.ts';
import type { Network } from './network.ts';

/** Stands for an address that is not known; no network holds it. */
const UNKNOWN_ADDRESS = 'unknown';

/**
 * Address of the client of a request that came from `peer`. Only what a trusted proxy says counts: of the addresses in `X-Forwarded-For`, or
 * in `Forwarded` (RFC 7239), the right-most that is not itself a trusted proxy; everything left of it may be made up by the client.
 * `unknown` when that one is no address, or when both fields are there, so that nobody knows which one the proxy wrote.
 */
export function forwardedAddress(peer: string, headers: HeaderList, trusted: readonly Network[]): string {
  if (trusted.length === 0 || !isInNetworks(peer, trusted)) return peer;
  const standard = headers.getAll('forwarded');
  const usual = headers.getAll('x-forwarded-for');
  if (standard.length > 0 && usual.length > 0) return UNKNOWN_ADDRESS;
  const hops =
    standard.length > 0 ? standard.flatMap((value) => splitQuoted(value, ',')).map(forOf) : usual.flatMap((value) => value.split(','));
  let client = peer;
  for (const hop of hops.reverse()) {
    client = addressOf(hop.trim());
    if (!isInNetworks(client, trusted)) return client;
  }
  return client;
}

/** The value of `for` in one element of `Forwarded`; empty when it is not there, or twice (forbidden by RFC 7239 §4). */
function forOf(element: string): string {
  const values = splitQuoted(element, ';').flatMap((pair) => /^\s*for\s*=\s*(.*?)\s*$/i.exec(pair)?.[1] ?? []);
  const [value = '', another] = values;
  return another === undefined ? value.replace(/^"(.*)"$/, '$1') : '';
}

/** Splits at `separator` outside of quoted strings (RFC 9110 §5.6.4). */
function splitQuoted(text: string, separator: ',' | ';'): string[] {
  const pieces: string[] = [];
  let start = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (quoted && character === '\\') i += 1;
    else if (character === '"') quoted = !quoted;
    else if (character === separator && !quoted) {
      pieces.push(text.slice(start, i));
      start = i + 1;
    }
  }
  pieces.push(text.slice(start));
  return pieces;
}

/** `192.0.2.1`, `192.0.2.1:80`, `[2001:db8::1]`, `[2001:db8::1]:80` or `2001:db8::1` without what is not the address. */
function addressOf(hop: string): string {
  const [, bracketed] = /^\[([0-9A-Fa-f:.]+)\](?::\d+)?$/.exec(hop) ?? [];
  const [, plain] = /^(\d+\.\d+\.\d+\.\d+)(?::\d+)?$/.exec(hop) ?? [];
  const address = bracketed ?? plain ?? hop;
  return address.includes('/') || parseNetwork(address) === undefined ? UNKNOWN_ADDRESS : address;
}
