import { AlterError } from '../errors.ts';
import { strippedRequestHeaders } from '../message/hop-by-hop.ts';
import type { MaybePromise } from '../message/maybe-promise.ts';
import { decide } from '../policy/decide.ts';
import type { Decision } from '../policy/decide.ts';
import { MAX_FORM_BYTES, wantsForm } from '../policy/form.ts';
import type { Policy } from '../policy/policy.ts';
import type { Caller } from '../principals/caller.ts';
import type { ResolvedGrant } from '../vault/resolved.ts';
import type { Exchange } from './exchange.ts';
import { policyFacts } from './policy-facts.ts';
import type { RequestBody } from './request-body.ts';
import { CONTINUE, reject } from './stage.ts';
import type { Stage, StageAnswer } from './stage.ts';
import { takeCounters } from './take-counters.ts';
import type { Counters } from './take-counters.ts';

/** Whether every rule passes that is attached to the app, the provider, the secret, the agent, the source or the grant. */
export function policyStage(now: () => number, counters: Counters): Stage {
  const judge = (exchange: Exchange): MaybePromise<StageAnswer> => {
    const { resolved, caller } = exchange;
    const policy = policyOf(resolved, caller);
    if (resolved === undefined || policy === undefined || policy.rules.length === 0) return CONTINUE;
    const facts = policyFacts(exchange, resolved, exchange.outbound.headers, now());
    const decision = decide(facts, policy);
    exchange.warnings = decision.warnings;
    if (!decision.allow) return refusal(exchange, decision);
    return policy.counters.length === 0 ? CONTINUE : takeCounters(exchange, facts, policy, counters);
  };
  const judgeLater = (exchange: Exchange, body: RequestBody): Promise<StageAnswer> => readForm(exchange, body).then(() => judge(exchange));
  return {
    name: 'policy',
    run(exchange) {
      const { resolved, caller, body } = exchange;
      const policy = body === undefined ? undefined : policyOf(resolved, caller);
      if (body === undefined || policy === undefined || !wantsForm(policy, exchange.outbound.headers)) return judge(exchange);
      return judgeLater(exchange, body);
    },
    stands(exchange) {
      const { resolved, caller } = exchange;
      const policy = policyOf(resolved, caller);
      if (resolved === undefined || policy === undefined || policy.rules.length === 0) return CONTINUE;
      // The credential has been written into those of `outbound` meanwhile.
      const headers = strippedRequestHeaders(exchange.request.headers);
      const decision = decide(policyFacts(exchange, resolved, headers, now()), policy);
      return decision.allow ? CONTINUE : refusal(exchange, decision);
    },
  };
}

/** What holds for a request of `caller`; undefined when it uses no grant. */
function policyOf(resolved: ResolvedGrant | undefined, caller: Caller): Policy | undefined {
  return resolved?.policy.withAgent(caller.agentRecord?.policy);
}

/** Reads a form; one that is too long goes on as it came, and the rule that asks for it does not pass. */
async function readForm(exchange: Exchange, body: RequestBody): Promise<void> {
  const content = await body.peek(MAX_FORM_BYTES);
  if (content !== undefined) exchange.form = content.toString('latin1');
}

function refusal(exchange: Exchange, { rule, failure }: Extract<Decision, { readonly allow: false }>): StageAnswer {
  exchange.refusedBy = rule.label;
  if (failure === undefined) return reject(new AlterError('policy_violation', { rule: rule.name }));
  const detail = failure.sound ? 'the rule failed on this request' : 'the rule is malformed, or of a kind that this proxy does not know';
  return reject(new AlterError('policy_unavailable', { rule: rule.name, detail, cause: failure.cause }));
}
