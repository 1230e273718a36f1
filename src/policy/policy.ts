import { compileRules } from './compile.ts';
import type { AttachedRule } from './compile.ts';
import { ATTACHMENTS } from './rules.ts';
import type { Attachment, Rule } from './rules.ts';

/** The rules that hold for a request, in the order in which they are evaluated: app, provider, secret, agent, grant; within, as stored. */
export interface Policy {
  readonly rules: readonly AttachedRule[];
  /** Those that a counter decides: places among the requests under way before rates, as a place is given back and what was counted is not. */
  readonly counters: readonly AttachedRule[];
  /** True: a rule asks for the text of a form. */
  readonly readsForm: boolean;
}

/** The rules of each attachment. One that is left out has none. */
export type PolicyParts = Readonly<Partial<Record<Attachment, readonly Rule[]>>>;

/** A policy to which the rules of an agent may still be added. */
export interface CombinedPolicy extends Policy {
  /** The policy for a request of an agent with these rules; the same object for the same list. */
  withAgent(rules: readonly Rule[] | undefined): Policy;
}

/** Combines what is attached at all places. All of it must pass, so the order decides only which rule is named. */
export function combinePolicies(parts: PolicyParts): CombinedPolicy {
  const forAgents = new WeakMap<readonly Rule[], Policy>();
  const own = policyOf(parts);
  return Object.freeze({
    ...own,
    withAgent: (rules: readonly Rule[] | undefined) => {
      if (rules === undefined || rules.length === 0) return own;
      const known = forAgents.get(rules);
      if (known !== undefined) return known;
      const policy = policyOf({ ...parts, agent: rules });
      forAgents.set(rules, policy);
      return policy;
    },
  });
}

function policyOf(parts: PolicyParts): Policy {
  const rules = ATTACHMENTS.flatMap((at) => attach(at, parts[at] ?? []));
  const counters = (['concurrency', 'rate'] as const).flatMap((type) => rules.filter(({ check }) => check?.type === type));
  const readsForm = rules.some(({ check }) => check?.type === 'check' && check.readsForm === true);
  return Object.freeze({ rules: Object.freeze(rules), counters: Object.freeze(counters), readsForm });
}

function attach(at: Attachment, rules: readonly Rule[]): readonly AttachedRule[] {
  const seen = new Map<string, number>();
  return compileRules(rules).map((rule) => {
    const before = seen.get(rule.name) ?? 0;
    seen.set(rule.name, before + 1);
    const counterName = before === 0 ? rule.name : `${rule.name}+${String(before)}`;
    return Object.freeze({ ...rule, at, label: `${at}:${rule.name}`, counterName });
  });
}
