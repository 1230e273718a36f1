import { AlterError } from '../errors.ts';
import { decide } from '../policy/decide.ts';
import type { Decision } from '../policy/decide.ts';
import type { Policy } from '../policy/policy.ts';
import type { PolicyFacts } from '../policy/rules.ts';
import type { Exchange } from './exchange.ts';
import { policyFacts } from './policy-facts.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';
import { takeCounters } from './take-counters.ts';
import type { Counters } from './take-counters.ts';

/** What holds for an exchange, and what its rules may know; undefined when there is nothing to judge. */
interface Case {
  readonly policy: Policy;
  readonly facts: PolicyFacts;
}

/** Whether every rule passes that is attached to the app, the provider, the secret, the agent, the source or the grant. */
export function policyStage(now: () => number, counters: Counters): Stage {
  const caseOf = (exchange: Exchange): Case | undefined => {
    const { resolved, caller } = exchange;
    const policy = resolved?.policy.withAgent(caller.agentRecord?.policy);
    if (resolved === undefined || policy === undefined || policy.rules.length === 0) return undefined;
    return { policy, facts: policyFacts(exchange, resolved, now()) };
  };
  return {
    name: 'policy',
    run(exchange) {
      const found = caseOf(exchange);
      if (found === undefined) return CONTINUE;
      const { policy, facts } = found;
      const decision = decide(facts, policy);
      exchange.warnings = decision.warnings;
      if (!decision.allow) return refusal(exchange, decision);
      return policy.counters.length === 0 ? CONTINUE : takeCounters(exchange, facts, policy, counters);
    },
    stands(exchange) {
      const found = caseOf(exchange);
      const decision = found === undefined ? undefined : decide(found.facts, found.policy);
      return decision === undefined || decision.allow ? CONTINUE : refusal(exchange, decision);
    },
  };
}

function refusal(exchange: Exchange, { rule, unknown }: Extract<Decision, { readonly allow: false }>): StageAnswer {
  exchange.refusedBy = rule.label;
  return reject(new AlterError(unknown ? 'policy_unavailable' : 'policy_violation', { rule: rule.name }));
}
