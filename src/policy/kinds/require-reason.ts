import { countAt, onlyMembers } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

const MAX_REASON = 512;

/** `min_length`: how many characters X-Alter-Reason must have, spaces around it not counted. Default: 1. */
export const requireReason: RuleKind = {
  kind: 'require_reason',
  compile(rule) {
    onlyMembers(rule, ['min_length']);
    const least = rule['min_length'] === undefined ? 1 : countAt(rule, 'min_length', MAX_REASON);
    return {
      type: 'check',
      requires: `X-Alter-Reason has ${String(least)} or more characters`,
      passes: ({ reason }) => reason !== undefined && reason.trim().length >= least,
    };
  },
};
