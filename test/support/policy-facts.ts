import { HeaderList } from '../../src/message/header-list.ts';
import { decide } from '../../src/policy/decide.ts';
import { combinePolicies } from '../../src/policy/policy.ts';
import type { PolicyFacts, Rule } from '../../src/policy/rules.ts';

/** Wednesday, 2026-07-15 12:00 UTC. */
export const NOON = Date.UTC(2026, 6, 15, 12);

const FACTS: PolicyFacts = {
  now: NOON,
  method: 'GET',
  scheme: 'https',
  host: 'api.example.com',
  port: 443,
  path: '/v1/models',
  query: undefined,
  headers: new HeaderList(),
  body: undefined,
  clientAddress: '127.0.0.1',
  reason: undefined,
  context: undefined,
  app: 'default',
  grant: { id: '0b54d9c5-6c1c-4c1e-9d3c-0a9a5e2f7b11', label: 'report', createdAt: NOON - 60_000, secretId: 'ms_0', provider: 'acme' },
  principal: { type: 'system', id: '' },
  agent: undefined,
};

/** Facts of a plain request, with some of them changed. */
export function facts(changed: Partial<PolicyFacts> = {}): PolicyFacts {
  return { ...FACTS, ...changed };
}

/** What one rule says: `allow`, `deny`, or `unavailable` when it cannot be evaluated. */
export function verdict(rule: unknown, changed: Partial<PolicyFacts> = {}): 'allow' | 'deny' | 'unavailable' {
  const decision = decide(facts(changed), combinePolicies({ grant: [rule as Rule] }));
  if (decision.allow) return 'allow';
  return decision.failure === undefined ? 'deny' : 'unavailable';
}
