import { createHash } from 'node:crypto';
import { countAt, onlyMembers, wordAt } from '../fault.ts';
import type { RuleKind } from '../rule-kind.ts';
import { countedGrant } from '../rules.ts';
import type { PolicyFacts } from '../rules.ts';

const MAX = 1_000_000_000;
const WINDOWS = { second: 1000, minute: 60_000, hour: 3_600_000, day: 86_400_000 } as const;

/** `limit` requests in each `window`, counted for each grant, agent, principal or secret, over all proxies on one store. */
export const rate: RuleKind = {
  kind: 'rate',
  compile(rule) {
    onlyMembers(rule, ['limit', 'window', 'per']);
    const limit = countAt(rule, 'limit', MAX);
    const window = wordAt(rule, 'window', ['second', 'minute', 'hour', 'day']);
    const per = wordAt(rule, 'per', ['grant', 'agent', 'principal', 'secret'], true);
    return {
      type: 'rate',
      requires: `at most ${String(limit)} requests a ${window} for each ${per}`,
      limit,
      windowMs: WINDOWS[window],
      counter: (facts) => `${window}:${String(limit)}:${per}:${subjectOf(facts, per)}`,
    };
  },
};

/** Requests without an agent are counted together: no rule is lifted by leaving something out. */
function subjectOf(facts: PolicyFacts, per: 'grant' | 'agent' | 'principal' | 'secret'): string {
  const { grant, agent, principal } = facts;
  switch (per) {
    case 'grant':
      return countedGrant(facts);
    case 'agent':
      return agent ?? '';
    case 'secret':
      return grant.secretId;
    case 'principal':
      // What an identity provider calls a user may be long, and holds whatever characters it likes.
      return `${principal.type}:${principal.id === '' ? '' : createHash('sha256').update(principal.id).digest('hex').slice(0, 32)}`;
  }
}
