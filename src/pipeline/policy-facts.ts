import type { HeaderList } from '../message/header-list.ts';
import type { InboundRequest } from '../message/request.ts';
import type { GrantFacts, PolicyFacts, PrincipalFacts } from '../policy/rules.ts';
import type { GrantPrincipal, GrantRecord } from '../vault/records.ts';
import type { ResolvedGrant, SecretFacts } from '../vault/resolved.ts';
import type { Exchange } from './exchange.ts';

/**
 * What the rules may know of a request that uses `resolved`, at `now` (milliseconds since the epoch). `headers`: those that leave, as they are before
 * injection.
 */
export function policyFacts(exchange: Exchange, resolved: ResolvedGrant, headers: HeaderList, now: number): PolicyFacts {
  const { injection } = resolved;
  const { grant, principal, source } = factsOf(resolved);
  const { request, alter, clientAddress, peer, caller } = exchange;
  const { scheme, host, port } = request.origin;
  const { path, query } = injection.judgedUrl?.(request.url) ?? request.url;
  return {
    now,
    method: request.method,
    scheme,
    host,
    port,
    path,
    query,
    headers,
    body: hasBody(request) ? { form: exchange.form } : undefined,
    clientAddress: clientAddress ?? peer.address,
    reason: alter.reason,
    context: alter.context,
    app: caller.app,
    grant,
    principal,
    agent: caller.agent,
    source,
  };
}

/** What follows from the grant alone. */
type FactsOfGrant = Pick<PolicyFacts, 'grant' | 'principal' | 'source'>;

/** A cached grant is one object for all its requests. */
const ofGrant = new WeakMap<ResolvedGrant, FactsOfGrant>();

function factsOf(resolved: ResolvedGrant): FactsOfGrant {
  let facts = ofGrant.get(resolved);
  if (facts === undefined) ofGrant.set(resolved, (facts = prepareFacts(resolved)));
  return facts;
}

function prepareFacts({ grant, source, secret }: ResolvedGrant): FactsOfGrant {
  return { ...grantAndHolder(grant, secret), source: source === undefined ? undefined : grantAndHolder(source, secret) };
}

function grantAndHolder(grant: GrantRecord, secret: SecretFacts): Pick<PolicyFacts, 'grant' | 'principal'> {
  return { grant: grantFacts(grant, secret), principal: principalFacts(grant.principal) };
}

function hasBody({ bodyLength }: InboundRequest): boolean {
  return bodyLength.kind === 'chunked' || (bodyLength.kind === 'length' && bodyLength.bytes > 0);
}

function grantFacts({ id, label, createdAt, selfIssued }: GrantRecord, secret: SecretFacts): GrantFacts {
  return { id, label, createdAt, secretId: secret.id, provider: secret.provider, ...(selfIssued === undefined ? {} : { selfIssued }) };
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
