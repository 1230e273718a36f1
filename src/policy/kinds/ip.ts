import { isInNetworks, parseNetwork } from '../../message/network.ts';
import type { Network } from '../../message/network.ts';
import { RuleFault, onlyMembers, textsAt } from '../fault.ts';
import type { RuleMembers } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

/** `allow` and `deny`: addresses and networks, IPv4 and IPv6. What `deny` names does not pass, also when `allow` names it. */
export const ip: RuleKind = {
  kind: 'ip',
  compile(rule) {
    onlyMembers(rule, ['allow', 'deny']);
    const allow = networksAt(rule, 'allow');
    const deny = networksAt(rule, 'deny');
    if (allow === undefined && deny === undefined) throw new RuleFault([], 'needs allow or deny');
    const judge = (address: string): boolean => {
      if (parseNetwork(address) === undefined || address.includes('/')) return false;
      return (allow === undefined || isInNetworks(address, allow)) && !isInNetworks(address, deny ?? []);
    };
    // A client sends many requests from one address.
    let last = '';
    let verdict = false;
    return {
      type: 'check',
      requires: [listed('the client address is in', rule['allow']), listed('the client address is not in', rule['deny'])]
        .filter((text) => text !== '')
        .join(' and '),
      passes: ({ clientAddress }) => {
        if (clientAddress !== last) {
          verdict = judge(clientAddress);
          last = clientAddress;
        }
        return verdict;
      },
    };
  },
};

function networksAt(rule: RuleMembers, member: string): readonly Network[] | undefined {
  const right = 'an address or a network such as 10.0.0.0/8';
  return textsAt(rule, member, right, (text) => parseNetwork(text) !== undefined)?.flatMap((text) => parseNetwork(text) ?? []);
}

function listed(what: string, networks: unknown): string {
  return Array.isArray(networks) ? `${what} ${networks.join(', ') || 'no network'}` : '';
}
