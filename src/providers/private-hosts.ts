import { isInNetworks, parseNetwork } from '../message/network.ts';
import { isIpLiteral, parseAuthority } from '../message/authority.ts';
import { derivationFormats } from './derived-fields.ts';
import type { ProviderTemplate } from './template.ts';
import { urlHost } from './url-template.ts';

/** Names that resolve inside a network only (RFC 6761, RFC 6762, RFC 8375, RFC 9476 and ICANN's .internal). */
const INSIDE = ['localhost', 'local', 'internal', 'home.arpa', 'lan', 'intranet', 'corp', 'home', 'private', 'alt'];

/** The global unicast space of IPv6 (RFC 4291 §2.4), and what of IPv4 is not. */
const GLOBAL_V6 = networks('2000::/3');
const RESERVED_V4 = networks(
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.168.0.0/16'],
  ...['198.18.0.0/15', '224.0.0.0/3'],
);

/**
 * Hosts of a provider, and of the URLs where it gets short-lived credentials, that are private by their spelling: addresses that are not on the internet, names of one label, names that only a
 * local resolver knows. What a public name resolves to is checked when the proxy connects.
 */
export function privateHosts({ hosts, derive }: Pick<ProviderTemplate, 'hosts' | 'derive'>): string[] {
  const urls = derive === undefined ? [] : derivationFormats(derive).filter(({ form }) => form === 'url');
  return [...new Set([...hosts, ...urls.map(({ text }) => urlHost(text))])].filter((host) =>
    isPrivate(parseAuthority(host.replace(/^\*\./, '').replace(/\{[^}]*\}/g, 'x'), 443).host),
  );
}

function isPrivate(host: string): boolean {
  if (!isIpLiteral(host)) return !host.includes('.') || INSIDE.some((name) => host.endsWith(`.${name}`));
  return host.includes(':') ? !isInNetworks(host, GLOBAL_V6) : isInNetworks(host, RESERVED_V4);
}

function networks(...texts: readonly string[]) {
  return texts.flatMap((text) => parseNetwork(text) ?? []);
}
