import ipaddr from 'ipaddr.js';

/** What may be done with an address. */
export type AddressVerdict = 'public' | 'private' | 'never';

/**
 * Metadata services that sit on addresses outside link-local space: AWS IPv6, Alibaba Cloud, Oracle Cloud.
 * Azure's platform address 168.63.129.16 is public by its number.
 */
const METADATA = new Set(['fd00:ec2::254', '100.100.100.200', '192.0.0.192', '168.63.129.16']);

const NEVER = new Set(['unspecified', 'linkLocal', 'multicast', 'broadcast']);

/**
 * Classifies an address that is about to be dialled (invariant 3). IPv4 addresses inside IPv6 (mapped, NAT64, 6to4,
 * Teredo) are judged by the IPv4 address they reach. Anything that is not plainly unicast on the internet is private.
 */
export function judgeAddress(address: string): AddressVerdict {
  if (!ipaddr.isValid(address)) return 'never';
  const parsed = ipaddr.process(address);
  const inner = parsed instanceof ipaddr.IPv6 ? embeddedIPv4(parsed) : undefined;
  if (inner !== undefined) {
    const verdict = judgeAddress(inner);
    return verdict === 'public' ? 'private' : verdict;
  }
  if (METADATA.has(parsed.toString())) return 'never';
  const range = parsed.range();
  if (range === 'unicast') return 'public';
  return NEVER.has(range) ? 'never' : 'private';
}

function embeddedIPv4(address: ipaddr.IPv6): string | undefined {
  const bytes = address.toByteArray();
  switch (address.range()) {
    case 'rfc6052':
    case 'rfc6145':
      return bytes.slice(12).join('.');
    case '6to4':
      return bytes.slice(2, 6).join('.');
    case 'teredo':
      return bytes
        .slice(12)
        .map((byte) => byte ^ 0xff)
        .join('.');
    default:
      // IPv4-compatible addresses (::a.b.c.d, RFC 4291 §2.5.5.1) count as unicast for the library.
      return bytes.slice(0, 12).every((byte) => byte === 0) && address.range() === 'unicast' ? bytes.slice(12).join('.') : undefined;
  }
}
