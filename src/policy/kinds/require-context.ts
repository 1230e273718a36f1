import { RuleFault, onlyMembers, textsAt } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

const KEY = /^[A-Za-z0-9_.-]{1,64}$/;

/** `keys`: what X-Alter-Context must hold, each with a value. */
export const requireContext: RuleKind = {
  kind: 'require_context',
  compile(rule) {
    onlyMembers(rule, ['keys']);
    const keys = textsAt(rule, 'keys', 'the name of a context key, such as run_id', (text) => KEY.test(text));
    if (keys === undefined || keys.length === 0) throw new RuleFault(['keys'], 'must name one key or more');
    return {
      type: 'check',
      requires: `X-Alter-Context holds ${keys.join(', ')}`,
      passes: ({ context }) => context !== undefined && keys.every((key) => Object.hasOwn(context, key) && context[key] !== ''),
    };
  },
};
