import { isMethodOverride } from '../../message/method-override.ts';
import { parameterName } from '../../message/query.ts';
import { RuleFault, onlyMembers, textsAt } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

/** Methods are case-sensitive (RFC 9110 §9.1); every registered one is in upper case. */
const METHOD = /^[A-Z][A-Z0-9-]*$/;

/** Few queries need to be taken apart: the name is spelled out, or something is percent-encoded. */
const MAY_OVERRIDE = /%|_method/i;

/** `allow`: the methods that pass. A request that asks to be taken for another method never does. */
export const methods: RuleKind = {
  kind: 'methods',
  compile(rule) {
    onlyMembers(rule, ['allow']);
    const allow = textsAt(rule, 'allow', 'a method in upper case, such as GET', (text) => METHOD.test(text));
    if (allow === undefined) throw new RuleFault(['allow'], 'is missing: the list of methods that pass');
    const allowed: ReadonlySet<string> = new Set(allow);
    return {
      type: 'check',
      requires: `the method is one of ${allow.join(', ') || 'none'}, and nothing overrides it`,
      passes: ({ method, headers, query }) =>
        allowed.has(method) &&
        !headers.names.some(isMethodOverride) &&
        !(query !== undefined && MAY_OVERRIDE.test(query) && overridesMethod(query)),
    };
  },
};

/** Whether a form decoder finds `_method` in the query. */
function overridesMethod(query: string): boolean {
  return query.split(/[&;]/).some((parameter) => parameterName(parameter).toLowerCase() === '_method');
}
