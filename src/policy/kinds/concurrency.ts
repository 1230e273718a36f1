import { countAt, onlyMembers } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

const MAX = 1_000_000;

/** `max`: how many requests of one grant may be under way at a time, in each proxy process; `countedGrant` says what is one grant. */
export const concurrency: RuleKind = {
  kind: 'concurrency',
  compile(rule) {
    onlyMembers(rule, ['max']);
    const max = countAt(rule, 'max', MAX);
    return { type: 'concurrency', requires: `at most ${String(max)} requests of the grant are under way in this proxy`, max };
  },
};
