import { parseRule, type Decision, type PolicyFacts, type Rule } from './rules.ts';

const ALLOW: Decision = Object.freeze({ allow: true });

/**
 * Whether every rule lets the request pass; names the first that does not. A rule that is malformed or of a kind unknown to this version
 * denies, with `unknown: true`. Pure: the same facts and rules give the same answer.
 */
export function decide(facts: PolicyFacts, rules: readonly Rule[]): Decision {
  for (const stored of rules) {
    const rule = parseRule(stored);
    if (rule === undefined) return { allow: false, rule: kindOf(stored), unknown: true };
    if (!passes(facts, rule)) return { allow: false, rule: rule.kind, unknown: false };
  }
  return ALLOW;
}

function passes(facts: PolicyFacts, rule: Rule): boolean {
  return rule.allow.includes(facts.method);
}

/** The kind that a stored rule claims, when it is fit to be shown. */
function kindOf(stored: unknown): string {
  const kind = typeof stored === 'object' && stored !== null && 'kind' in stored ? stored.kind : undefined;
  return typeof kind === 'string' && /^[a-z][a-z0-9_-]{0,31}$/.test(kind) ? kind : 'unknown';
}
