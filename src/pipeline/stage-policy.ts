import { AlterError } from '../errors.ts';
import { decide } from '../policy/decide.ts';
import type { Exchange } from './exchange.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';

/** Whether every rule of the grant passes. */
export function policyStage(now: () => number): Stage {
  const judge = ({ resolved, request, peer }: Exchange): StageAnswer => {
    if (resolved === undefined || resolved.grant.policy.length === 0) return CONTINUE;
    const { host, port } = request.origin;
    const facts = { now: now(), method: request.method, host, port, path: request.url.path, clientAddress: peer.address };
    const decision = decide(facts, resolved.grant.policy);
    if (decision.allow) return CONTINUE;
    return reject(new AlterError(decision.unknown ? 'policy_unavailable' : 'policy_violation', { rule: decision.rule }));
  };
  return { name: 'policy', run: judge, stands: judge };
}
