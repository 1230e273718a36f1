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
      /** It could not be evaluated. */
      readonly unknown: boolean;
      readonly warnings: readonly string[];
    };

/** What one rule says. `counted`: only its counter can say. `unavailable`: it cannot be evaluated. */
export type Verdict = 'passes' | 'fails' | 'unavailable' | 'counted';

const NO_WARNINGS: readonly string[] = Object.freeze([]);
const ALLOW: Decision = Object.freeze({ allow: true, warnings: NO_WARNINGS });

/**
 * Whether every rule lets the request pass; names the first that does not. A rule that cannot be evaluated denies, unless it is a sound one
 * in mode `warn`. Pure: the same facts and rules give the same answer.
 */
export function decide(facts: PolicyFacts, policy: Policy): Decision {
  let warnings: string[] | undefined;
  for (const rule of policy.rules) {
    const verdict = verdictOf(facts, rule);
    if (verdict === 'passes' || verdict === 'counted') continue;
    if (rule.warn) (warnings ??= []).push(rule.label);
    else return { allow: false, rule, unknown: verdict === 'unavailable', warnings: warnings ?? NO_WARNINGS };
  }
  return warnings === undefined ? ALLOW : { allow: true, warnings };
}

/** What one rule says of the request. */
export function verdictOf(facts: PolicyFacts, { at, check }: AttachedRule): Verdict {
  if (check === undefined) return 'unavailable';
  if (check.type !== 'check') return 'counted';
  try {
    return check.passes(factsAt(at, facts)) ? 'passes' : 'fails';
  } catch {
    return 'unavailable';
  }
}
