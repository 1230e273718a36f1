import type { RuleMembers } from './fault.ts';
import type { PolicyFacts } from './rules.ts';

/** A rule that the facts alone decide. `passes` may throw: what cannot be evaluated denies. */
export interface Check {
  readonly type: 'check';
  /** What a request must be to pass, for people: `the method is GET or HEAD`. */
  readonly requires: string;
  /** True: the text of a form in the body may decide. */
  readonly readsForm?: boolean;
  passes(facts: PolicyFacts): boolean;
}

/** A rule that a counter in the store decides. */
export interface RateCheck {
  readonly type: 'rate';
  readonly requires: string;
  readonly limit: number;
  readonly windowMs: number;
  /** Whose requests are counted, as a part of a key. */
  counter(facts: PolicyFacts): string;
}

/** A rule that the number of requests under way in this process decides. */
export interface ConcurrencyCheck {
  readonly type: 'concurrency';
  readonly requires: string;
  readonly max: number;
}

/** A rule, compiled. */
export type CompiledCheck = Check | RateCheck | ConcurrencyCheck;

/** One kind of rule. */
export interface RuleKind {
  readonly kind: string;
  /** Reads and compiles a rule of this kind. Throws RuleFault. */
  compile(rule: RuleMembers): CompiledCheck;
}
