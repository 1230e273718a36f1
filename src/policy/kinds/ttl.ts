import { countAt, onlyMembers } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';

const MAX_SECONDS = 3_153_600_000;

/** `max_seconds`: how old the grant may be. A clock that stands before its creation says nothing, and so denies. */
export const ttl: RuleKind = {
  kind: 'ttl',
  compile(rule) {
    onlyMembers(rule, ['max_seconds']);
    const seconds = countAt(rule, 'max_seconds', MAX_SECONDS);
    return {
      type: 'check',
      requires: `the grant is younger than ${String(seconds)} s`,
      passes: ({ now, grant }) => now >= grant.createdAt && now - grant.createdAt < seconds * 1000,
    };
  },
};
