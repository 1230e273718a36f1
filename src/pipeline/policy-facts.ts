import type { GrantPrincipal } from '../vault/records.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import type { PolicyFacts, PrincipalFacts } from '../policy/rules.ts';
import type { Exchange } from './exchange.ts';

/** What the rules may know of a request that uses `resolved`, at `now` (milliseconds since the epoch). */
export function policyFacts(exchange: Exchange, { grant, secret }: ResolvedGrant, now: number): PolicyFacts {
  const { request, alter, clientAddress, peer, agentPolicy, caller } = exchange;
  const { scheme, host, port } = request.origin;
  return {
    now,
    method: request.method,
    scheme,
    host,
    port,
    path: request.url.path,
    query: request.url.query,
    headers: request.headers,
    clientAddress: clientAddress ?? peer.address,
    reason: alter.reason,
    context: alter.context,
    app: caller.app,
    grant: { id: grant.id, label: grant.label, createdAt: grant.createdAt, secretId: secret.id, provider: secret.provider },
    principal: principalFacts(grant.principal),
    agent: agentPolicy?.agent,
  };
}

/** Whose grant it is, as rules know it. */
export function principalFacts(principal: GrantPrincipal): PrincipalFacts {
  switch (principal.type) {
    case 'system':
      return SYSTEM;
    case 'user':
      return { type: 'user', id: `${principal.idp}:${principal.subject}` };
    case 'group':
      return { type: 'group', id: `${principal.idp}:${principal.group}` };
    case 'agent':
      return { type: 'agent', id: principal.agent };
  }
}

const SYSTEM: PrincipalFacts = Object.freeze({ type: 'system', id: '' });
