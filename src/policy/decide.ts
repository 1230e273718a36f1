import type { AttachedRule } from './compile.ts';
import type { Policy } from './policy.ts';
import { factsAt, type PolicyFacts } from './rules.ts';

/**
 * The outcome of a policy. `warnings` names the rules in mode `warn` that would have denied. With `allow`, the counters of the policy are
 * still to be taken.
 */
export type Decision =
  | { readonly allow: true; readonly warnings: readonly string[] }
  | {
      readonly allow: false;
      readonly rule: AttachedRule;
      /** Why it could not be evaluated, where that is why it denies. */
      readonly failure: Failure | undefined;
      readonly warnings: readonly string[];
    };

/** What one rule says. `counted`: only its counter can say. `unavailable`: it cannot be evaluated. */
export type Verdict = 'passes' | 'fails' | 'unavailable' | 'counted';

/** Why a rule cannot be evaluated. */
export interface Failure {
  /** It is good on other requests; otherwise, this version cannot evaluate it at all. */
  readonly sound: boolean;
  /** For the operator. It holds no value of the request. */
  readonly cause: Error;
}

/** What one rule says; with `failure` when that is `unavailable`. */
export interface Finding {
  readonly verdict: Verdict;
  readonly failure?: Failure;
}

const PASSES: Finding = Object.freeze({ verdict: 'passes' });
const FAILS: Finding = Object.freeze({ verdict: 'fails' });
const COUNTED: Finding = Object.freeze({ verdict: 'counted' });
const NO_WARNINGS: readonly string[] = Object.freeze([]);
const ALLOW: Decision = Object.freeze({ allow: true, warnings: NO_WARNINGS });

/**
 * Whether every rule lets the request pass; names the first that does not. A rule that cannot be evaluated denies, unless it is a sound one
 * in mode `warn`. Pure: the same facts and rules give the same answer.
 */
export function decide(facts: PolicyFacts, policy: Policy): Decision {
  let warnings: string[] | undefined;
  for (const rule of policy.rules) {
    const { verdict, failure } = judge(facts, rule);
    if (verdict === 'passes' || verdict === 'counted') continue;
    if (rule.warn) (warnings ??= []).push(rule.label);
    else return { allow: false, rule, failure, warnings: warnings ?? NO_WARNINGS };
  }
  return warnings === undefined ? ALLOW : { allow: true, warnings };
}

/** What one rule says of the request. */
export function judge(facts: PolicyFacts, { at, check }: AttachedRule): Finding {
  if (check === undefined) return unavailable(false, new Error('this version cannot evaluate the rule'));
  if (check.type !== 'check') return COUNTED;
  try {
    return check.passes(factsAt(at, facts)) ? PASSES : FAILS;
  } catch (error) {
    return unavailable(true, error instanceof Error ? error : new Error('the rule failed'));
  }
}

function unavailable(sound: boolean, cause: Error): Finding {
  return { verdict: 'unavailable', failure: { sound, cause } };
}
