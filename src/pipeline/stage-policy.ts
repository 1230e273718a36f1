import { AlterError } from '../errors.ts';
import { decide } from '../policy/decide.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage } from './stage.ts';

/** Whether every rule of the grant passes, and of a delegation those of its source, too. */
export function policyStage(now: () => number): Stage {
  return {
    name: 'policy',
    run({ resolved, request, peer }) {
      if (resolved === undefined) return CONTINUE;
      const { grant, source } = resolved;
      const rules = source === undefined ? grant.policy : [...source.policy, ...grant.policy];
      if (rules.length === 0) return CONTINUE;
      const { host, port } = request.origin;
      const facts = { now: now(), method: request.method, host, port, path: request.url.path, clientAddress: peer.address };
      const decision = decide(facts, rules);
      if (decision.allow) return CONTINUE;
      return reject(new AlterError(decision.unknown ? 'policy_unavailable' : 'policy_violation', { rule: decision.rule }));
    },
  };
}
