import { AlterError } from '../errors.ts';
import { decide } from '../policy/decide.ts';
import { policyFacts } from './policy-facts.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage } from './stage.ts';
import { takeCounters } from './take-counters.ts';
import type { Counters } from './take-counters.ts';

/** Whether every rule passes that is attached to the app, the provider, the secret, the agent or the grant. */
export function policyStage(now: () => number, counters: Counters): Stage {
  return {
    name: 'policy',
    run(exchange) {
      const { resolved, caller } = exchange;
      if (resolved === undefined) return CONTINUE;
      const policy = resolved.policy.withAgent(caller.agentRecord?.policy);
      if (policy.rules.length === 0) return CONTINUE;
      const facts = policyFacts(exchange, resolved, now());
      const decision = decide(facts, policy);
      exchange.warnings = decision.warnings;
      if (decision.allow) return policy.counters.length === 0 ? CONTINUE : takeCounters(exchange, facts, policy, counters);
      exchange.refusedBy = decision.rule.label;
      return reject(new AlterError(decision.unknown ? 'policy_unavailable' : 'policy_violation', { rule: decision.rule.name }));
    },
  };
}
