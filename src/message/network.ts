import ipaddr from 'ipaddr.js';

/** A network: an address and the length of its prefix. */
export interface Network {
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
}

/** Reads `10.0.0.0/8`, `2001:db8::/32`, or one address. IPv4 in IPv6 is IPv4. Undefined: it is neither. */
export function parseNetwork(text: string): Network | undefined {
  if (!text.includes('/')) {
    const address = parseAddress(text);
    return address === undefined ? undefined : { address, bits: address.kind() === 'ipv4' ? 32 : 128 };
  }
  if (!isPlain(text.slice(0, text.indexOf('/'))) || !ipaddr.isValidCIDR(text)) return undefined;
  const [address, bits] = ipaddr.parseCIDR(text);
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    return bits < 96 ? undefined : { address: address.toIPv4Address(), bits: bits - 96 };
  }
  return { address, bits };
}

/** Whether `address` lies in one of `networks`. What is no address lies in none. */
export function isInNetworks(address: string, networks: readonly Network[]): boolean {
  const own = parseAddress(address);
  if (own === undefined) return false;
  return networks.some((network) => own.kind() === network.address.kind() && own.match(network.address, network.bits));
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (!isPlain(text) || !ipaddr.isValid(text)) return undefined;
  return ipaddr.process(text);
}

/** The library also reads `10.1`, `0x0a000001` and the like, which other parts read otherwise; and zones, which say nothing of an address. */
function isPlain(address: string): boolean {
  return address.includes(':') ? !address.includes('%') : ipaddr.IPv4.isValidFourPartDecimal(address);
}
