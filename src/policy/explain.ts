import type { AttachedRule } from './compile.ts';
import { decide, judge } from './decide.ts';
import type { Verdict } from './decide.ts';
import type { Policy } from './policy.ts';
import type { PolicyFacts } from './rules.ts';

/** What one rule says of a request, for people. */
export interface RuleExplanation {
  readonly rule: AttachedRule;
  readonly verdict: Verdict;
  /** What a request must be to pass it. */
  readonly requires: string;
  /** Why it cannot be evaluated on this request. */
  readonly cause: string | undefined;
}

/** What a policy says of a request, rule by rule. */
export interface Explanation {
  readonly allow: boolean;
  /** The rule that refuses: the first in order. */
  readonly refusedBy: AttachedRule | undefined;
  readonly warnings: readonly string[];
  readonly rules: readonly RuleExplanation[];
}

/** Asks every rule, also those behind the one that refuses. Counters are not taken. */
export function explain(facts: PolicyFacts, policy: Policy): Explanation {
  const decision = decide(facts, policy);
  return {
    allow: decision.allow,
    refusedBy: decision.allow ? undefined : decision.rule,
    warnings: decision.warnings,
    rules: policy.rules.map((rule) => {
      const { verdict, failure } = judge(facts, rule);
      return { rule, verdict, requires: requirementOf(rule), cause: failure?.sound === true ? failure.cause.message : undefined };
    }),
  };
}

/** What a request must be to pass `rule`. */
export function requirementOf({ check }: AttachedRule): string {
  return check?.requires ?? 'nothing passes: this version cannot evaluate the rule';
}
